import { definePlayerProcessor, type ProcessorScope, processorName } from './processor.ts';

// A module for `workletUrl`, where a page's content security policy forbids modules from a Blob.
definePlayerProcessor(globalThis as unknown as ProcessorScope, processorName);

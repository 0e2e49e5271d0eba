import type { ServiceDefinition } from '@grpc/grpc-js';

/** Strings of protobuf are UTF-8, but the decoder puts replacement characters where they are not, and these would be spoken. */
export interface CheckedText {
  readonly text: string;
  readonly isUtf8: boolean;
}

/** The service, with `isUtf8` in every request that has a text. */
export function withCheckedText<T extends ServiceDefinition>(service: T): T {
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): object => {
      const request = method.requestDeserialize(bytes) as { readonly text?: string };
      const { text } = request;
      return text === undefined ? request : { ...request, isUtf8: isVerbatim(text, bytes) };
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(methods) as T;
}

/** A text that was valid stands in its message as it is. */
const isVerbatim = (text: string, bytes: Buffer): boolean => !text.includes('\ufffd') || bytes.includes(text);

export { collect, readWhole } from './artefacts/body.ts';
export * from './artefacts/port.ts';
export * from './books/port.ts';
export * from './port.ts';

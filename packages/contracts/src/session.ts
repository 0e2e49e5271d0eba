export * from './session/audio-frame.ts';
export * from './session/client-messages.ts';
export * from './session/fields.ts';
export * from './session/server-messages.ts';

export * from './encoder.ts';
export * from './format.ts';
export * from './pcm.ts';
export * from './wav.ts';

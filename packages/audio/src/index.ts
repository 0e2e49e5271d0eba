export * from './encoded-length.ts';
export * from './encoder.ts';
export * from './format.ts';
export * from './pcm.ts';
export * from './resampler.ts';
export * from './sample-rates.ts';
export * from './wav.ts';

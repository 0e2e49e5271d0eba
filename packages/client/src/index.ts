export * from './client.ts';
export * from './download.ts';

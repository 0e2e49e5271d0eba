export * from './render/port.ts';
export * from './render/settings.ts';

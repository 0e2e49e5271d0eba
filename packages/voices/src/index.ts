export * from './catalogue.ts';
export * from './choose-provider.ts';
export * from './host.ts';
export * from './local-engine.ts';
export * from './manage.ts';
export * from './port.ts';
export { type RestartReason, type Supervision, supervisionDefaults } from './supervised-child.ts';
export * from './tone.ts';
export * from './voice-source.ts';

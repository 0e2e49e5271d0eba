export * from './health.ts';
export * from './inference-check.ts';
export * from './lifecycle.ts';
export * from './log.ts';
export * from './metric-table.ts';
export * from './metrics.ts';
export * from './outage-log.ts';

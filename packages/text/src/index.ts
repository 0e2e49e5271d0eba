export type {
  Block,
  BookInfo,
  DocumentLimits,
  DocumentPart,
  PlanWarning,
  ReadOptions,
} from './documents/document.ts';
export { documentLimits } from './documents/document.ts';
export { type DocumentSource, type DocumentType, readDocument, typeOf } from './documents/read-document.ts';
export { createTimedPlanner, type TimedPlanner } from './idle-flush.ts';
export { createLexicon, type Lexicon, type LexiconRule, lexiconLimits } from './lexicon.ts';
export { fieldsOfPls, rulesOfFields } from './lexicon-fields.ts';
export type { Override } from './overrides.ts';
export * from './pauses.ts';
export * from './plan.ts';
export { type DocumentPlanOptions, type PlanEvent, planDocument } from './plan-document.ts';
export { type PlanJson, type PlanJsonOptions, planJson, planToJson, type SegmentJson } from './plan-json.ts';
export { parsePls } from './pls.ts';
export type { MapPiece } from './spoken.ts';
export {
  planSsml,
  planSsmlPolitely,
  type SegmentStyle,
  type SsmlPlan,
  type StyledSegment,
  ssmlLimits,
} from './ssml.ts';

import { fairnessConformance } from './conformance/fairness.ts';
import type { StoreFactory } from './conformance/fixtures.ts';
import { lexiconConformance } from './conformance/lexicons.ts';
import { randomConformance } from './conformance/random.ts';
import { rosterConformance } from './conformance/roster.ts';
import { textConformance } from './conformance/texts.ts';
import { utteranceConformance } from './conformance/utterances.ts';
import { workConformance } from './conformance/work.ts';

export type { ConformanceOptions, StoreFactory } from './conformance/fixtures.ts';

/** What every request store must do, as vitest tests. */
export function storeConformance(name: string, factory: StoreFactory): void {
  utteranceConformance(name, factory);
  textConformance(name, factory);
  workConformance(name, factory);
  fairnessConformance(name, factory);
  rosterConformance(name, factory);
  lexiconConformance(name, factory);
  randomConformance(name, factory);
}

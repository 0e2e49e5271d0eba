import { planText } from '@rhapsode/text';

/** Something of each kind that is read out: the rules and names of a language are loaded by their first use. */
const sample =
  'Dr. Smith paid $3.50 for 5 kg at 10:30 on May 5th, 1999 😀. See http://example.org! Chapter IV.';

/** Reads the rules of some languages ahead of the first text, which would hold the event loop for a tenth of a second. */
export function warmPlanner(locales: readonly string[]): void {
  for (const locale of locales) for (let i = 0; i < 2; i++) planText(sample, { locale });
}

import { describe, expect, it } from 'vitest';
import { planText } from '../src/index.ts';
import { sentenceTable } from './tables/sentences.ts';

for (const [locale, cases] of Object.entries(sentenceTable))
  describe(`sentences of ${locale}`, () => {
    for (const marked of cases)
      it(JSON.stringify(marked), () => {
        const sources = planText(marked.replaceAll('|', ''), { locale }).map(({ source }) => source);
        expect(sources.map((s) => s.trim())).toEqual(marked.split('|').map((s) => s.trim()));
      });
  });

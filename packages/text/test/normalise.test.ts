import { describe, expect, it } from 'vitest';
import { planText } from '../src/index.ts';
import { englishTable } from './tables/english.ts';
import { frenchTable } from './tables/french.ts';
import { germanTable } from './tables/german.ts';
import { spanishTable } from './tables/spanish.ts';

const said = (text: string, locale: string) =>
  planText(text, { locale })
    .map(({ spoken }) => spoken)
    .join(' ')
    .trim();

for (const [locale, table] of Object.entries({
  en: englishTable,
  de: germanTable,
  fr: frenchTable,
  es: spanishTable,
}))
  describe(`what is said in ${locale}`, () => {
    for (const [written, spoken] of table)
      it(JSON.stringify(written), () => expect(said(written, locale)).toBe(spoken));
  });

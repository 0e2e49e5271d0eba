import type { BookMetadata } from '../settings.ts';
import { type Box, box, fourLetters, fullBox, join, u8, u16, u32, zeros } from './box.ts';

const text = 1;
const jpeg = 13;
const png = 14;
const integer = 21;
/** iTunes' kind of media. */
const audiobook = 2;

/** What players show of a book, as iTunes writes it. */
export function metadataBox(metadata: BookMetadata): Box {
  const { cover } = metadata;
  const items = [
    item('©nam', metadata.title),
    item('©ART', metadata.authors.join(', ')),
    item('aART', metadata.authors.join(', ')),
    item('©alb', metadata.title),
    item('©wrt', metadata.narrator),
    item('©nrt', metadata.narrator),
    item('©day', metadata.year === undefined ? undefined : String(metadata.year)),
    item('©gen', metadata.genre),
    item('©pub', metadata.publisher),
    item('©st3', metadata.subtitle),
    item('desc', metadata.description?.slice(0, 255)),
    item('ldes', metadata.description),
    item('©cmt', metadata.description),
    [box('stik', data(integer, u8(audiobook)))],
    [box('pgap', data(integer, u8(1)))],
    named('PUBLISHER', metadata.publisher),
    named('SERIES', metadata.series),
    named('SERIES-PART', metadata.seriesNumber),
    named('LANGUAGE', metadata.language),
    cover ? [box('covr', data(cover.mediaType === 'image/png' ? png : jpeg, cover.bytes))] : [],
  ];
  return fullBox(
    'meta',
    0,
    0,
    fullBox('hdlr', 0, 0, u32(0), fourLetters('mdirappl'), zeros(9)),
    box('ilst', ...items.flat()),
  );
}

const data = (kind: number, value: Uint8Array): Box => box('data', u32(kind, 0), value);

const item = (type: string, value: string | undefined): Box[] =>
  value === undefined || value === '' ? [] : [box(type, data(text, Buffer.from(value)))];

const named = (name: string, value: string | undefined): Box[] =>
  value === undefined
    ? []
    : [
        box(
          '----',
          fullBox('mean', 0, 0, Buffer.from('com.apple.iTunes')),
          fullBox('name', 0, 0, Buffer.from(name)),
          data(text, Buffer.from(value)),
        ),
      ];

/** ISO 639-2 for the commonest languages of two letters; MP4 has no room for more. */
const threeLetters: Readonly<Record<string, string>> = {
  ar: 'ara',
  bg: 'bul',
  bn: 'ben',
  ca: 'cat',
  cs: 'ces',
  cy: 'cym',
  da: 'dan',
  de: 'deu',
  el: 'ell',
  en: 'eng',
  es: 'spa',
  et: 'est',
  eu: 'eus',
  fa: 'fas',
  fi: 'fin',
  fr: 'fra',
  ga: 'gle',
  gl: 'glg',
  he: 'heb',
  hi: 'hin',
  hr: 'hrv',
  hu: 'hun',
  id: 'ind',
  is: 'isl',
  it: 'ita',
  ja: 'jpn',
  ka: 'kat',
  ko: 'kor',
  la: 'lat',
  lt: 'lit',
  lv: 'lav',
  ms: 'msa',
  nb: 'nob',
  nl: 'nld',
  nn: 'nno',
  no: 'nor',
  pl: 'pol',
  pt: 'por',
  ro: 'ron',
  ru: 'rus',
  sk: 'slk',
  sl: 'slv',
  sq: 'sqi',
  sr: 'srp',
  sv: 'swe',
  sw: 'swa',
  ta: 'tam',
  th: 'tha',
  tr: 'tur',
  uk: 'ukr',
  ur: 'urd',
  vi: 'vie',
  zh: 'zho',
};

/** Three letters of five bits each. */
export function packedLanguage(language: string): Uint8Array {
  const primary = language.toLowerCase().split('-')[0]!;
  const code = /^[a-z]{3}$/.test(primary) ? primary : (threeLetters[primary] ?? 'und');
  const [a, b, c] = [...code].map((letter) => letter.charCodeAt(0) - 0x60);
  return u16(a! * 1024 + b! * 32 + c!);
}

/** Where no more than a byte counts them, Nero's chapters; the chapter track has all of them in any case. */
export function neroChapters(
  chapters: readonly { title: string; startSample: number }[],
  sampleRateHz: number,
): Box[] {
  if (chapters.length === 0 || chapters.length > 255) return [];
  const entries = chapters.map(({ title, startSample }) => {
    const words = cutUtf8(title, 255);
    const start = Buffer.alloc(8);
    // Units of 100 ns, to the nearest.
    start.writeBigUInt64BE(
      (BigInt(startSample) * 20_000_000n + BigInt(sampleRateHz)) / (2n * BigInt(sampleRateHz)),
    );
    return join(start, u8(words.length), words);
  });
  return [fullBox('chpl', 1, 0, u32(0), u8(chapters.length), ...entries)];
}

/** At most so many bytes, and no character cut in two. */
export function cutUtf8(words: string, most: number): Uint8Array {
  const bytes = Buffer.from(words);
  if (bytes.length <= most) return bytes;
  let end = most;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

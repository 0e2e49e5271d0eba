/**
 * Where the pieces of a book are in the artefact store. No other file spells them.
 *
 *   books/<tenant>/<book>/<home>/  a book that is deleted and made again has another home
 *     plans/<plan>/                request.json, manuscript, cover, plan.json, <chapter>/<part>.jsonl
 *     settled/                     what became of the sentences of a part, by the digest of what was wanted
 *     files/                       what the listener gets
 *     parts/                       what makes the next rendering cheap
 *     results/                     by edition: which files there are
 *   segments/<tenant>/<2 digits>/<key>   a spoken sentence
 */
export interface BookPlace {
  readonly tenant: string;
  readonly id: string;
  readonly home: string;
}

const number = (index: number): string => String(index).padStart(5, '0');

export const allBooks = 'books/';
export const homeFolder = ({ tenant, id, home }: BookPlace): string => `${allBooks}${tenant}/${id}/${home}/`;
export const planFolder = (at: BookPlace, plan: string): string => `${homeFolder(at)}plans/${plan}/`;
export const partKey = (folder: string, chapter: number, part: number): string =>
  `${folder}${number(chapter)}/${number(part)}.jsonl`;
export const settledKey = (at: BookPlace, digest: string): string =>
  `${homeFolder(at)}settled/${digest.slice(0, 2)}/${digest}.json`;
export const filesFolder = (at: BookPlace): string => `${homeFolder(at)}files/`;
export const partsFolder = (at: BookPlace): string => `${homeFolder(at)}parts/`;
export const resultKey = (at: BookPlace, edition: number): string =>
  `${homeFolder(at)}results/${number(edition)}.json`;

export const allSegments = 'segments/';
export const segmentKey = (tenant: string, key: string): string =>
  `${allSegments}${tenant}/${key.slice(0, 2)}/${key}`;

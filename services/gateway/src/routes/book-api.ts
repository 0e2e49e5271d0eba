import { bookCover, bookSettings, sentenceEdit } from '@rhapsode/book';
import { lexiconName } from '@rhapsode/contracts';
import type { ApiRoute } from '@rhapsode/service';
import { z } from 'zod';

export const creation = z.strictObject({ dry_run: z.enum(['true', 'false', '1', '0', '']).optional() });
/** Written so by who has no page before. */
const nothing = z.literal('').transform(() => undefined);
export const page = z.strictObject({
  after: z.union([nothing, z.string().max(100)]).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
export const sentencePage = z.strictObject({
  after: z.union([nothing, z.coerce.number().int().min(0)]).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  state: z.enum(['pending', 'spoken', 'silence', 'fallback']).optional(),
});

/** What the API's document says of the routes of books. */
const book = z.looseObject({
  id: z.string(),
  object: z.literal('book'),
  state: z.enum(['queued', 'running', 'paused', 'succeeded', 'partially_succeeded', 'failed', 'cancelled']),
  edition: z.int(),
  progress: z.looseObject({ sentences: z.int(), characters: z.int(), audio_seconds: z.number() }),
  eta_seconds: z.number().nullable(),
  queue_position: z.int().nullable(),
});
const list = z.looseObject({ object: z.literal('list'), data: z.array(z.looseObject({})) });
const answersBook = { 200: { description: 'The book as it is now.', schema: book } };
const answersList = { 200: { description: 'One page.', schema: list } };
const act = (summary: string): ApiRoute => ({ summary, answers: answersBook });

export const bookApi = {
  create: {
    summary: 'Make an audiobook of a manuscript',
    description:
      'As JSON with `text` (or `document`, base64), or as a form with the manuscript as a file. `If-Match` with an edition makes it the next edition of a book that is there.',
    query: creation,
    body: bookSettings.extend({
      id: z.string().optional(),
      text: z.string().optional(),
      document: z.strictObject({ name: z.string().optional(), base64: z.string() }).optional(),
      cover: bookCover.optional(),
      lexicon: bookSettings.shape.lexicon
        .or(lexiconName)
        .describe('Rules, or the name of a lexicon that is kept.'),
    }),
    examples: {
      text: { text: 'It was the best of times.', voice: 'default', metadata: { title: 'Two Cities' } },
    },
    answers: {
      ...answersBook,
      202: { description: 'Accepted: its plan is stored.', schema: book },
    },
  },
  list: { summary: 'The books of the tenant, newest first', query: page, answers: answersList },
  get: act('How far a book is'),
  delete: { summary: 'Forget a book and its files', answers: { 204: { description: 'Gone.' } } },
  pause: act('Stop a book for a while'),
  resume: act('Go on with a book'),
  cancel: act('Give a book up'),
  retry: act('Try again what failed'),
  sentences: { summary: 'What became of each sentence', query: sentencePage, answers: answersList },
  edit: {
    summary: 'Other words, sounds or another take for a sentence',
    body: sentenceEdit,
    examples: { words: { text: 'Call me Ishmael.' } },
    answers: { 202: { description: 'The next edition is on its way.', schema: book } },
  },
  files: { summary: 'What was made of a book', answers: answersList },
  file: {
    summary: 'A file of a book, whole or in part',
    answers: {
      200: { description: 'The file.', types: ['application/octet-stream'] },
      206: { description: 'A part of it.', types: ['application/octet-stream'] },
    },
  },
  events: {
    summary: 'How a book comes along, as it does',
    answers: { 200: { description: 'Events `progress` and `ended`.', types: ['text/event-stream'] } },
  },
} as const satisfies Record<string, ApiRoute>;

import { createMemoryLog } from '@rhapsode/log/memory';
import { createMemoryQueue } from '@rhapsode/queue/memory';
import { createMemoryStore } from '@rhapsode/store/memory';
import { createLexicon } from '@rhapsode/text';
import { openCatalogue } from '@rhapsode/voices';
import { expect, it } from 'vitest';
import { openArriving } from '../src/arriving-text.ts';
import { createDispatcher } from '../src/dispatch.ts';
import { submit } from '../src/submit.ts';

const voice = (await openCatalogue({ testVoices: true })).get('tone');
const lexicons = [createLexicon([{ grapheme: 'a', alias: 'ever so many words '.repeat(20) }])];
const request = { tenant: 'ann', class: 'interactive', pool: 'default', voice, lexicons } as const;
const refusal = {
  code: 'text_too_long',
  message: expect.stringContaining('more than 20000 characters would be spoken'),
};

function site() {
  const store = createMemoryStore();
  const log = createMemoryLog();
  const dispatcher = createDispatcher({ store, log, queueOf: () => createMemoryQueue(), pools: [] });
  return { store, dispatcher, limits: { spokenLength: 20_000 } };
}

it('rules make no more of a short text than may be spoken, and nothing is left of what they made', async () => {
  const deps = site();
  const { utterance, stored } = await submit('a. '.repeat(2_000), request, deps);
  await expect(stored).rejects.toMatchObject(refusal);
  expect(await deps.store.get(utterance.id)).toMatchObject({ cancelled: true });
  expect(await (await submit('a. '.repeat(40), request, deps)).stored).toBe(40);
});

it('nor of one that arrives in pieces', async () => {
  const deps = site();
  const text = await openArriving({ ...request, idleMs: 60_000 }, deps, { keepSource: false });
  const writing = async () => {
    for (let at = 0; at < 200; at++) await text.add({ text: 'This is a word. And a second one. ' });
  };
  await expect(writing()).rejects.toMatchObject(refusal);
});

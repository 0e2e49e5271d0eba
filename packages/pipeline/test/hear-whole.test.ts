import { noPcm, RhapsodeError } from '@rhapsode/contracts';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { hearWhole } from '../src/hear-whole.ts';
import type { AudioPiece, Listening } from '../src/index.ts';

const segments = 20;

/** An utterance of which the next sentence is made when the one before was taken. */
function heard(options: { failAt?: number } = {}) {
  let consumed = 0;
  let closed = false;
  async function* pieces(): AsyncGenerator<AudioPiece, void, undefined> {
    for (let segment = 0; segment < segments; segment++) {
      if (segment > consumed) throw new Error(`sentence ${segment} is waited for and nobody has it made`);
      if (segment === options.failAt) throw new RhapsodeError('synthesis_failed', { segment });
      yield { type: 'audio', position: { segment, sample: 0 }, pcm: noPcm, generation: 0 };
      yield { type: 'segment', segment } as AudioPiece;
    }
  }
  const listening = {
    utterance: { id: 'utterance0' },
    pieces: pieces(),
    consumed(segment: number) {
      consumed = segment;
    },
    async close() {
      closed = true;
    },
  } as unknown as Listening;
  return { listening, consumed: () => consumed, closed: () => closed };
}

/** What the store says, one after the other; the last for ever. */
function storeOf(...states: object[]) {
  let asked = 0;
  const get = async () => states[Math.min(asked++, states.length - 1)] as never;
  return { store: { get }, asked: () => asked };
}

const id = 'utterance0';
const { signal } = new AbortController();
const state = { sealed: true, segments, finished: segments, failed: 0, cancelled: false };
const unmade = { ...state, finished: 0 };

describe('hearWhole', () => {
  it('takes sentence after sentence, and waits until the store has counted the last', async () => {
    const { listening, consumed, closed } = heard();
    const { store, asked } = storeOf(unmade, { ...state, finished: segments - 1 }, state);
    await hearWhole(id, { store, hear: async () => listening, signal });
    expect([consumed(), closed(), asked()]).toEqual([segments, true, 3]);
  });

  it('hears nothing that was made already, unless it failed', async () => {
    const { store } = storeOf(state);
    const hear = () => Promise.reject(new Error('heard'));
    await hearWhole(id, { store, hear, signal });
    const failed = storeOf({ ...state, failed: 1 });
    await expect(hearWhole(id, { store: failed.store, hear, signal })).rejects.toThrow('heard');
  });

  it('throws what a sentence failed with, and lets go of the utterance', async () => {
    const { listening, closed } = heard({ failAt: 7 });
    const hearing = hearWhole(id, { store: storeOf(unmade).store, hear: async () => listening, signal });
    await expect(hearing).rejects.toMatchObject({ code: 'synthesis_failed', segment: 7 });
    expect(closed()).toBe(true);
  });

  it('does not wait for what was cancelled, nor for whom nobody waits any more', async () => {
    const hear = async () => heard().listening;
    const { store } = storeOf(unmade, unmade, { ...unmade, cancelled: true });
    await expect(hearWhole(id, { store, hear, signal })).rejects.toMatchObject({ code: 'cancelled' });
    const leaving = new AbortController();
    const waiting = storeOf(unmade);
    const hearing = hearWhole(id, { store: waiting.store, hear, signal: leaving.signal });
    hearing.catch(() => {});
    await until(() => waiting.asked() > 2, { what: 'it to ask again' });
    leaving.abort();
    await expect(hearing).rejects.toThrow('abort');
  });
});

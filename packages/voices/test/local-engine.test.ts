import { RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import { expect, it } from 'vitest';
import type { Catalogue } from '../src/catalogue.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import type { SpeakRequest } from '../src/port.ts';
import type { VoiceSource } from '../src/voice-source.ts';

/** Voices that write down when they are loaded and closed; each holds ten bytes. */
function catalogueOf(
  ids: readonly string[],
  log: string[],
  failures: Record<string, number> = {},
): Catalogue {
  const sources = new Map(
    ids.map((id): [string, VoiceSource] => [
      id,
      {
        info: {
          id,
          name: id,
          engine: 'test',
          language: 'en',
          sampleRateHz: 16_000,
          speakers: [],
          digest: id,
          deterministic: true,
          capabilities: { streaming: true, marks: 'none' },
        } satisfies VoiceInfo,
        async load() {
          if ((failures[id] ?? 0) > 0) {
            failures[id] = failures[id]! - 1;
            throw new RhapsodeError('model_invalid');
          }
          log.push(`load ${id}`);
          let open = true;
          return {
            bytes: 10,
            async *speak() {
              for (let i = 0; i < 3; i++) {
                expect(open).toBe(true);
                yield { type: 'audio', pcm: new Int16Array(1) } as const;
              }
              yield { type: 'end', facts: { samples: 3, marksFrom: 'none', marks: [] } } as const;
            },
            async close() {
              open = false;
              log.push(`close ${id}`);
            },
          };
        },
      },
    ]),
  );
  const source = (id: string) => sources.get(id) ?? fail();
  const fail = (): never => {
    throw new RhapsodeError('voice_not_found');
  };
  return { voices: [], problems: [], get: (id) => source(id).info, source };
}
const request = (voice: string): SpeakRequest => ({
  voice,
  text: 'x',
  segment: 0,
  seed: 0,
  speed: 1,
  class: 'bulk',
});
const never = new AbortController().signal;

it('loads a voice once, however many sentences ask for it at the same time', async () => {
  const log: string[] = [];
  const engine = createLocalEngine(catalogueOf(['a'], log));
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      for await (const _ of engine.speak(request('a'), never));
    }),
  );
  expect(log).toEqual(['load a']);
  await engine.close();
  expect(log).toEqual(['load a', 'close a']);
});

it('closes the voice that was used longest ago when they hold too much, but none that speaks', async () => {
  const log: string[] = [];
  const engine = createLocalEngine(catalogueOf(['a', 'b', 'c'], log), { voiceMemoryBytes: 20 });
  const speaking = engine.speak(request('a'), never)[Symbol.asyncIterator]();
  await speaking.next();
  await engine.load('b');
  await engine.load('c');
  // `a` is the oldest, but it speaks.
  expect(log).toEqual(['load a', 'load b', 'load c', 'close b']);
  for (;;) if ((await speaking.next()).done) break;
  expect(engine.loaded).toEqual(['a', 'c']);
  await engine.load('b');
  expect(log.slice(4)).toEqual(['load b', 'close a']);
  await engine.close();
});

it('tries a voice anew that could not be loaded', async () => {
  const log: string[] = [];
  const engine = createLocalEngine(catalogueOf(['a'], log, { a: 1 }));
  await expect(engine.load('a')).rejects.toMatchObject({ code: 'model_invalid' });
  await engine.load('a');
  expect(log).toEqual(['load a']);
  await engine.close();
});

import { createRedisStore } from '@rhapsode/store/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sceneOf, slowly } from '../faults/scene.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { seeded } from '../support/seeded.ts';
import type { Service } from '../support/service.ts';
import { openSession } from '../support/session-client.ts';
import { speakThroughSessions } from '../support/session-speaker.ts';
import { plainText } from '../support/texts.ts';
import { gate, until } from '../support/wait.ts';

/** As a chat model gives it: words and parts of words, the space in front. */
const tokensOf = (text: string): string[] => text.match(/\s*\S{1,4}|\s+$/g) ?? [];

describe('a session on real servers', { timeout: 120_000 }, () => {
  let fleet: Fleet;
  let other: Service;
  beforeAll(async () => {
    fleet = await startFleet({ workers: 2, env: { RHAPSODE_TEXT_IDLE_SECONDS: '20' } });
    other = await fleet.addGateway({});
  }, 120_000);
  afterAll(() => fleet?.stop());
  const gateways = () => [fleet.gateway.url, other.url];
  let ids = 0;
  const newId = () => `session${String(ids++).padStart(4, '0')}`;

  async function speakWhile(
    { sentences = 4, drops = 0, seed }: { sentences?: number; drops?: number; seed: number },
    disturb: (scene: ReturnType<typeof sceneOf>) => Promise<void> = async () => {},
  ) {
    const text = slowly(plainText(sentences, 60, seed));
    const reference = await speakEmbedded(text, { seed, slots: sentences });
    const random = seeded(seed);
    const total = reference.pcm.length;
    const places = Array.from({ length: drops }, () => Math.floor(random() * total)).sort((a, b) => a - b);
    const id = newId();
    const waiting: { from: number; open: () => void }[] = [];
    const [spoken] = await Promise.all([
      speakThroughSessions({
        gateways: gateways(),
        id,
        seed,
        tokens: tokensOf(text),
        // Slow enough that what is disturbed is still arriving.
        tokenMs: 20,
        dropAt(samples) {
          if (places.length === 0 || samples < places[0]!) return false;
          places.shift();
          return true;
        },
        onSamples(samples) {
          for (const { from, open } of waiting) if (samples >= from) open();
        },
      }),
      disturb(
        sceneOf(fleet, id, reference, (share) => {
          const { opened, open } = gate();
          waiting.push({ from: share * total, open });
          return opened;
        }),
      ),
    ]);
    return {
      ...spoken,
      tokens: tokensOf(text).length,
      difference: firstDifference(spoken.pcm, reference),
      reference,
    };
  }

  test('speaks a chat model’s tokens: audio before the text has ended, the samples of the text sent whole', async () => {
    const text = plainText(12, 60, 11);
    const tokens = tokensOf(text);
    const spoken = await speakThroughSessions({ gateways: gateways(), id: newId(), tokens, tokenMs: 5 });
    expect(spoken.tokensAtFirstAudio).toBeGreaterThanOrEqual(0);
    expect(spoken.tokensAtFirstAudio).toBeLessThan(tokens.length);
    const reference = await speakEmbedded(text);
    expect(firstDifference(spoken.pcm, reference)).toBeUndefined();
    expect(spoken.end).toMatchObject({ segments: reference.segments.length, samples: reference.pcm.length });
    expect(spoken.sockets).toBe(1);
  });

  test('is exact when its socket is dropped again and again, and resumed at the other gateway', async () => {
    const { difference, sockets } = await speakWhile({ seed: 2, drops: 5 });
    expect(difference).toBeUndefined();
    expect(sockets).toBeGreaterThanOrEqual(6);
  });

  test('is exact when the worker that speaks is killed, and the socket dropped', async () => {
    const { difference } = await speakWhile({ seed: 3, drops: 2 }, async ({ at, owner }) => {
      const worker = await owner(await at(1, 'first chunk'));
      await worker.kill();
      await worker.restart();
    });
    expect(difference).toBeUndefined();
  });

  test('is exact when its gateway is killed while the text is arriving', async () => {
    const { difference, sockets } = await speakWhile({ seed: 4, drops: 1 }, async ({ heard }) => {
      await heard(0.2);
      await fleet.gateway.kill();
      await fleet.gateway.restart();
    });
    expect(difference).toBeUndefined();
    expect(sockets).toBeGreaterThanOrEqual(2);
  });

  test('is exact when NATS is restarted, and the socket dropped', async () => {
    const { difference } = await speakWhile({ seed: 5, drops: 2 }, async ({ at }) => {
      await at(1, 'middle');
      await fleet.nats.restart();
    });
    expect(difference).toBeUndefined();
  });

  test('is exact when Redis is killed while the text is arriving, and comes back', async () => {
    const { difference } = await speakWhile({ seed: 6 }, async ({ heard }) => {
      await heard(0.2);
      await fleet.redis.written();
      await fleet.redis.kill();
      await fleet.redis.restart();
    });
    expect(difference).toBeUndefined();
  });

  test('that nobody resumes is cancelled, also when its gateway has died', async () => {
    const mortal = await fleet.addGateway({ RHAPSODE_TEXT_IDLE_SECONDS: '1' });
    const store = createRedisStore({ url: fleet.redis.url });
    try {
      const dropped = await openSession(mortal.url);
      const orphaned = await openSession(mortal.url);
      for (const client of [dropped, orphaned]) client.say({ type: 'text', text: 'One. Two. And then' });
      const { utterance: first } = await dropped.get('opened');
      const { utterance: second } = await orphaned.get('opened');
      await dropped.heard(1);
      dropped.drop();
      await until(() => store.isCancelled(first), { what: 'the one that was dropped to be cancelled' });
      await mortal.kill();
      await until(() => store.isCancelled(second), { what: 'the other one to be cancelled' });
    } finally {
      await store.close();
    }
  });
});

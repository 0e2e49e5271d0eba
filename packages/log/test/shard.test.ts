import { expect, test } from 'vitest';
import type { Session } from '../src/nats/link.ts';
import { createShard } from '../src/nats/shard.ts';
import { streamConfig } from '../src/nats/stream.ts';
import type { Follower } from '../src/reader.ts';

const wantedOf = (replicas: number) =>
  streamConfig(0, {
    storage: 'memory',
    replicas,
    maxBytes: undefined,
    maxAgeMs: 60_000,
    duplicateWindowMs: 60_000,
  });

/** A server whose only stream has these properties. */
function createFake(replicas = 1) {
  const stream = { created: '2026-11-21T06:02:41Z', first: 1, firstAt: '2026-11-21T06:02:42Z', last: 0 };
  const wanted = wantedOf(replicas);
  let asked = 0;
  let whileAsked = () => {};
  const info = async () => {
    asked++;
    const { created, first, firstAt, last } = stream;
    const state = { first_seq: first, first_ts: firstAt, last_seq: last, messages: last - first + 1 };
    const answer = { config: wanted, created, state };
    whileAsked();
    return answer;
  };
  const session = { nc: {}, jsm: { streams: { info } }, signal: new AbortController().signal };
  return {
    stream,
    session: session as unknown as Session,
    asked: () => asked,
    whileAsked: (act: () => void) => {
      whileAsked = act;
    },
  };
}

function createFollowed(replicas = 1) {
  const shard = createShard(wantedOf(replicas));
  let interruptions = 0;
  const follower: Follower = { live: () => {}, interrupted: () => void interruptions++ };
  shard.followers.add(follower);
  return { shard, interruptions: () => interruptions };
}

test('a stream with another creation time began anew', async () => {
  const { stream, session } = createFake();
  const { shard, interruptions } = createFollowed();
  stream.last = 5;
  await shard.check(session);
  expect([shard.incarnation, shard.reached, interruptions()]).toEqual([1, 5, 0]);
  stream.created = '2026-11-21T07:00:00Z';
  stream.last = 9;
  await shard.check(session);
  expect([shard.incarnation, shard.reached, interruptions()]).toEqual([2, 9, 1]);
});

test('a stream that kept its name and its creation time, but not its messages, began anew', async () => {
  const { stream, session } = createFake();
  const { shard, interruptions } = createFollowed();
  await shard.check(session);
  shard.saw(7);
  stream.last = 3;
  await shard.check(session);
  expect([shard.incarnation, shard.reached, interruptions()]).toEqual([2, 3, 1]);
  await shard.check(session);
  expect(shard.incarnation).toBe(2);
});

test('a stream with another first message began anew, however long it is by now', async () => {
  const { stream, session } = createFake();
  const { shard } = createFollowed();
  stream.last = 3;
  await shard.check(session);
  Object.assign(stream, { firstAt: '2026-11-21T06:05:00Z', last: 100 });
  await shard.check(session);
  expect([shard.incarnation, shard.reached]).toEqual([2, 100]);
  Object.assign(stream, { first: 50, firstAt: '2026-11-21T06:06:00Z' });
  await shard.check(session);
  expect(shard.incarnation).toBe(2);
  Object.assign(stream, { first: 2, last: 200 });
  await shard.check(session);
  expect(shard.incarnation).toBe(3);
});

test('an empty stream that gets its first message, or loses its oldest ones, is the same', async () => {
  const { stream, session } = createFake();
  const { shard, interruptions } = createFollowed();
  await shard.check(session);
  Object.assign(stream, { last: 5, firstAt: '2026-11-21T06:05:00Z' });
  await shard.check(session);
  Object.assign(stream, { first: 6, firstAt: '0001-01-01T00:00:00Z' });
  await shard.check(session);
  Object.assign(stream, { last: 7, firstAt: '2026-11-21T06:06:00Z' });
  await shard.check(session);
  expect([shard.incarnation, interruptions()]).toEqual([1, 0]);
});

test('a new leader may lag for a moment', async () => {
  const { stream, session, asked, whileAsked } = createFake(3);
  const { shard } = createFollowed(3);
  stream.last = 3;
  await shard.check(session);
  shard.saw(7);
  whileAsked(() => {
    if (asked() === 3) stream.last = 7;
  });
  await shard.check(session);
  expect([shard.incarnation, asked()]).toEqual([1, 4]);
});

test('a message that is seen while the stream is looked at is no proof of a loss', async () => {
  const { stream, session, whileAsked } = createFake();
  const { shard } = createFollowed();
  stream.last = 3;
  await shard.check(session);
  whileAsked(() => shard.saw(4));
  await shard.check(session);
  expect([shard.incarnation, shard.reached]).toEqual([1, 4]);
});

test('many looks at once are one question', async () => {
  const { session, asked } = createFake();
  const { shard } = createFollowed();
  expect(shard.isStale(1_000)).toBe(true);
  await Promise.all([shard.check(session), shard.check(session), shard.check(session)]);
  expect(asked()).toBe(1);
  expect(shard.isStale(1_000)).toBe(false);
});

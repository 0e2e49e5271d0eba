import { describe, expect, it } from 'vitest';
import type { BookRequest } from '../src/plan/plan-files.ts';
import { createSpeakingRoom } from '../src/run/speaking-room.ts';

const request = { voices: [{ pool: 'a' }, { pool: 'b' }, { pool: 'a' }] } as unknown as BookRequest;

function setUp(slots: Record<string, number> | undefined) {
  const stop = new AbortController();
  const asked: string[] = [];
  const store = {
    async slots(pool: string) {
      asked.push(pool);
      if (!slots) throw new Error('the store is away');
      return slots[pool] ?? 0;
    },
  };
  const room = createSpeakingRoom(store, request, stop.signal);
  /** Lets in as many as there is room for, and one that waits. */
  async function fill(sentences: number) {
    const leaves: (() => void)[] = [];
    for (;;) {
      const entered = room.enter(sentences);
      const leave = await Promise.race([entered, settled()]);
      if (!leave) return { leaves, waiting: entered };
      leaves.push(leave);
    }
  }
  return { room, stop, asked, fill };
}

/** After all that can go on without anybody's doing has gone on. */
async function settled(): Promise<undefined> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  return undefined;
}

describe('the room of a book', () => {
  it('is four sentences for every slot of every pool that its voices are in, asked once', async () => {
    const { fill, asked } = setUp({ a: 30, b: 20, c: 1_000 });
    // Parts are let in while fewer than 200 sentences are under way.
    const { leaves, waiting } = await fill(40);
    expect(leaves).toHaveLength(5);
    expect(asked.sort()).toEqual(['a', 'b']);
    leaves[0]!();
    expect(await waiting).toBeTypeOf('function');
  });

  it('is enough to go on where there are few workers, none, or nobody to ask', async () => {
    for (const slots of [{ a: 1 }, {}, undefined]) {
      const { leaves } = await setUp(slots).fill(16);
      expect(leaves).toHaveLength(4);
    }
  });

  it('holds one part however long, and few parts however short', async () => {
    const { leaves, waiting } = await setUp({}).fill(5_000);
    expect(leaves).toHaveLength(1);
    leaves[0]!();
    const leave = await waiting;
    leave();
    expect((await setUp({ a: 1_000 }).fill(1)).leaves).toHaveLength(16);
  });

  it('is left by who waits when the book stops', async () => {
    const { fill, stop, room } = setUp({});
    const { waiting } = await fill(100);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(room.enter(1)).rejects.toThrow('stopped');
  });
});

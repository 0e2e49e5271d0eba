import type { VoiceInfo } from '@rhapsode/contracts';
import { createMemoryLog } from '@rhapsode/log/memory';
import { createMemoryQueue } from '@rhapsode/queue/memory';
import { createMemoryStore } from '@rhapsode/store/memory';
import type { Engine } from '@rhapsode/voices';
import { createDispatcher } from './dispatch.ts';
import type { Observer } from './observe.ts';
import { startWorking } from './work.ts';

export interface EmbeddedOptions {
  readonly engine: Engine;
  readonly voices: readonly VoiceInfo[];
  /** Sentences spoken at once. */
  readonly slots: number;
  readonly pool?: string;
  readonly observer?: Observer;
}

/** The whole pipeline in one process: the same dispatcher and worker as everywhere, on memory instead of servers. */
export function createEmbedded({ engine, voices, slots, pool = 'default', observer }: EmbeddedOptions) {
  const store = createMemoryStore();
  const log = createMemoryLog();
  const queue = createMemoryQueue();
  const observed = observer ? { observer } : {};
  const dispatcher = createDispatcher({ store, log, queueOf: () => queue, pools: [pool], ...observed });
  const worker = startWorking({
    id: 'embedded',
    pool,
    slots,
    voices,
    engine,
    queue,
    log,
    store,
    dispatcher,
    ...observed,
  });

  return {
    store,
    log,
    queue,
    dispatcher,
    worker,
    pool,
    /** Hands back what runs and closes everything but the engine, which belongs to the caller. */
    async close(options: { graceMs: number } = { graceMs: 0 }) {
      await worker.close(options);
      await dispatcher.close();
      await queue.close();
      await log.close();
      await store.close();
    },
  };
}

export type Embedded = ReturnType<typeof createEmbedded>;

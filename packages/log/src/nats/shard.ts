import type { StreamInfo } from '@nats-io/jetstream';
import type { Follower } from '../reader.ts';
import { pause, unlessAborted } from '../retry.ts';
import type { Session } from './link.ts';
import { ensureStream, type WantedStream } from './stream.ts';

const lagMs = 250;

/** What is known of one stream. */
export interface Shard {
  readonly stream: string;
  readonly followers: Set<Follower>;
  /** Rises when the stream began anew. */
  readonly incarnation: number;
  /** The highest sequence that was seen of this incarnation. */
  readonly reached: number;
  saw(sequence: number): void;
  /** Looks at the stream, makes it if it is gone, and tells the followers when it began anew. */
  check(session: Session): Promise<void>;
  /** The last look at the stream is longer ago than this. */
  isStale(ms: number): boolean;
}

/**
 * A stream began anew when it has another creation time; or another first message, where that did not move on; or a last
 * sequence below one that was seen before the question. The latter two are for clusters, where a memory stream of one
 * replica keeps its name and creation time when it loses its messages. A replica that has just become the leader may lag
 * for a moment, so what it says of the last sequence is believed when it says so again.
 */
export function createShard(wanted: WantedStream): Shard {
  const followers = new Set<Follower>();
  const looks = wanted.num_replicas > 1 ? 5 : 1;
  let incarnation = 1;
  let reached = 0;
  let known: StreamInfo | undefined;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let checking: { session: Session; done: Promise<void> } | undefined;

  async function look(session: Session): Promise<void> {
    const seenBefore = reached;
    const ask = () => unlessAborted(ensureStream(session, wanted), session.signal);
    let info = await ask();
    for (let n = 1; n < looks && info.state.last_seq < seenBefore && !isAnother(info, known); n++) {
      await pause(lagMs, session.signal);
      info = await ask();
    }
    const last = info.state.last_seq;
    const anew = known !== undefined && (last < seenBefore || isAnother(info, known));
    known = info;
    checkedAtMs = performance.now();
    reached = anew ? last : Math.max(reached, last);
    if (!anew) return;
    incarnation++;
    for (const follower of followers) follower.interrupted();
  }

  function check(session: Session): Promise<void> {
    if (checking?.session === session) return checking.done;
    const done = look(session).finally(() => {
      if (checking?.done === done) checking = undefined;
    });
    checking = { session, done };
    return done;
  }

  return {
    stream: wanted.name,
    followers,
    get incarnation() {
      return incarnation;
    },
    get reached() {
      return reached;
    },
    saw(sequence) {
      if (sequence > reached) reached = sequence;
    },
    check,
    isStale: (ms) => performance.now() - checkedAtMs > ms,
  };
}

function isAnother({ created, state }: StreamInfo, known: StreamInfo | undefined): boolean {
  if (known === undefined) return false;
  const before = known.state;
  if (created !== known.created || state.first_seq < before.first_seq) return true;
  const bothHave = state.messages > 0 && before.messages > 0;
  return bothHave && state.first_seq === before.first_seq && state.first_ts !== before.first_ts;
}

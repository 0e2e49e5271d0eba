import type { MsgRequest, NextMsgRequest, SeqMsgRequest, StoredMsg } from '@nats-io/jetstream';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import {
  audioSubject,
  cancelSubject,
  cancelSubjects,
  decodeEnvelope,
  encodeEnvelope,
  headerName,
  liveSubject,
  messageId,
  RhapsodeError,
  shardOf,
} from '@rhapsode/contracts';
import { createLimit } from './limit.ts';
import { asLogError, mayMeanNoStream } from './nats/errors.ts';
import { createLink, type Session } from './nats/link.ts';
import { createShard, type Shard } from './nats/shard.ts';
import { streamConfig } from './nats/stream.ts';
import { type AudioLog, logDefaults } from './port.ts';
import { createReader, type LogSource, type Stored } from './reader.ts';
import { keepTrying, present, unlessAborted } from './retry.ts';

export interface NatsLogOptions {
  /** `nats://[user:password@]host[:port]`, or several, comma separated. */
  readonly url: string;
  /** Streams that utterances are spread over. The same for every service. */
  readonly shards?: number;
  readonly storage?: 'memory' | 'file';
  readonly replicas?: number;
  /** Of each shard; the server's own limit if not given. */
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly duplicateWindowMs?: number;
  readonly readAhead?: number;
  readonly pollMs?: number;
  readonly appendTimeoutMs?: number;
  /** Of one request to the server. */
  readonly requestTimeoutMs?: number;
  /** The connection's name in the server's monitoring. */
  readonly name?: string;
  /** Told what went wrong and will be tried again. */
  readonly onTrouble?: (what: string, error: unknown) => void;
  /** For tests: live copies that get lost on their way. */
  readonly dropLive?: (header: string) => boolean;
}

type Query = SeqMsgRequest | NextMsgRequest;

/** Questions to the server at once: after a reconnection every reader has one, and an answer may be a megabyte. */
const mostQuestions = 64;

/**
 * The audio log on NATS JetStream: a stream per shard, a subject per utterance. Readers have no consumers: they take the
 * copies that the stream republishes and ask for what they miss.
 *
 * Comes up whether the server is there or not; calls wait for it as long as they may.
 */
export function createNatsLog(options: NatsLogOptions): AudioLog {
  const { shards: shardCount = 1, storage = 'memory', replicas = 1, maxBytes, name = 'rhapsode' } = options;
  const { requestTimeoutMs = 2_000, onTrouble = () => {}, dropLive } = options;
  const { readAhead, pollMs, appendTimeoutMs, maxAgeMs, duplicateWindowMs } = { ...logDefaults, ...options };
  const closing = new AbortController();
  const limit = createLimit(mostQuestions);
  const streamOptions = { storage, replicas, maxBytes, maxAgeMs, duplicateWindowMs };
  const shards = Array.from({ length: shardCount }, (_, i) => createShard(streamConfig(i, streamOptions)));
  const shardFor = (utterance: string): Shard => shards[shardOf(utterance, shardCount)]!;

  const checkAll = (session: Session) => Promise.all(shards.map((shard) => shard.check(session)));
  const link = createLink({
    url: options.url,
    name,
    requestTimeoutMs,
    closing: closing.signal,
    onTrouble,
    async prepare(session) {
      await checkAll(session).catch((error) => {
        throw asLogError(error);
      });
    },
    onSession() {
      for (const shard of shards) for (const follower of shard.followers) follower.interrupted();
    },
  });

  /** One request: waits for a session, ends with it, and looks after the stream when the server does not know it. */
  async function inSession<T>(
    shard: Shard,
    signal: AbortSignal,
    request: (session: Session) => Promise<T>,
  ): Promise<T> {
    const session = await link.ready(signal);
    try {
      return await unlessAborted(request(session), session.signal);
    } catch (error) {
      if (mayMeanNoStream(error))
        await shard.check(session).catch((worse) => Promise.reject(asLogError(worse)));
      throw asLogError(error);
    }
  }

  const patiently = <T>(shard: Shard, request: (session: Session) => Promise<T>, signal?: AbortSignal) =>
    keepTrying((over) => inSession(shard, over, request), {
      timeoutMs: appendTimeoutMs,
      signals: present(closing.signal, signal),
    });

  /** A repeated id is acknowledged as a duplicate even when its message was purged: then it gets an id of its own. */
  async function publish(
    { js, jsm }: Session,
    shard: Shard,
    subject: string,
    id: string,
    wire: ReturnType<typeof encodeEnvelope>,
  ): Promise<number> {
    for (let msgID = id; ; ) {
      const withHeader = headers();
      withHeader.set(headerName, wire.header);
      const ack = await js.publish(subject, wire.payload, { msgID, headers: withHeader });
      shard.saw(ack.seq);
      if (!ack.duplicate) return ack.seq;
      const stored = await jsm.streams.getMessage(shard.stream, { seq: ack.seq });
      if (stored?.subject === subject) return ack.seq;
      msgID = `${id}~${ack.seq}`;
    }
  }

  /** Any replica answers a direct get, also one that lags. That there is nothing is believed of the leader only. */
  async function find({ jsm }: Session, shard: Shard, query: Query): Promise<StoredMsg | null> {
    const direct = await jsm.direct.getMessage(shard.stream, query);
    // The server takes the same query here; the library's type is narrower.
    const message =
      direct ?? (replicas > 1 ? await jsm.streams.getMessage(shard.stream, query as MsgRequest) : null);
    if (message) shard.saw(message.seq);
    return message;
  }

  function sourceOf(utterance: string): LogSource {
    const shard = shardFor(utterance);
    const subject = audioSubject(utterance, shardCount);
    return {
      ask: (after, signal) =>
        limit(() =>
          inSession(shard, signal, async (session) => {
            const { incarnation } = shard;
            const query = { seq: after + 1, next_by_subj: subject };
            const found = await find(session, shard, query);
            if (!found && shard.reached < after) await shard.check(session);
            else if (shard.isStale(pollMs)) await shard.check(session);
            if (incarnation !== shard.incarnation)
              return { incarnation: shard.incarnation, message: undefined, last: shard.reached };
            const message = found ? stored(found.seq, found.header, found.data) : undefined;
            return { incarnation, message, last: shard.reached };
          }),
        ),

      follow(follower) {
        shard.followers.add(follower);
        const stop = link.subscribe(liveSubject(utterance, shardCount), ({ headers: fields, data }: Msg) => {
          const { session } = link;
          // What comes before the streams were looked at belongs to nobody knows which incarnation.
          if (!session || !fields) return;
          const sequence = Number(fields.get('Nats-Sequence'));
          if (!(sequence > 0) || dropLive?.(fields.get(headerName))) return;
          shard.saw(sequence);
          follower.live({
            ...stored(sequence, fields, data),
            incarnation: shard.incarnation,
            previous: Number(fields.get('Nats-Last-Sequence')),
          });
          // A stream can be made anew under a connection that lasts, and who gets live copies does not ask.
          if (shard.isStale(pollMs)) shard.check(session).catch((error) => onTrouble('check', error));
        });
        return () => {
          shard.followers.delete(follower);
          stop();
        };
      },
    };
  }

  return {
    async append(utterance, message, pcm, signal) {
      const shard = shardFor(utterance);
      const subject = audioSubject(utterance, shardCount);
      const id = messageId(utterance, message);
      const wire = encodeEnvelope({ message, pcm });
      return patiently(shard, (session) => publish(session, shard, subject, id, wire), signal).catch(
        (error) => {
          if (!(error instanceof RhapsodeError) || error.code !== 'bad_message') throw error;
          const most = link.session?.nc.info?.max_payload;
          throw new RhapsodeError('bad_message', {
            message: `log message ${id} has ${wire.payload.byteLength} bytes; the NATS server takes ${most} with headers`,
            cause: error.cause,
          });
        },
      );
    },

    read: (utterance, { after, signal } = {}) =>
      createReader(sourceOf(utterance), {
        after,
        readAhead,
        pollMs,
        signals: present(closing.signal, signal),
      }),

    get(utterance, sequence) {
      const shard = shardFor(utterance);
      const subject = audioSubject(utterance, shardCount);
      return patiently(shard, async (session) => {
        const found = await find(session, shard, { seq: sequence });
        if (found?.subject !== subject) return undefined;
        return { sequence, ...stored(sequence, found.header, found.data).open() };
      });
    },

    async purge(utterance, upTo) {
      const shard = shardFor(utterance);
      const filter = audioSubject(utterance, shardCount);
      // NATS keeps the sequence that it is given.
      const what = upTo === undefined ? { filter } : { filter, seq: upTo + 1 };
      await patiently(shard, ({ jsm }) => jsm.streams.purge(shard.stream, what));
    },

    async announceCancel(utterance) {
      link.session?.nc.publish(cancelSubject(utterance));
    },

    onCancel(listener, signal) {
      if (signal.aborted || closing.signal.aborted) return;
      const stop = link.subscribe(cancelSubjects, ({ subject }) =>
        listener(subject.slice(cancelSubject('').length)),
      );
      signal.addEventListener('abort', stop, { once: true });
    },

    async ping() {
      const over = AbortSignal.timeout(requestTimeoutMs);
      try {
        const session = await link.ready(over);
        await unlessAborted(unlessAborted(checkAll(session), session.signal), over);
      } catch (error) {
        throw asLogError(error);
      }
    },

    async close() {
      // What was announced leaves before the connection ends.
      const flushed = link.session?.nc.flush();
      if (flushed) await unlessAborted(flushed, AbortSignal.timeout(requestTimeoutMs)).catch(() => {});
      closing.abort(new RhapsodeError('log_unavailable', { message: 'The audio log is closed.' }));
      await link.closed;
    },
  };
}

/** The bytes are copied: they lie in a larger piece of the connection's, at whatever offset, and samples want an even one. */
function stored(sequence: number, fields: MsgHdrs, data: Uint8Array): Stored {
  const header = fields.get(headerName);
  // Not slice(): that of a Buffer copies nothing.
  const payload = new Uint8Array(data);
  return { sequence, open: () => decodeEnvelope(header, payload) };
}

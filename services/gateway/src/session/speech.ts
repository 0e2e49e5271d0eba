import { formatPosition, type Position, RhapsodeError, type Utterance } from '@rhapsode/contracts';
import type { Nonce } from '@rhapsode/contracts/session';
import type { ArrivingText, Listening } from '@rhapsode/pipeline';
import type { GatewayDeps } from '../deps.ts';
import { createAudioOut } from './audio-out.ts';
import type { Hearing } from './hearing.ts';
import type { Link } from './link.ts';
import { persist } from './persist.ts';
import { createTextFeed, type TextFeed } from './text-feed.ts';

/** One utterance that is written and heard through a socket. Nothing of it is sent any more once `close` was called. */
export interface Speech {
  readonly utterance: Utterance;
  /** The calls throw what the message is refused with; then nothing has changed. */
  write(text: string, offset: number | undefined): Promise<void>;
  flush(nonce: Nonce): void;
  finish(): void;
  taken(position: Position): void;
  close(): void;
}

export interface SpeechOptions {
  readonly context: string;
  readonly contextNumber: number;
  readonly utterance: Utterance;
  /** Undefined if it was given whole. */
  readonly texts: ArrivingText | undefined;
  readonly hearing: Hearing;
  readonly from: Position;
  /** Samples before the segment of `from`. */
  readonly startSample: number;
  readonly resumed: boolean;
  readonly maxCharacters: number;
  readonly gateway: GatewayDeps;
  readonly link: Link;
  /** All audio of a finished text was sent. */
  readonly onEnd: (segments: number, samples: number) => void;
  /** It can't go on. */
  readonly onFailure: (error: unknown) => void;
}

const mostFlushes = 1_000;

export function startSpeech(options: SpeechOptions): Speech {
  const { context, contextNumber, utterance, texts, hearing, from, gateway, link, onEnd } = options;
  const { id, sampleRateHz } = utterance;
  const rateHz = hearing.rateHz ?? sampleRateHz;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, link.closed]);
  let textAtMs: number | undefined;
  let heard = from.segment;
  let isOver = false;
  let listening: Listening | undefined;
  const flushes: { segments: number; readonly nonce: Nonce }[] = [];
  /** Lengths of the sentences that the client has not taken, if it says what it has taken. */
  const untaken = new Map<number, number>();

  const facts = {
    context,
    context_number: contextNumber,
    utterance: id,
    voice: utterance.voice,
    voice_digest: utterance.voiceDigest,
    sample_rate: rateHz,
    voice_sample_rate: sampleRateHz,
    format: hearing.format,
    deterministic: utterance.deterministic,
  };
  const offset = texts?.length ?? 0;
  const text_complete = texts?.complete ?? true;
  if (options.resumed)
    link.send({ type: 'resumed', ...facts, position: formatPosition(from), offset, text_complete });
  else link.send({ type: 'opened', ...facts });

  const fail = (error: unknown) => {
    if (!signal.aborted) options.onFailure(error);
  };

  const feed: TextFeed | undefined =
    texts &&
    createTextFeed(texts, {
      maxCharacters: options.maxCharacters,
      idleFlushMs: hearing.idleFlushMs,
      signal,
      onStored: (stored) => link.send({ type: 'received', context, offset: stored }),
      onFailure: fail,
    });

  function tellFlushed(): void {
    while (flushes[0] && (isOver || flushes[0].segments <= heard))
      link.send({ type: 'flushed', context, nonce: flushes.shift()!.nonce });
  }

  async function hear(): Promise<void> {
    const out = createAudioOut({
      context,
      contextNumber,
      utterance,
      texts,
      format: hearing.format,
      metrics: hearing.metrics,
      rateHz,
      from,
      frameSamples: Math.max(1, Math.round(hearing.frameSeconds * sampleRateHz)),
      startSample: options.startSample,
      store: gateway.store,
      link,
      signal,
    });
    // At another rate a sentence is heard from its beginning, whatever of it is sent.
    const begin = rateHz === sampleRateHz ? from : { segment: from.segment, sample: 0 };
    listening = await persist(() => gateway.hear(id, { from: begin, signal }), signal);
    try {
      for await (const piece of listening.pieces) {
        if (textAtMs !== undefined && piece.type === 'audio') {
          const seconds = (performance.now() - textAtMs) / 1000;
          gateway.metrics.timeToFirstAudioSeconds.observe(seconds, { class: utterance.class });
          textAtMs = undefined;
        }
        await out.send(piece);
        if (piece.type !== 'segment') continue;
        heard = piece.segment + 1;
        if (hearing.credit === 'client') untaken.set(piece.segment, piece.samples + piece.pauseSamples);
        else listening.consumed(heard);
        tellFlushed();
      }
      signal.throwIfAborted();
      isOver = true;
      tellFlushed();
      onEnd(heard, out.samples);
    } finally {
      out.close();
      await listening.close();
    }
  }
  void hear().catch(fail);

  return {
    utterance,
    async write(text, at) {
      if (!feed)
        throw new RhapsodeError('utterance_sealed', {
          message: 'the utterance was given its whole text',
          param: 'text',
        });
      if (feed.end === 0) textAtMs = performance.now();
      feed.write(text, at);
      await feed.room();
    },
    flush(nonce) {
      if (flushes.length >= mostFlushes)
        throw new RhapsodeError('rate_limited', {
          message: `${mostFlushes} flushes of the context wait for their audio already`,
          param: 'nonce',
        });
      const mark = { segments: Number.POSITIVE_INFINITY, nonce };
      flushes.push(mark);
      feed?.flush((segments) => {
        mark.segments = segments;
        tellFlushed();
      });
    },
    finish: () => feed?.finish(),
    taken({ segment, sample }) {
      if (hearing.credit !== 'client') return;
      const total = untaken.get(segment);
      const upTo = Math.min(heard, total !== undefined && sample >= total ? segment + 1 : segment);
      for (const index of untaken.keys()) if (index < upTo) untaken.delete(index);
      listening?.consumed(upTo);
    },
    close() {
      stop.abort(new Error('the context has ended'));
      feed?.close();
    },
  };
}

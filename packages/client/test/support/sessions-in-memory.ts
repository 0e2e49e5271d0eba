import { formatPosition, type Position, type RhapsodeError } from '@rhapsode/contracts';
import {
  clientMessage,
  encodeAudioFrame,
  type ParsedClientMessage,
  type ServerMessage,
} from '@rhapsode/contracts/session';

/**
 * Gateways that keep the session protocol, with their sockets, in this process: sentences end at full stops, every sample
 * tells its place, and a test may break what it likes. The real ones are tested end to end.
 */
export const rateHz = 1_000;
export const pauseSamples = 50;
const frameSamples = 70;
const windowSentences = 6;

interface Utterance {
  text: string;
  finished: boolean;
  flushedTo: number;
  cancelled: boolean;
}

/** What a test may do to one connection; each is asked at its moment. */
export interface Faults {
  /** The socket breaks instead of sending this. */
  readonly breaksAt?: (message: ServerMessage | Position) => boolean;
  /** The socket stays open and says nothing instead. */
  readonly fallsSilentAt?: (message: ServerMessage | Position) => boolean;
  /** Sent instead of a frame. */
  readonly alter?: (frame: {
    segment: number;
    firstSample: number;
    pcm: Int16Array;
  }) => { segment: number; firstSample: number; pcm: Int16Array }[];
  readonly refuses?: (message: ParsedClientMessage) => RhapsodeError | undefined;
  /** Said instead of a message. */
  readonly garble?: (message: ServerMessage) => object;
  readonly closeCode?: number;
}

export const sampleAt = (segment: number, offset: number): number =>
  ((segment * 7_919 + offset * 31 + 1) % 30_000) + 1;

export function sentencesOf(text: string): string[] {
  return text.match(/[^.]*\.\s*|[^.]+$/g) ?? [];
}

const lengthOf = (sentence: string) => sentence.trim().length * 20;

/** What an undisturbed listener hears. */
export function expectedPcm(text: string): Int16Array {
  const parts = sentencesOf(text).map((sentence, segment) => {
    const pcm = new Int16Array(lengthOf(sentence) + pauseSamples);
    for (let i = 0; i < lengthOf(sentence); i++) pcm[i] = sampleAt(segment, i);
    return pcm;
  });
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export interface Gateways {
  readonly WebSocket: typeof WebSocket;
  /** What the clients said, connection by connection. */
  readonly heard: ParsedClientMessage[][];
  readonly urls: string[];
  readonly utterances: Map<string, Utterance>;
  /** Sockets that are open. */
  readonly open: number;
  /** Most sentences that were sent beyond the last one taken. */
  readonly mostAhead: number;
}

export function startGateways(faultsOf: (connection: number) => Faults = () => ({})): Gateways {
  const utterances = new Map<string, Utterance>();
  const heard: ParsedClientMessage[][] = [];
  const urls: string[] = [];
  let open = 0;
  let mostAhead = 0;

  class Socket {
    static readonly OPEN = 1;
    readyState = 0;
    binaryType = '';
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: unknown }) => void) | null = null;
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    onerror: (() => void) | null = null;
    readonly connection = heard.length;
    readonly faults = faultsOf(heard.length);
    readonly messages: ParsedClientMessage[] = [];
    utterance: Utterance | undefined;
    id = '';
    at: Position = { segment: 0, sample: 0 };
    sampleBefore = 0;
    taken = 0;
    announced = -1;
    flushes: { nonce: string | number; offset: number }[] = [];
    isSilent = false;
    isEnded = false;

    constructor(url: string) {
      urls.push(url);
      heard.push(this.messages);
      open += 1;
      setTimeout(() => {
        if (this.readyState !== 0) return;
        this.readyState = 1;
        this.say({
          type: 'ready',
          limits: {
            text_bytes: 65_536,
            text_characters: 1_000_000,
            contexts: 1,
            window_sentences: windowSentences,
            idle_seconds: 60,
          },
          voices_default: 'numbers',
        });
        this.pump();
      }, 0);
    }

    send(text: string): void {
      const message = clientMessage.parse(JSON.parse(text));
      this.messages.push(message);
      const refusal = this.faults.refuses?.(message);
      if (refusal) {
        this.say({
          type: 'error',
          context: 'main',
          fatal: false,
          error: { message: refusal.message, type: 'invalid_request_error', param: null, code: refusal.code },
        });
        return;
      }
      setTimeout(() => this.obey(message), 0);
    }

    close(): void {
      if (this.readyState < 2) open -= 1;
      this.readyState = 3;
    }

    break(): void {
      if (this.readyState === 3) return;
      this.close();
      const { closeCode: code = 1006 } = this.faults;
      setTimeout(() => this.onclose?.({ code, reason: '' }), 0);
    }

    /** False: it was not sent, and nothing more is. */
    passes(what: ServerMessage | Position): boolean {
      if (this.readyState !== 1 || this.isSilent) return false;
      if (this.faults.fallsSilentAt?.(what)) this.isSilent = true;
      if (this.faults.breaksAt?.(what)) this.break();
      return this.readyState === 1 && !this.isSilent;
    }

    say(message: ServerMessage): boolean {
      if (!this.passes(message)) return false;
      this.onmessage?.({ data: JSON.stringify(this.faults.garble?.(message) ?? message) });
      return true;
    }

    facts() {
      return {
        context: 'main',
        context_number: 0,
        utterance: this.id,
        voice: 'numbers',
        voice_digest: 'numbers-1',
        sample_rate: rateHz,
        voice_sample_rate: rateHz,
        format: 'pcm_s16le' as const,
        deterministic: true,
      };
    }

    obey(message: ParsedClientMessage): void {
      if (this.readyState !== 1 || this.isSilent) return;
      switch (message.type) {
        case 'open':
          if (utterances.has(message.id!)) {
            this.say({
              type: 'error',
              context: 'main',
              fatal: false,
              error: { message: 'there', type: '', param: null, code: 'utterance_exists' },
            });
            break;
          }
          this.id = message.id!;
          this.utterance = { text: '', finished: false, flushedTo: 0, cancelled: false };
          utterances.set(this.id, this.utterance);
          this.say({ type: 'opened', ...this.facts() });
          break;
        case 'resume':
          this.id = message.utterance;
          this.utterance = utterances.get(this.id)!;
          this.at = message.position;
          this.taken = message.position.segment;
          this.say({
            type: 'resumed',
            ...this.facts(),
            position: formatPosition(this.at),
            offset: this.utterance.text.length,
            text_complete: this.utterance.finished,
          });
          break;
        case 'text': {
          const { text } = this.utterance!;
          if (message.offset !== text.length)
            throw new Error(`text at ${message.offset}, due at ${text.length}`);
          this.utterance!.text += message.text;
          this.say({ type: 'received', context: 'main', offset: this.utterance!.text.length });
          break;
        }
        case 'flush':
          this.utterance!.flushedTo = this.utterance!.text.length;
          this.flushes.push({ nonce: message.nonce, offset: this.utterance!.text.length });
          break;
        case 'finish':
          this.utterance!.finished = true;
          break;
        case 'cancel':
          this.utterance!.cancelled = true;
          this.say({ type: 'cancelled', context: 'main' });
          break;
        case 'taken':
          this.taken = message.position.segment;
      }
      this.pump();
    }

    /** Sends what the text and the client's credit allow. */
    pump(): void {
      const { utterance } = this;
      if (!utterance || utterance.cancelled || this.isEnded) return;
      const all = sentencesOf(utterance.text);
      let start = all.slice(0, this.at.segment).reduce((sum, { length }) => sum + length, 0);
      for (;;) {
        const { segment } = this.at;
        const text = all[segment];
        const end = start + (text?.length ?? 0);
        const isWhole =
          text !== undefined &&
          (end < utterance.text.length || utterance.finished || utterance.flushedTo >= end);
        const flush = this.flushes[0];
        if (
          flush &&
          start >= flush.offset &&
          this.say({ type: 'flushed', context: 'main', nonce: flush.nonce })
        )
          this.flushes.shift();
        if (!isWhole || segment >= this.taken + windowSentences) break;
        mostAhead = Math.max(mostAhead, segment + 1 - this.taken);
        if (!this.sendSentence(text, start, end)) return;
        start = end;
      }
      if (!utterance.finished || this.at.segment < all.length) return;
      this.isEnded = true;
      this.say({
        type: 'end',
        context: 'main',
        segments: all.length,
        samples: expectedPcm(utterance.text).length,
      });
    }

    sendSentence(text: string, start: number, end: number): boolean {
      const { segment } = this.at;
      const samples = lengthOf(text);
      const before = expectedPcm(this.utterance!.text.slice(0, start)).length;
      if (this.announced < segment) {
        this.announced = segment;
        if (
          !this.say({
            type: 'segment_start',
            context: 'main',
            segment,
            start,
            end,
            text,
            spoken: text.trim(),
          })
        )
          return false;
      }
      while (this.at.sample < samples + pauseSamples) {
        const first = this.at.sample;
        const kind = first < samples ? 'audio' : 'pause';
        const length = Math.min(frameSamples, (kind === 'audio' ? samples : samples + pauseSamples) - first);
        const pcm = Int16Array.from({ length }, (_, i) =>
          kind === 'audio' ? sampleAt(segment, first + i) : 0,
        );
        if (!this.passes(this.at)) return false;
        const frame = { segment, firstSample: first, pcm };
        for (const sent of this.faults.alter?.(frame) ?? [frame]) {
          const bytes = encodeAudioFrame({
            kind,
            contextNumber: 0,
            segment: sent.segment,
            firstSample: sent.firstSample,
            samples: sent.pcm.length,
            utteranceSample: before + sent.firstSample,
            pcm: new Uint8Array(sent.pcm.buffer),
          });
          if (this.readyState === 1) this.onmessage?.({ data: bytes.buffer });
        }
        if (this.readyState !== 1) return false;
        this.at = { segment, sample: first + length };
      }
      this.at = { segment: segment + 1, sample: 0 };
      const words = [...text.matchAll(/\S+/g)];
      return this.say({
        type: 'segment_end',
        context: 'main',
        segment,
        samples,
        pause_samples: pauseSamples,
        start_sample: before,
        marks_from: 'estimated',
        marks: words.map((word) => {
          const sample = before + word.index * 20;
          return {
            type: 'word' as const,
            start: start + word.index,
            end: start + word.index + word[0].length,
            sample,
            samples: word[0].length * 20,
            seconds: sample / rateHz,
          };
        }),
      });
    }
  }

  return {
    WebSocket: Socket as unknown as typeof WebSocket,
    heard,
    urls,
    utterances,
    get open() {
      return open;
    },
    get mostAhead() {
      return mostAhead;
    },
  };
}

import { type AudioChunk, createRechunker, type Rechunker } from './audio-chunk.ts';
import { type Boundary, boundariesOf, createBoundaryLine } from './boundaries.ts';
import { type Deferred, deferred } from './deferred.ts';
import { BufferError, CancelledError, StreamError } from './errors.ts';
import { createEvents } from './events.ts';
import { createHandoff } from './handoff.ts';
import type { Playback, Player } from './player.ts';
import { createSession, type SessionItem, type SessionOptions } from './session.ts';
import type { SpeechStream, StreamEvents, StreamSummary } from './speech-stream.ts';
import { changeStreamConfig, fullMark, type StreamConfig } from './stream-config.ts';

export interface SpeechStreamOptions extends Omit<SessionOptions, 'maxTextChunk' | 'onSentence'> {
  readonly config: StreamConfig;
  readonly player?: Player | undefined;
}

export function createSpeechStream(options: SpeechStreamOptions): SpeechStream {
  const { player } = options;
  let config = options.config;
  let state: 'open' | 'finishing' | 'done' | 'failed' = 'open';
  let failure: unknown;
  const finished = deferred<StreamSummary>();
  finished.promise.catch(() => {});

  /** The first half of a character, until the other one is fed. */
  let half = '';
  /** UTF-16 code units of text whose audio was given. */
  let heardText = 0;
  let feeders: Deferred<void>[] = [];

  let playback: Playback | undefined;
  let rechunker: Rechunker | undefined;
  const handoff = createHandoff<AudioChunk>();
  /** Who takes the audio, besides a player. `nobody`: it is told to listeners only, and gone then. */
  let reader: 'none yet' | 'iterator' | 'nobody' = player ? 'nobody' : 'none yet';
  const hasReader = deferred<void>();
  let going: Deferred<void> | undefined;
  let rateHz = 0;
  let samples = 0;
  let segments = 0;

  const events = createEvents<StreamEvents>((event) => {
    if (event === 'chunk') letGo('nobody');
  });
  /** They came while the player was getting ready. */
  const early: Boundary[] = [];
  const tellBoundary = (boundary: Boundary) => events.emit('boundary', boundary);
  const line = createBoundaryLine(tellBoundary);

  const session = createSession({
    ...options,
    maxTextChunk: () => config.maxTextChunk,
    onSentence({ start, end }) {
      const boundaries = boundariesOf(start, end, rateHz);
      if (playback) playback.mark(boundaries);
      else if (player) early.push(...boundaries);
      else line.add(boundaries);
    },
  });
  void pump();

  function letGo(to: 'iterator' | 'nobody'): void {
    if (reader === 'iterator') return;
    if (to === 'iterator' && !player && samples > 0)
      throw new StreamError('invalid_request', {
        message: 'a part of the audio went to listeners before; iterate before you wait or listen',
      });
    reader = to;
    hasReader.resolve();
  }

  async function pump(): Promise<void> {
    try {
      for await (const item of session.read()) await take(item);
      for (const chunk of rechunker?.rest() ?? []) await give(chunk);
      await playback?.end();
      if (isFailed()) return;
      state = 'done';
      handoff.end();
      const { utterance } = session;
      const underruns = playback?.underruns ?? 0;
      const summary = { utterance, segments, samples, seconds: samples / (rateHz || 1), underruns };
      finished.resolve(summary);
      events.emit('end', summary);
    } catch (error) {
      fail(error);
    }
  }

  async function take(item: SessionItem): Promise<void> {
    switch (item.type) {
      case 'start':
        rateHz = item.facts.sampleRateHz;
        rechunker = createRechunker(rateHz, () => config.chunkSize);
        playback = await player?.play({ sampleRateHz: rateHz, onBoundary: tellBoundary });
        playback?.mark(early.splice(0));
        if (isFailed()) playback?.stop();
        else if (going) playback?.pause();
        events.emit('start', item.facts);
        return;
      case 'audio':
        for (const chunk of rechunker!.push({ pcm: item.pcm, segment: item.at.segment })) await give(chunk);
        return;
      case 'segment': {
        const { start, end } = item;
        segments = end.segment + 1;
        playback?.sentenceEnd(state === 'finishing');
        session.taken({ segment: segments, sample: 0 });
        heardText = start.end;
        settleFeeders();
        events.emit('sentence', {
          segment: end.segment,
          text: start.text ?? start.spoken,
          spoken: start.spoken,
          start: start.start,
          end: start.end,
          duration: (end.samples + end.pause_samples) / rateHz,
          samples: end.samples,
          pauseSamples: end.pause_samples,
        });
      }
    }
  }

  async function give(chunk: AudioChunk): Promise<void> {
    // A player pauses by itself, and at once.
    if (playback) await playback.write(chunk);
    else {
      await hasReader.promise;
      while (going) await going.promise;
    }
    if (isFailed()) return;
    if (reader === 'iterator') await handoff.put(chunk);
    if (isFailed()) return;
    samples = chunk.sample + chunk.pcm.length;
    events.emit('chunk', chunk);
    if (!playback) line.reach(samples);
  }

  function fail(error: unknown): void {
    if (state === 'failed' || state === 'done') return;
    state = 'failed';
    failure = error;
    playback?.stop();
    handoff.fail(error);
    hasReader.resolve();
    resume();
    for (const feeder of feeders.splice(0)) feeder.reject(error);
    finished.reject(error);
    if (!(error instanceof CancelledError)) events.emit('error', error);
  }

  /** Asked anew behind every wait. */
  const isFailed = () => state === 'failed';
  const waitingText = () => session.fed + half.length - heardText;
  const isFull = () => waitingText() >= fullMark(config);

  function settleFeeders(): void {
    if (isFull()) return;
    for (const feeder of feeders) feeder.resolve();
    feeders = [];
  }

  function checkOpen(): void {
    if (state === 'failed') throw failure;
    if (state !== 'open')
      throw new StreamError('utterance_sealed', {
        message: 'the stream takes no more text: done() was called',
      });
  }

  function room(): Promise<void> {
    if (!isFull()) return Promise.resolve();
    const feeder = deferred<void>();
    feeder.promise.catch(() => {});
    feeders.push(feeder);
    return feeder.promise;
  }

  function checkHalf(): void {
    if (half !== '')
      throw new StreamError('invalid_encoding', {
        message: 'the text ends with the first half of a character (a lone surrogate)',
      });
  }

  function resume(): void {
    going?.resolve();
    going = undefined;
  }

  function stop(): void {
    if (state === 'done' || state === 'failed') return;
    const error = new CancelledError('cancelled', { message: 'the stream was stopped' });
    session.cancel(error);
    fail(error);
  }

  return {
    on: events.on,
    off: events.off,
    once: events.once,
    utterance: session.utterance,
    get underruns() {
      return playback?.underruns ?? 0;
    },
    feed(text) {
      checkOpen();
      if (typeof text !== 'string')
        throw new StreamError('invalid_request', { message: 'what is fed must be a string' });
      if (waitingText() >= config.bufferSize)
        throw new BufferError('invalid_request', {
          message:
            `${waitingText()} characters wait to be spoken and heard, and the stream holds ${config.bufferSize}; ` +
            'wait for what feed() returns, or ask bufferFull() before',
        });
      let whole = half + text;
      half = /[\ud800-\udbff]$/.exec(whole)?.[0] ?? '';
      whole = whole.slice(0, whole.length - half.length);
      if (!whole.isWellFormed())
        throw new StreamError('invalid_encoding', {
          message: 'the text has half a character (a lone surrogate)',
        });
      if (whole !== '') session.send(whole);
      return room();
    },
    flush() {
      checkOpen();
      checkHalf();
      return session.flush();
    },
    done() {
      if (state !== 'open') return;
      checkHalf();
      state = 'finishing';
      session.finish();
    },
    waitUntilDone() {
      if (reader === 'none yet') letGo('nobody');
      return finished.promise;
    },
    bufferFull: isFull,
    setStreamConfig(changes) {
      config = changeStreamConfig(config, changes);
      settleFeeders();
    },
    pause() {
      if (going || state === 'done' || state === 'failed') return;
      going = deferred<void>();
      playback?.pause();
    },
    resume() {
      resume();
      playback?.resume();
    },
    stop,
    close: stop,
    async [Symbol.asyncDispose]() {
      stop();
    },
    [Symbol.asyncIterator]() {
      letGo('iterator');
      return {
        next: handoff.take,
        async return() {
          stop();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

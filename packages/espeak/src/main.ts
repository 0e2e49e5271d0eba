import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { createEspeakNg, type EspeakNg, phonemeTextLimit, sampleRateHz, type Word } from './espeak-ng.ts';
import { createSystemEspeakNg } from './system-espeak-ng.ts';

/**
 * espeak-ng as a program: requests on standard input, answers on standard output, one after the other in order.
 *
 * A request is one line of JSON:
 *   {"id":1,"op":"hello"}
 *   {"id":2,"op":"voices"}
 *   {"id":3,"op":"phonemes","voice":"en-us","texts":["Hello there"]}          at most 2000 characters each
 *   {"id":4,"op":"synthesize","voice":"en-us","text":"Hello","rate":175,"pitch":50}
 *
 * An answer is one line of JSON with the request's id, followed by `bytes` bytes of binary if it says so. The last answer
 * to a request has `"done":true`:
 *   {"id":1,"done":true,"version":"…","sampleRateHz":22050}
 *   {"id":2,"done":true,"voices":[{"id":"en-us","name":"…","languages":["en-us"]}]}
 *   {"id":3,"done":true,"phonemes":[["h_ə_l_ˈoʊ ð_ˈɛɹ"]]}                      per text its clauses
 *   {"id":4,"bytes":4412,"words":[{"start":0,"end":5,"ms":0}]}                 PCM: signed 16-bit little-endian, mono
 *   {"id":4,"done":true}
 *   {"id":5,"done":true,"error":"unknown_voice","message":"…"}                 or bad_request
 *
 * The end of standard input ends the program. Its one argument is the path of an espeak-ng of the machine, to be used instead
 * of the one that comes with this package; it tells no times of words.
 */
interface Request {
  readonly id: number;
  readonly op: string;
  readonly voice?: string;
  readonly text?: string;
  readonly texts?: string[];
  readonly rate?: number;
  readonly pitch?: number;
}

const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Waits where the pipe is full: nothing piles up in here. */
function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(asleep, 0, 0, 1);
    }
  }
}

function answer(fields: Record<string, unknown>, pcm?: Int16Array): void {
  const bytes = pcm === undefined ? Buffer.alloc(0) : littleEndian(pcm);
  const line = JSON.stringify(pcm === undefined ? fields : { ...fields, bytes: bytes.length });
  write(Buffer.concat([Buffer.from(`${line}\n`), bytes]));
}

const bigEndianMachine = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;
function littleEndian(pcm: Int16Array): Buffer {
  const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return bigEndianMachine ? Buffer.from(bytes).swap16() : bytes;
}

const inRange = (value: number | undefined, fallback: number, min: number, max: number): number => {
  if (value === undefined) return fallback;
  if (!(value >= min && value <= max)) throw new Error(`a number is not in ${min} to ${max}`);
  return Math.round(value);
};

function serve(espeak: EspeakNg, request: Request): void {
  const { id, voice = 'en-us' } = request;
  const unknownVoice = () =>
    answer({ id, done: true, error: 'unknown_voice', message: `there is no voice ${voice}` });
  switch (request.op) {
    case 'hello':
      answer({ id, done: true, version: espeak.version, sampleRateHz });
      return;
    case 'voices':
      answer({ id, done: true, voices: espeak.voices() });
      return;
    case 'phonemes': {
      const texts = request.texts ?? [];
      if (texts.some((text) => text.length > phonemeTextLimit))
        throw new Error(`a text is longer than ${phonemeTextLimit} characters`);
      const phonemes = texts.map((text) => espeak.phonemes(voice, text));
      if (phonemes.includes(undefined)) unknownVoice();
      else answer({ id, done: true, phonemes });
      return;
    }
    case 'synthesize': {
      let words: Word[] = [];
      const known = espeak.synthesize(
        {
          voice,
          text: request.text ?? '',
          rate: inRange(request.rate, 175, 80, 450),
          pitch: inRange(request.pitch, 50, 0, 100),
        },
        (pcm, more) => {
          words = [...words, ...more];
          if (pcm.length === 0) return;
          answer({ id, words }, pcm);
          words = [];
        },
      );
      if (known) answer({ id, done: true });
      else unknownVoice();
      return;
    }
    default:
      throw new Error(`unknown op ${request.op}`);
  }
}

/** Ends the process when the one that started it is gone, even while this thread is caught in a sentence. */
const watch = `const parent = process.ppid;
setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 1000);`;
new Worker(watch, { eval: true }).unref();

// A terminal's Ctrl-C is for the program that started this one.
process.on('SIGINT', () => {});
const [, , ofTheSystem] = process.argv;
const espeak = ofTheSystem === undefined ? await createEspeakNg() : createSystemEspeakNg(ofTheSystem);
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() === '') continue;
  let id = 0;
  let failed = false;
  try {
    const request = JSON.parse(line) as Request;
    id = request.id;
    serve(espeak, request);
  } catch (error) {
    failed = true;
    const message = error instanceof Error ? error.message.slice(0, 200) : 'failed';
    answer({ id, done: true, error: 'bad_request', message });
  }
  await espeak.renew(failed);
}

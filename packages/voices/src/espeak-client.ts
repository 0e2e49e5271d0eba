import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { RhapsodeError } from '@rhapsode/contracts';
import { z } from 'zod';

export interface EspeakWord {
  readonly start: number;
  readonly end: number;
  readonly ms: number;
}

export interface EspeakAnswer {
  readonly id: number;
  readonly done?: boolean;
  readonly bytes?: number;
  readonly words?: EspeakWord[];
  readonly phonemes?: string[][];
  readonly voices?: { id: string; name: string; languages: string[] }[];
  readonly version?: string;
  readonly error?: string;
  readonly message?: string;
  readonly pcm?: Int16Array;
}

export interface EspeakClient {
  /** All answers to one request. What is not taken waits here: at most a sentence. */
  ask(request: Record<string, unknown>): AsyncIterable<EspeakAnswer>;
  /** The last answer. */
  askOnce(request: Record<string, unknown>): Promise<EspeakAnswer>;
  close(): Promise<void>;
}

/**
 * Speaks with the program of the package `@rhapsode/espeak` over its pipes. The program is under the GPL and separate: nothing of it is
 * imported here. It is started at the first request and started anew after it has died, which fails the
 * requests that were open.
 */
export function createEspeakClient(ofTheSystem?: string): EspeakClient {
  let child: ChildProcess | undefined;
  let nextId = 1;
  let closed = false;
  const open = new Map<number, (answer: EspeakAnswer | Error) => void>();

  function start(): ChildProcess {
    const program = createRequire(import.meta.url).resolve('@rhapsode/espeak/program');
    const started = spawn(process.execPath, ofTheSystem === undefined ? [program] : [program, ofTheSystem], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {},
    });
    const read = createAnswerReader((answer) => {
      open.get(answer.id)?.(answer);
    });
    started.stdout!.on('data', read);
    started.stdin!.on('error', () => {});
    const gone = () => {
      if (child !== started) return;
      child = undefined;
      const error = new RhapsodeError('engine_crashed', { message: 'espeak-ng has ended' });
      for (const deliver of [...open.values()]) deliver(error);
    };
    started.once('error', gone);
    started.once('exit', gone);
    started.stdout!.once('close', gone);
    return started;
  }

  async function* ask(request: Record<string, unknown>): AsyncGenerator<EspeakAnswer> {
    if (closed) throw new RhapsodeError('draining');
    const id = nextId++;
    const inbox: (EspeakAnswer | Error)[] = [];
    let wake = () => {};
    open.set(id, (answer) => {
      inbox.push(answer);
      wake();
    });
    try {
      child ??= start();
      child.stdin!.write(`${JSON.stringify({ ...request, id })}\n`);
      for (;;) {
        const answer = inbox.shift();
        if (answer === undefined) {
          const woken = Promise.withResolvers<void>();
          wake = woken.resolve;
          await woken.promise;
          continue;
        }
        if (answer instanceof Error) throw answer;
        if (answer.error !== undefined)
          throw new RhapsodeError('synthesis_failed', { message: `espeak-ng: ${answer.message}` });
        yield answer;
        if (answer.done) return;
      }
    } finally {
      open.delete(id);
    }
  }

  return {
    ask,
    async askOnce(request) {
      let last: EspeakAnswer | undefined;
      for await (const answer of ask(request)) last = answer;
      return last!;
    },
    async close() {
      closed = true;
      const running = child;
      if (running === undefined) return;
      const exited = new Promise((resolve) => running.once('exit', resolve));
      running.stdin!.end();
      running.kill('SIGKILL');
      await exited;
    },
  };
}

/** The program costs some memory: all voices of a process use one, for as long as one of them is loaded. */
export interface SharedEspeak {
  acquire(): EspeakClient;
  release(): Promise<void>;
  listing(): Promise<EspeakListing>;
}

/** What the program speaks, and its version: it decides the sound, and so belongs to the digest of every voice that uses it. */
export interface EspeakListing {
  readonly version: string;
  readonly voices: readonly { readonly id: string; readonly name: string }[];
  /** Whether it tells when each word is spoken. */
  readonly tellsTimes: boolean;
}

/** @param ofTheSystem Path of an espeak-ng of the machine; by default the one that comes with us. */
export function shareEspeak(ofTheSystem?: string): SharedEspeak {
  let client: EspeakClient | undefined;
  let users = 0;
  let listing: Promise<EspeakListing> | undefined;
  return {
    acquire() {
      users++;
      client ??= createEspeakClient(ofTheSystem);
      return client;
    },
    async release() {
      if (--users > 0) return;
      const last = client;
      client = undefined;
      await last?.close();
    },
    listing() {
      listing ??= ofTheSystem === undefined ? readListing() : askListing(ofTheSystem);
      return listing;
    },
  };
}

const listingFile = z.object({
  version: z.string(),
  voices: z.array(z.object({ id: z.string(), name: z.string() })),
});

/** From a file beside the program: listing voices starts no process. */
async function readListing(): Promise<EspeakListing> {
  const path = createRequire(import.meta.url).resolve('@rhapsode/espeak/voices.json');
  return { ...listingFile.parse(JSON.parse(await readFile(path, 'utf8'))), tellsTimes: true };
}

async function askListing(program: string): Promise<EspeakListing> {
  const client = createEspeakClient(program);
  try {
    const { version = '' } = await client.askOnce({ op: 'hello' });
    const { voices = [] } = await client.askOnce({ op: 'voices' });
    return { version, voices, tellsTimes: false };
  } catch (cause) {
    throw new RhapsodeError('config_invalid', {
      message: `RHAPSODE_ESPEAK: ${program} is no espeak-ng that can be run`,
      cause,
    });
  } finally {
    await client.close();
  }
}

/** Cuts the program's output into answers: a line of JSON, then the bytes it announces. */
export function createAnswerReader(deliver: (answer: EspeakAnswer) => void): (data: Uint8Array) => void {
  let rest: Buffer = Buffer.alloc(0);
  let head: EspeakAnswer | undefined;
  return (data) => {
    rest = rest.length === 0 ? Buffer.from(data) : Buffer.concat([rest, data]);
    for (;;) {
      if (head === undefined) {
        const end = rest.indexOf(10);
        if (end < 0) return;
        head = JSON.parse(rest.toString('utf8', 0, end)) as EspeakAnswer;
        rest = rest.subarray(end + 1);
      }
      const bytes = head.bytes ?? 0;
      if (rest.length < bytes) return;
      deliver(bytes === 0 ? head : { ...head, pcm: readPcm(rest, bytes) });
      rest = rest.subarray(bytes);
      head = undefined;
    }
  };
}

function readPcm(from: Buffer, bytes: number): Int16Array {
  const pcm = new Int16Array(bytes / 2);
  for (let i = 0; i < pcm.length; i++) pcm[i] = from.readInt16LE(i * 2);
  return pcm;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

interface Answer {
  readonly fields: Record<string, unknown>;
  readonly pcm: Buffer;
}

let child: ChildProcess;
let received: Buffer = Buffer.alloc(0);
const program = new URL('../src/main.ts', import.meta.url).pathname;

function start(args: string[]): void {
  received = Buffer.alloc(0);
  child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout!.on('data', (data: Buffer) => {
    received = Buffer.concat([received, data]);
  });
}
beforeAll(() => start([]));
afterAll(() => void child.kill('SIGKILL'));

/** Reads the program's output as its documentation says, without any of our own client's code. */
async function ask(request: Record<string, unknown> | string): Promise<Answer[]> {
  received = Buffer.alloc(0);
  child.stdin!.write(`${typeof request === 'string' ? request : JSON.stringify(request)}\n`);
  const answers: Answer[] = [];
  let at = 0;
  await vi.waitFor(
    () => {
      for (;;) {
        const end = received.indexOf(10, at);
        if (end < 0) throw new Error('no whole line yet');
        const fields = JSON.parse(received.toString('utf8', at, end)) as Record<string, unknown>;
        const bytes = Number(fields.bytes ?? 0);
        if (received.length < end + 1 + bytes) throw new Error('not all bytes yet');
        answers.push({ fields, pcm: received.subarray(end + 1, end + 1 + bytes) });
        at = end + 1 + bytes;
        if (fields.done) return;
      }
    },
    { timeout: 20_000, interval: 5 },
  );
  return answers;
}
const sound = (answers: Answer[]) => Buffer.concat(answers.map((answer) => answer.pcm)).toString('base64');
const phonemes = async (voice: string, texts: string[]) =>
  (await ask({ id: 1, op: 'phonemes', voice, texts })).at(-1)!.fields.phonemes;

it('lists its version and voices as its listing file has them', async () => {
  const listing = JSON.parse(readFileSync(new URL('../voices.json', import.meta.url), 'utf8'));
  const [hello] = await ask({ id: 1, op: 'hello' });
  expect(hello!.fields).toEqual({ id: 1, done: true, version: listing.version, sampleRateHz: 22_050 });
  const [answer] = await ask({ id: 2, op: 'voices' });
  const ids = (answer!.fields.voices as { id: string }[]).map((voice) => voice.id);
  expect([...new Set(ids)].sort()).toEqual(listing.voices.map((voice: { id: string }) => voice.id).sort());
  for (const id of ids) {
    const { fields } = (await ask({ id: 3, op: 'phonemes', voice: id, texts: ['1'] })).at(-1)!;
    expect([id, fields.error]).toEqual([id, undefined]);
  }
});

it('gives the phonemes of each text clause by clause', async () => {
  expect(await phonemes('en-us', ['Hello there, world.', '', 'Yes?'])).toEqual([
    ['h_ə_l_ˈoʊ ð_ˈɛɹ', 'w_ˈɜː_l_d'],
    [],
    ['j_ˈɛ_s'],
  ]);
  expect(await phonemes('de', ['Guten Tag'])).toEqual([['ɡ_ˈuː_t_ə_n t_ˈɑː_k']]);
});

it('streams a sentence with its words in their places', async () => {
  const text = 'Naïve 😀 quoted <b> & words';
  const answers = await ask({ id: 7, op: 'synthesize', voice: 'en-us', text });
  expect(answers.every((answer) => answer.fields.id === 7)).toBe(true);
  expect(answers.length).toBeGreaterThan(10);
  const words = answers.flatMap((answer) => answer.fields.words ?? []) as {
    start: number;
    end: number;
    ms: number;
  }[];
  const spoken = words.map(({ start, end }) => text.slice(start, end)).filter((word) => word.trim() !== '');
  expect(spoken).toContain('Naïve');
  expect(spoken).toContain('quoted');
  expect(spoken).toContain('words');
  expect(words.map((word) => word.ms)).toEqual(words.map((word) => word.ms).sort((a, b) => a - b));
});

it('makes the same sound for the same request, whatever came before', async () => {
  const request = { id: 1, op: 'synthesize', voice: 'en-us', text: 'A test of sameness, once more.' };
  const first = sound(await ask(request));
  expect(first.length).toBeGreaterThan(50_000);
  for (const before of [
    { id: 2, op: 'synthesize', voice: 'de', text: 'Etwas ganz anderes.', rate: 300, pitch: 90 },
    { id: 3, op: 'phonemes', voice: 'fr-fr', texts: ['Bonjour'] },
    { id: 4, op: 'synthesize', voice: 'ja', text: 'ねこ' },
  ]) {
    await ask(before);
    expect(sound(await ask(request))).toBe(first);
  }
});

it('survives texts that overflow the tables of espeak-ng', async () => {
  const before = await phonemes('en-us', ['Hello.']);
  for (const text of [
    'internationalization '.repeat(90),
    'Z'.repeat(1900),
    '😀'.repeat(900),
    '世界'.repeat(900),
  ])
    expect(JSON.stringify(await phonemes('en-us', [text])).length).toBeGreaterThan(text.length);
  expect(await phonemes('en-us', ['Hello.'])).toEqual(before);
});

it('answers what it can’t do with an error, and goes on', async () => {
  for (const [request, error] of [
    ['not json', 'bad_request'],
    [{ id: 1, op: 'dance' }, 'bad_request'],
    [{ id: 1, op: 'synthesize', text: 'x', rate: 1e9 }, 'bad_request'],
    [{ id: 1, op: 'synthesize', text: 'x', voice: 'no-such' }, 'unknown_voice'],
    [{ id: 1, op: 'phonemes', texts: ['x'], voice: 'no-such' }, 'unknown_voice'],
    [{ id: 1, op: 'phonemes', texts: ['x'.repeat(10_000)] }, 'bad_request'],
  ] as const)
    expect((await ask(request)).at(-1)!.fields).toMatchObject({ done: true, error });
  expect(await phonemes('en-us', ['Hello.'])).toEqual([['h_ə_l_ˈoʊ']]);
});

it('ends when its input ends', async () => {
  const other = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'inherit'] });
  const code = new Promise((resolve) => other.once('exit', resolve));
  other.stdin!.end();
  expect(await code).toBe(0);
});

it('reads and speaks with the espeak-ng of the machine instead, where it is told its path', async () => {
  child.kill('SIGKILL');
  const fake = join(mkdtempSync(join(tmpdir(), 'rhapsode-espeak-')), 'espeak-ng');
  // Answers as espeak-ng 1.51 does on its command line; the real one is tried where the machine has it.
  const real = '/usr/bin/espeak-ng';
  const path = existsSync(real) ? real : fake;
  writeFileSync(
    fake,
    `#!/bin/sh
case "$*" in
  *--version*) echo 'eSpeak NG text-to-speech: 1.51  Data at: /usr/share/espeak-ng-data';;
  *--voices*) printf 'Pty Language Age/Gender VoiceName File Other Languages\\n 5  en-us --/M English_(America) gmw/en-US (en 3)\\n';;
  *nobody*) echo 'Error: The specified espeak-ng voice does not exist.' >&2; exit 1;;
  *--ipa*) printf ' h_ə_l_ˈoʊ ð_ˈɛɹ\\n w_ˈɜː_l_d\\n';;
  *) { printf 'RIFFxxxxWAVEfmt \\020\\000\\000\\000\\001\\000\\001\\000\\042\\126\\000\\000xxxx\\002\\000\\020\\000dataxxxx'; head -c 20000 /dev/zero | tr '\\000' x; };;
esac
`,
    { mode: 0o755 },
  );
  start([path]);
  const [hello] = await ask({ id: 1, op: 'hello' });
  expect(hello!.fields.version).toMatch(/^espeak-ng \d+\.\d+.* of the system$/);
  const [{ fields }] = (await ask({ id: 2, op: 'voices' })) as [Answer];
  expect((fields.voices as { id: string }[]).map((voice) => voice.id)).toContain('en-us');
  expect(await phonemes('en-us', ['Hello there, world.', ''])).toEqual([
    ['h_ə_l_ˈoʊ ð_ˈɛɹ', 'w_ˈɜː_l_d'],
    [],
  ]);
  const spoken = await ask({ id: 3, op: 'synthesize', voice: 'en-us', text: 'Hello there, world.' });
  expect(Buffer.concat(spoken.map((answer) => answer.pcm)).length).toBeGreaterThanOrEqual(20_000);
  for (const op of ['phonemes', 'synthesize']) {
    const [answer] = await ask({ id: 4, op, voice: 'nobody', text: 'Hello', texts: ['Hello'] });
    expect(answer!.fields.error).toBe('unknown_voice');
  }
});

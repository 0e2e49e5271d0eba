import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type AudioFrame,
  audioFrameHeaderBytes,
  clientMessage,
  decodeAudioFrame,
  encodeAudioFrame,
  type ServerMessage,
  serverMessage,
} from '../src/session.ts';

const frame: AudioFrame = {
  kind: 'pause',
  contextNumber: 0xfffe,
  segment: 0xfffffffe,
  firstSample: 4_000_000_001,
  samples: 2,
  utteranceSample: Number.MAX_SAFE_INTEGER,
  pcm: new Uint8Array([1, 2, 3, 4]),
};

test('an audio frame comes back as it was sent', () => {
  const bytes = encodeAudioFrame(frame);
  expect(decodeAudioFrame(bytes)).toEqual(frame);
  expect(decodeAudioFrame(bytes.buffer)).toEqual(frame);
  const within = new Uint8Array(bytes.length + 3);
  within.set(bytes, 3);
  expect(decodeAudioFrame(within.subarray(3))).toEqual(frame);
});

test('an audio frame is laid out as the protocol says', () => {
  const bytes = encodeAudioFrame({
    ...frame,
    kind: 'audio',
    contextNumber: 0x0102,
    segment: 0x03040506,
    firstSample: 0x0708090a,
    samples: 0x0b0c0d0e,
    utteranceSample: 0x0f1011,
  });
  expect(Buffer.from(bytes).toString('hex')).toBe(
    '010001020304050607 08090a0b0c0d0e00000000000f101101020304'.replace(' ', ''),
  );
});

test('what is no audio frame is refused', () => {
  const whole = encodeAudioFrame(frame);
  const changed = (at: number, byte: number) => Uint8Array.from(whole, (old, i) => (i === at ? byte : old));
  for (const bytes of [
    whole.subarray(0, audioFrameHeaderBytes - 1),
    new Uint8Array(0),
    changed(0, 2),
    changed(1, 2),
    changed(16, 0xff),
  ])
    expect(() => decodeAudioFrame(bytes)).toThrow('audio frame');
});

test('a message of a client is read with its context, and its position in parts', () => {
  expect(clientMessage.parse({ type: 'text', text: 'Hello' })).toEqual({
    type: 'text',
    context: 'main',
    text: 'Hello',
  });
  expect(clientMessage.parse({ type: 'taken', context: 'a', position: '3:4410' })).toMatchObject({
    position: { segment: 3, sample: 4410 },
  });
});

test.for([
  { type: 'shout' },
  { type: 'text' },
  { type: 'text', text: 'a', more: 1 },
  { type: 'text', text: 'a', offset: -1 },
  { type: 'text', text: 'a', context: '' },
  { type: 'flush' },
  { type: 'flush', nonce: 'x'.repeat(65) },
  { type: 'resume', utterance: 'abcdefgh', position: '3' },
  { type: 'resume', utterance: 'not ours', position: '0:0' },
  { type: 'open', format: 'mp3' },
  { type: 'open', sample_rate: 1 },
])('a client that says %o is refused', (message) => {
  expect(clientMessage.safeParse(message).success).toBe(false);
});

test('what a later server says besides is ignored', () => {
  const end: ServerMessage = { type: 'end', context: 'main', segments: 2, samples: 9 };
  expect(serverMessage.parse({ ...end, mood: 'good' })).toEqual(end);
});

test('nothing in this package needs more than a browser has', () => {
  const folder = new URL('../src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(10);
  const foreign = files.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const found = /\bfrom '(?!\.|zod')[^']*'|\b(?:Buffer|process|require|setImmediate|NodeJS)\b[.(]\w/.exec(
      text,
    );
    return found ? [`${name}: ${found[0]}`] : [];
  });
  expect(foreign).toEqual([]);
});

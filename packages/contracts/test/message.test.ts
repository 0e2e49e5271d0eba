import { expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope, type LogMessage, type Mark, noPcm } from '../src/index.ts';

const phonemes = (count: number): Mark[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: 'phoneme',
    text: 'ɔ̃',
    firstSample: i * 1000,
    samples: 1000,
  }));

const segmentEnd = (marks: Mark[]): LogMessage => ({
  kind: 'segment-end',
  segment: 3,
  epoch: 65_537,
  chunks: 40,
  samples: 900_000,
  pauseSamples: 4410,
  digest: 'a'.repeat(64),
  marksFrom: 'model',
  marks,
  synthesisMs: 12.5,
  queueMs: 1,
});

const audio: LogMessage = {
  kind: 'audio',
  segment: 3,
  epoch: 65_537,
  chunk: 0,
  firstSample: 0,
  samples: 2,
  prefixDigest: '0123456789abcdef',
  timing: { elapsedMs: 12.5, firstChunkMs: 12.5, queueMs: 0 },
};

test('a message comes back as it was sent', () => {
  const pcm = Uint8Array.of(1, 2, 3, 4);
  for (const sent of [
    { message: audio, pcm },
    { message: segmentEnd(phonemes(3)), pcm: noPcm },
    { message: { kind: 'utterance-end', segments: 7 } as const, pcm: noPcm },
  ]) {
    const { header, payload } = encodeEnvelope(sent);
    expect(decodeEnvelope(header, payload)).toEqual(sent);
  }
});

test('the marks of a very long sentence make no header longer than a bus may keep', () => {
  const message = segmentEnd(phonemes(5000));
  const { header, payload } = encodeEnvelope({ message, pcm: noPcm });
  expect(Buffer.byteLength(header)).toBeLessThan(64);
  expect(payload.byteLength).toBeGreaterThan(64 * 1024);
  expect(decodeEnvelope(header, payload)).toEqual({ message, pcm: noPcm });
});

test('a message just below the limit stays in the header', () => {
  for (let marks = 100; marks < 700; marks += 7) {
    const { header, payload } = encodeEnvelope({ message: segmentEnd(phonemes(marks)), pcm: noPcm });
    expect(Buffer.byteLength(header)).toBeLessThanOrEqual(32_768);
    expect(decodeEnvelope(header, payload).message).toEqual(segmentEnd(phonemes(marks)));
  }
});

test.each([
  ['no header', undefined, noPcm, /no readable header/],
  ['a header that is not JSON', '{', noPcm, /no readable header/],
  ['another version', '{"v":2,"kind":"utterance-end","segments":1}', noPcm, /version 2 is not 1/],
  ['an unknown kind', '{"v":1,"kind":"noise"}', noPcm, /malformed/],
  [
    'PCM that is too short',
    encodeEnvelope({ message: audio, pcm: noPcm }).header,
    noPcm,
    /0 bytes of PCM, not 4/,
  ],
  [
    'PCM that has no place',
    '{"v":1,"kind":"utterance-end","segments":1}',
    Uint8Array.of(1),
    /1 bytes of PCM, not 0/,
  ],
  ['an empty payload where the fields should be', '{"v":1,"fields":"payload"}', noPcm, /no readable header/],
])('refuses %s', (_, header, payload, message) => {
  expect(() => decodeEnvelope(header, payload)).toThrow(
    expect.objectContaining({ code: 'bad_message', message: expect.stringMatching(message) }),
  );
});

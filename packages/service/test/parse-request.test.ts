import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseRequest } from '../src/parse-request.ts';

const schema = z.strictObject({
  text: z.string(),
  voice: z.union([z.string(), z.strictObject({ id: z.string() })]).optional(),
  speed: z.number().default(1),
  loudness: z.number().nullable().optional(),
  more: z.strictObject({ seed: z.int().optional() }).default({}),
  rules: z.array(z.strictObject({ word: z.string(), alias: z.string().optional() })).optional(),
});
const refusal = (value: unknown) => {
  try {
    parseRequest(schema, value);
  } catch (error) {
    return error;
  }
};

describe('parseRequest', () => {
  it('takes null in an optional field as if the field were not there, however deep it is', () => {
    const sent = {
      text: 'a',
      voice: null,
      speed: null,
      more: { seed: null },
      rules: [{ word: 'b', alias: null }],
    };
    const before = structuredClone(sent);
    expect(parseRequest(schema, sent)).toEqual({ text: 'a', speed: 1, more: {}, rules: [{ word: 'b' }] });
    expect(sent).toEqual(before);
    expect(parseRequest(schema, { text: 'a', more: null })).toEqual({ text: 'a', speed: 1, more: {} });
  });

  it('leaves null where it means something', () => {
    expect(parseRequest(schema, { text: 'a', speed: null, loudness: null })).toMatchObject({
      loudness: null,
    });
  });

  it('says that null stands where something is needed, and not that it is missing', () => {
    expect(refusal({ text: null, speed: null })).toMatchObject({
      code: 'invalid_request',
      param: 'text',
      message: expect.stringContaining('null'),
    });
    expect(refusal({ text: 'a', rules: [{ word: null, alias: null }] })).toMatchObject({
      param: 'rules.0.word',
    });
    expect(refusal({ text: 'a', rules: [null] })).toMatchObject({ param: 'rules.0' });
    expect(refusal(null)).toMatchObject({ code: 'invalid_request' });
  });

  it('says what may stand where nothing of several kinds does', () => {
    expect(refusal({ text: 'a', voice: 5 })).toMatchObject({
      param: 'voice',
      message: expect.stringContaining('expected string or object'),
    });
  });

  it('names the field that is wrong when others are null', () => {
    expect(refusal({ text: 'a', speed: 'fast', voice: null })).toMatchObject({ param: 'speed' });
    expect(refusal({ text: 'a', voice: null, colour: null })).toMatchObject({
      code: 'unknown_field',
      param: 'colour',
    });
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bookCover } from '@rhapsode/book';
import { RhapsodeError } from '@rhapsode/contracts';
import { checkText, decodeText, parseJson, parseRequest } from '@rhapsode/service';
import { z } from 'zod';
import { endingOf, titleOfName } from './upload.ts';

const parts = z.looseObject({
  text: z.string().optional(),
  document: z.strictObject({ name: z.string().max(500).default(''), base64: z.base64() }).optional(),
  cover: bookCover.optional(),
});

export interface Unpacked {
  readonly settings: Record<string, unknown>;
  readonly path: string;
  readonly name: string | undefined;
  readonly cover: { readonly mediaType: string; readonly path: string } | undefined;
}

/** Takes a JSON request apart: its text and its cover become files beside it. */
export async function unpackJson(path: string, dir: string): Promise<Unpacked> {
  const body = parseJson(decodeText(await readFile(path)));
  const { text, document, cover, ...settings } = parseRequest(parts, body);
  if ((text === undefined) === (document === undefined))
    throw new RhapsodeError('invalid_request', {
      message: "a book needs either 'text' or 'document' (with 'base64' and a 'name')",
      param: 'text',
    });
  let manuscript: string;
  if (text !== undefined) {
    checkText(text, 'text');
    manuscript = join(dir, 'manuscript.txt');
    await writeFile(manuscript, text);
  } else {
    manuscript = join(dir, `manuscript${endingOf(document!.name)}`);
    await writeFile(manuscript, Buffer.from(document!.base64, 'base64'));
  }
  const name = document && titleOfName(document.name);
  if (!cover) return { settings, path: manuscript, name, cover: undefined };
  const picture = join(dir, 'cover');
  await writeFile(picture, Buffer.from(cover.base64, 'base64'));
  return { settings, path: manuscript, name, cover: { mediaType: cover.type, path: picture } };
}

import { type Problem, renderBook, type VerifySource, verifyBook } from '@rhapsode/book';
import { renderFiles } from '@rhapsode/book/run/render-files';
import { readWhole } from '@rhapsode/store';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { beforeAll, describe, expect, it } from 'vitest';
import { singBook, songs } from './support/book.ts';

const place = 'Ann Author/The Song/';
let whole: Map<string, Buffer>;

beforeAll(async () => {
  const store = createMemoryArtefacts();
  const deps = { outputs: renderFiles(store, 'files/'), parts: renderFiles(store, 'parts/') };
  const outputs = { audio: ['m4b', 'flac', 'wav'], captions: ['srt'] };
  await renderBook(singBook(songs(2, 2, 0.3), { outputs }), deps);
  whole = new Map();
  for await (const { key } of store.list('files/'))
    whole.set(key.slice('files/'.length), (await readWhole(store, key))!);
});

async function verify(files: ReadonlyMap<string, Buffer>): Promise<readonly Problem[]> {
  async function* once(bytes: Buffer) {
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  }
  const source: VerifySource = {
    readManifest: async () => files.get(`${place}book.json`)!,
    async read(path) {
      const bytes = files.get(new URL(path, `file:///${place}`).pathname.slice(1).replaceAll('%20', ' '));
      return bytes && once(bytes);
    },
  };
  const { problems } = await verifyBook(source);
  return problems;
}

const changed = (name: string, change: (bytes: Buffer) => Buffer | undefined) => {
  const files = new Map(whole);
  const bytes = change(Buffer.from(files.get(name)!));
  if (bytes) files.set(name, bytes);
  else files.delete(name);
  return files;
};
const edited = (change: (text: string) => string) =>
  changed(`${place}book.json`, (bytes) => Buffer.from(change(bytes.toString())));

describe('verify', () => {
  it('finds nothing wrong with a book as it was made', async () => {
    expect(await verify(whole)).toEqual([]);
  });

  it('does not mind who made a sentence', async () => {
    expect(
      await verify(
        edited((text) => text.replace('"attempt":1,"worker":"w1"', '"attempt":3,"worker":"a\\"b"')),
      ),
    ).toEqual([]);
  });

  it('names the file in which a single bit is another one', async () => {
    for (const name of whole.keys()) {
      if (name.endsWith('book.json')) continue;
      const files = changed(name, (bytes) => {
        bytes[bytes.length - 2]! ^= 1;
        return bytes;
      });
      const problems = await verify(files);
      expect([name, problems.length, problems[0]?.message]).toEqual([
        name,
        1,
        expect.stringMatching(/was changed/),
      ]);
      expect(name.endsWith(problems[0]!.file.split('/').at(-1)!)).toBe(true);
    }
  });

  it('names what is missing and what is cut short', async () => {
    const name = `${place}The Song.m4b`;
    expect(await verify(changed(name, () => undefined))).toEqual([
      { file: 'The Song.m4b', message: 'it is missing' },
    ]);
    const bytes = whole.get(name)!.length;
    expect(await verify(changed(name, (all) => all.subarray(0, -1)))).toEqual([
      { file: 'The Song.m4b', message: `it has ${bytes - 1} bytes instead of ${bytes}` },
    ]);
  });

  it('notices a changed manifest', async () => {
    const [problem] = await verify(edited((text) => text.replace('Line 1 of song 1', 'Line 7 of song 1')));
    expect(problem!.message).toMatch(/contentDigest/);
    const [twice] = await verify(edited((text) => text.replace(/\}\n$/, ',"files":[]}\n')));
    expect(twice?.message).toMatch(/contentDigest/);
    expect((await verify(edited((text) => text.slice(0, -20))))[0]!.message).toBe('it is not JSON');
    expect((await verify(edited((text) => text.replace('"version":1', '"version":2'))))[0]!.message).toMatch(
      /^version/,
    );
  });
});

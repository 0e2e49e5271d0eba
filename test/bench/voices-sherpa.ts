import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLocalEngine, openCatalogue } from '@rhapsode/voices';
import { bytesField, concat } from '@rhapsode/voices/onnx/graph/wire';
import { piperConfig } from '../../models/fixtures/make.ts';
import { medium, vitsModel } from '../../models/fixtures/vits.ts';

/**
 * The same voice file, text and one thread, in this engine and in sherpa-onnx, interleaved in one run:
 *
 *   node test/bench/voices-sherpa.ts --from FOLDER --data FOLDER [--repeats 7]
 *
 * It is no dependency of this repository: `--from` is a folder where `npm install sherpa-onnx-node@1.13.8` was run, `--data` the
 * `espeak-ng-data` folder of an installed espeak-ng.
 */
interface Sherpa {
  OfflineTts: new (config: unknown) => { generate(request: unknown): { samples: Float32Array } };
}

const texts = {
  '3 s': 'Good morning to you all, welcome.',
  '8 s': 'Good morning to you all, and welcome to this reading of an old book by the sea.',
} as const;

async function compare(from: string, dataDir: string, repeats: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'rhapsode-sherpa-'));
  try {
    const config = piperConfig('medium', medium);
    const metadata = {
      model_type: 'vits',
      comment: 'piper',
      language: 'English',
      voice: 'en-us',
      has_espeak: '1',
      n_speakers: '1',
      sample_rate: '22050',
    };
    const entry = ([key, value]: [string, string]) =>
      bytesField(14, concat([bytesField(1, key), bytesField(2, value)]));
    const model = concat([vitsModel(medium), ...Object.entries(metadata).map(entry)]);
    writeFileSync(join(dir, 'medium.onnx'), model);
    writeFileSync(join(dir, 'medium.onnx.json'), JSON.stringify(config));
    const tokens = Object.entries(config.phoneme_id_map).map(([symbol, [id]]) => `${symbol} ${id}`);
    writeFileSync(join(dir, 'tokens.txt'), `${tokens.join('\n')}\n`);

    const engine = createLocalEngine(await openCatalogue({ modelsDir: dir, espeak: false }));
    await engine.load('medium');
    const { OfflineTts } = createRequire(join(from, 'x.js'))('sherpa-onnx-node') as Sherpa;
    const { noise_scale, noise_w, length_scale } = config.inference;
    const sherpa = new OfflineTts({
      model: {
        vits: {
          model: join(dir, 'medium.onnx'),
          tokens: join(dir, 'tokens.txt'),
          dataDir,
          noiseScale: noise_scale,
          noiseScaleW: noise_w,
          lengthScale: length_scale,
        },
        numThreads: 1,
        provider: 'cpu',
      },
      maxNumSentences: 1,
    });
    for (const [length, text] of Object.entries(texts)) {
      const rows: { bulk: number; listener: number; first: number }[] = [];
      for (let i = 0; i <= repeats; i++) {
        const perSecond = async (kind: 'bulk' | 'interactive') => {
          const started = performance.now();
          let first = 0;
          let samples = 0;
          const request = { voice: 'medium', text, segment: 0, seed: i, speed: 1, class: kind };
          for await (const piece of engine.speak(request, new AbortController().signal))
            if (piece.type === 'audio') {
              if (samples === 0) first = performance.now() - started;
              samples += piece.pcm.length;
            }
          return { first, ms: (performance.now() - started) / samples };
        };
        const theirs = () => {
          const started = performance.now();
          const { samples } = sherpa.generate({ text, sid: 0, speed: 1 });
          const ms = performance.now() - started;
          return { ms, perSample: ms / samples.length };
        };
        const before = theirs();
        const bulk = await perSecond('bulk');
        const listener = await perSecond('interactive');
        const after = theirs();
        if (i === 0) continue;
        const per = (before.perSample + after.perSample) / 2;
        rows.push({
          bulk: per / bulk.ms,
          listener: per / listener.ms,
          first: listener.first / ((before.ms + after.ms) / 2),
        });
      }
      const line = (key: 'bulk' | 'listener' | 'first') => {
        const sorted = rows.map((row) => row[key]).sort((a, b) => a - b);
        const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(2);
        return `${at(0.5)} (${at(0)} to ${at(1)})`;
      };
      console.log(
        `${length}: throughput relative to sherpa-onnx: bulk ${line('bulk')}, listener ${line('listener')}; first audio ${line('first')} of its whole sentence`,
      );
    }
    await engine.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { from: { type: 'string' }, data: { type: 'string' }, repeats: { type: 'string', default: '7' } },
});
if (values.from === undefined || values.data === undefined || !existsSync(values.data)) {
  console.error('needs --from and --data; see the top of this file');
  process.exitCode = 2;
} else await compare(values.from, values.data, Number(values.repeats));

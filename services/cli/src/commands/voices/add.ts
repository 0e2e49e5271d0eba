import { addVoice, openCatalogue } from '@rhapsode/voices';
import { createProgress } from '../../progress.ts';
import type { VoicesContext } from '../voices.ts';

/** Adds a voice, whole and checked or not at all; a download that was stopped goes on when it is called again. */
export async function add([source]: readonly string[], context: VoicesContext): Promise<void> {
  const { config, signal, stdout, stderr, json, quiet, hub, licence } = context;
  const progress = createProgress(stderr, { quiet, unit: bytesAsMb });
  const { modelsDir } = config;
  let id: string;
  try {
    id = await addVoice({
      modelsDir,
      source: source!,
      hub,
      licence,
      signal,
      onProgress: (file, done, total) => progress.update(done, total, `MB ${file}`),
    });
  } finally {
    progress.end();
  }
  const voice = (await openCatalogue({ modelsDir, espeak: false })).get(id);
  if (json) stdout.write(`${JSON.stringify(voice)}\n`);
  else stdout.write(`${id} is there: ${voice.language}, ${voice.sampleRateHz} Hz, ${voice.engine}\n`);
}

const bytesAsMb = (bytes: number) => (bytes / 1e6).toFixed(1);

import { listen, type SubmitRequest, submit } from '@rhapsode/pipeline';
import { createEmbedded, type EmbeddedOptions } from '@rhapsode/pipeline/embedded';
import { type CatalogueOptions, createLocalEngine, openCatalogue } from '@rhapsode/voices';

export interface Reference {
  readonly pcm: Int16Array;
  readonly segments: readonly { readonly samples: number; readonly pauseSamples: number }[];
}

export interface ReferenceOptions {
  readonly catalogue?: CatalogueOptions;
  readonly voice?: string;
  readonly seed?: number;
  readonly speed?: number;
  readonly class?: SubmitRequest['class'];
  readonly slots?: EmbeddedOptions['slots'];
}

/** The undisturbed run that others are compared with: the whole pipeline in this process, on memory, nothing killed. */
export async function speakEmbedded(text: string, options: ReferenceOptions = {}): Promise<Reference> {
  const { catalogue: from = { testVoices: true }, voice = 'tone', seed = 0, speed = 1, slots = 1 } = options;
  const catalogue = await openCatalogue(from);
  const engine = createLocalEngine(catalogue);
  const embedded = createEmbedded({ engine, voices: catalogue.voices, slots });
  try {
    const { utterance } = await submit(
      text,
      {
        tenant: 'reference',
        class: options.class ?? 'interactive',
        pool: embedded.pool,
        voice: catalogue.get(voice),
        seed,
        speed,
      },
      embedded,
    );
    const listening = await listen(utterance.id, {}, embedded);
    const parts: Uint8Array[] = [];
    const segments: Reference['segments'][number][] = [];
    for await (const piece of listening.pieces) {
      if (piece.type !== 'segment') parts.push(piece.pcm);
      else {
        segments.push({ samples: piece.samples, pauseSamples: piece.pauseSamples });
        listening.consumed(piece.segment + 1);
      }
    }
    await listening.close();
    const bytes = Buffer.concat(parts);
    const pcm = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    return { pcm, segments };
  } finally {
    await embedded.close();
    await engine.close();
  }
}

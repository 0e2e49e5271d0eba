import type { DocumentSource } from './documents/read-document.ts';
import { type DocumentPlanOptions, planDocument } from './plan-document.ts';

/** What `rhapsode plan --json` prints. */
export interface PlanJson {
  readonly chapters: readonly {
    readonly title: string;
    readonly segments: readonly SegmentJson[];
  }[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

export interface SegmentJson {
  /** The exact original; `start` and `end` are its place in UTF-16 code units. */
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly spoken: string;
  readonly pauseSamples: number;
  readonly estimatedSeconds: number;
}

export interface PlanJsonOptions extends DocumentPlanOptions {
  /** Rate that `pauseSamples` counts in. */
  readonly sampleRateHz?: number;
}

/** The plan as JSON text, piece by piece: a book of any length in constant memory. */
export async function* planJson(
  source: DocumentSource,
  options: PlanJsonOptions = {},
): AsyncGenerator<string> {
  const { sampleRateHz = 22_050 } = options;
  const warnings: { code: string; message: string }[] = [];
  let chapters = 0;
  let segments = 0;
  yield '{"chapters":[';
  for await (const event of planDocument(source, options)) {
    if (event.type === 'warning') warnings.push(event.warning);
    if (event.type === 'chapter') {
      yield `${chapters > 0 ? ']},' : ''}\n{"title":${JSON.stringify(event.title)},"segments":[`;
      chapters++;
      segments = 0;
    }
    if (event.type === 'segment') {
      const { source: text, start, end, spoken, pauseMs, estimatedMs } = event.segment;
      const json: SegmentJson = {
        source: text,
        start,
        end,
        spoken,
        pauseSamples: Math.round((pauseMs * sampleRateHz) / 1000),
        estimatedSeconds: estimatedMs / 1000,
      };
      yield `${segments > 0 ? ',' : ''}\n${JSON.stringify(json)}`;
      segments++;
    }
  }
  yield `${chapters > 0 ? ']}' : ''}],\n"warnings":${JSON.stringify(warnings)}}\n`;
}

export async function planToJson(source: DocumentSource, options: PlanJsonOptions = {}): Promise<PlanJson> {
  let text = '';
  for await (const piece of planJson(source, options)) text += piece;
  return JSON.parse(text) as PlanJson;
}

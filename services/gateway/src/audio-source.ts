import type { AudioFormat } from '@rhapsode/audio';
import { download } from '@rhapsode/client';
import { formatPosition, type Position, RhapsodeError } from '@rhapsode/contracts';
import type { StreamedAnswer } from '@rhapsode/service';

export interface AudioWanted {
  readonly id: string;
  readonly format: AudioFormat;
  /** Of the bytes; by default the voice's, or the next one that the format knows. */
  readonly sampleRateHz?: number | undefined;
  readonly from?: Position | undefined;
  /** A `Range` header. */
  readonly range?: string | undefined;
  readonly signal: AbortSignal;
}

/** Where an utterance's audio comes from: a collector somewhere, or this process. Resolves when the first bytes are there. */
export type AudioSource = (wanted: AudioWanted) => Promise<StreamedAnswer>;

/** Passed on from a collector's answer. */
const passedOn = [
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'cache-control',
  'etag',
  'x-rhapsode-utterance',
  'x-rhapsode-sample-rate',
  'x-rhapsode-voice-digest',
];

/** Pipes from one of several collectors; when it dies the next one goes on at the same byte, and the client sees nothing of it. */
export function createCollectorSource(collectorUrls: readonly string[]): AudioSource {
  let turn = 0;
  return async ({ id, format, sampleRateHz, from, range, signal }) => {
    const query = new URLSearchParams({
      format,
      ...(sampleRateHz === undefined ? {} : { sample_rate: String(sampleRateHz) }),
      ...(from ? { from: formatPosition(from) } : {}),
    });
    const first = turn++ % collectorUrls.length;
    const urls = [...collectorUrls.slice(first), ...collectorUrls.slice(0, first)].map(
      (base) => new URL(`/v1/utterances/${id}/audio?${query}`, base).href,
    );
    const bounds = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(range?.replaceAll(' ', '') ?? '');
    try {
      const { status, headers, body } = await download(urls, {
        signal,
        ...(bounds ? { offset: Number(bounds[1]), ...(bounds[2] ? { last: Number(bounds[2]) } : {}) } : {}),
      });
      const kept = passedOn.flatMap((name) => {
        const value = headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      return { status, headers: Object.fromEntries(kept), body };
    } catch (cause) {
      if (cause instanceof RhapsodeError || signal.aborted) throw cause;
      throw new RhapsodeError('collector_unavailable', { cause });
    }
  };
}

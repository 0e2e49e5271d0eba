import type { AudioFormat } from '@rhapsode/audio';
import { download } from '@rhapsode/client';
import { formatPosition, type Position, RhapsodeError } from '@rhapsode/contracts';
import { isSuffixRange, ownerHeader, parseByteRange, type StreamedAnswer } from '@rhapsode/service';

export interface AudioWanted {
  readonly id: string;
  readonly format: AudioFormat;
  /** Of the bytes; by default the voice's, or the next one that the format knows. */
  readonly sampleRateHz?: number | undefined;
  readonly from?: Position | undefined;
  /** A `Range` header. */
  readonly range?: string | undefined;
  /** Who asked for the utterance hears it: when that goes, it is cancelled, unless others hear it too. */
  readonly owner?: boolean | undefined;
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
  'server-timing',
  'x-rhapsode-utterance',
  'x-rhapsode-sample-rate',
  'x-rhapsode-voice-digest',
];

/** What is known of the audio without making any of it, as headers: what `HEAD` tells. */
export type AudioDescriber = (
  wanted: Omit<AudioWanted, 'range'>,
) => Promise<Readonly<Record<string, string>>>;

function pathOf({ id, format, sampleRateHz, from }: Omit<AudioWanted, 'signal'>): string {
  const query = new URLSearchParams({
    format,
    ...(sampleRateHz === undefined ? {} : { sample_rate: String(sampleRateHz) }),
    ...(from ? { from: formatPosition(from) } : {}),
  });
  return `/v1/utterances/${id}/audio?${query}`;
}

const keptOf = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );

/** Pipes from one of several collectors; when it dies the next one goes on at the same byte, and the client sees nothing of it. */
export function createCollectorSource(collectorUrls: readonly string[]): AudioSource {
  const describe = createCollectorDescriber(collectorUrls);
  let turn = 0;
  return async ({ range, owner, ...wanted }) => {
    const { signal } = wanted;
    const headers = owner ? { [ownerHeader]: '1' } : {};
    const first = turn++ % collectorUrls.length;
    const urls = [...collectorUrls.slice(first), ...collectorUrls.slice(0, first)].map(
      (base) => new URL(pathOf(wanted), base).href,
    );
    const bounds = await boundsOf(range, () => describe(wanted));
    try {
      const { status, headers: answered, body } = await download(urls, { signal, headers, ...bounds });
      return { status, headers: keptOf(answered), body };
    } catch (cause) {
      if (cause instanceof RhapsodeError || signal.aborted) throw cause;
      throw new RhapsodeError('collector_unavailable', { cause });
    }
  };
}

/** Which bytes a `Range` asks for. The last N can only be told where the length is known; otherwise it is the whole. */
async function boundsOf(
  range: string | undefined,
  describe: () => Promise<Readonly<Record<string, string>>>,
): Promise<{ offset?: number; last?: number | undefined }> {
  const length = isSuffixRange(range) ? (await describe())['content-length'] : undefined;
  const found = parseByteRange(range, length === undefined ? undefined : Number(length));
  return found ? { offset: found.first, last: found.last } : {};
}

/** Asks one collector after the other. */
export function createCollectorDescriber(collectorUrls: readonly string[]): AudioDescriber {
  return async ({ signal, ...wanted }) => {
    let cause: unknown;
    for (const base of collectorUrls) {
      try {
        const response = await fetch(new URL(pathOf(wanted), base), { method: 'HEAD', signal });
        if (response.ok) return keptOf(response.headers);
        // An answer to HEAD has no body that could say more.
        if (response.status === 404) throw new RhapsodeError('utterance_not_found');
        if (response.status === 410) throw new RhapsodeError('cancelled');
        cause = new Error(`a collector answers ${response.status}`);
      } catch (error) {
        if (error instanceof RhapsodeError || signal.aborted) throw error;
        cause = error;
      }
    }
    throw new RhapsodeError('collector_unavailable', { cause });
  };
}

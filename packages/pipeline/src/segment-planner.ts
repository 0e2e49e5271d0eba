import { canHonour, type Segment, type Utterance, type VoiceInfo } from '@rhapsode/contracts';
import {
  createPlanner,
  type Lexicon,
  type PlannedSegment,
  type PlanOptions,
  type PlanWarning,
  pausesWithSentence,
  planSsmlPolitely,
  type SegmentStyle,
  type SsmlPlan,
} from '@rhapsode/text';
import { gainOf, speedOf } from './prosody.ts';

/** How a text is to be read. */
export interface TextOptions {
  /** `text` if absent. SSML is planned when it is whole. */
  readonly input?: 'text' | 'ssml' | undefined;
  readonly normalise?: 'auto' | 'on' | 'off' | undefined;
  /** Obey `[pause:1.5s]` and `[word](/ipa/)`. */
  readonly inline?: boolean | undefined;
  /** The first that knows a word decides. */
  readonly lexicons?: readonly Lexicon[] | undefined;
  /** Other voices that SSML may switch to, by the names it may use. Those that don't fit the utterance are passed over. */
  readonly voices?: ReadonlyMap<string, OtherVoice> | undefined;
}

export interface OtherVoice {
  readonly voice: VoiceInfo;
  readonly speaker?: string | undefined;
}

/** A text's segments as they are stored. See `Planner`; what could not be honoured is told in `warnings`. */
export interface SegmentPlanner {
  feed(text: string): Segment[];
  flush(): Segment[];
  finish(): Promise<Segment[]>;
  readonly warnings: readonly PlanWarning[];
}

export interface SegmentPlannerOptions extends TextOptions {
  readonly voice: VoiceInfo;
  readonly utterance: Pick<Utterance, 'class' | 'speed' | 'settings' | 'sampleRateHz' | 'deterministic'>;
}

export function createSegmentPlanner(options: SegmentPlannerOptions): SegmentPlanner {
  const { voice, utterance, lexicons, inline, normalise } = options;
  const warnings = new Map<string, PlanWarning>();
  const warn = (warning: PlanWarning) => void warnings.set(warning.message, warning);
  const others = fitting(options);
  const kinOf = ({ kin }: VoiceInfo): OtherVoice[] =>
    kin === undefined ? [] : [...others.values()].filter((other) => other.voice.kin === kin);
  const range = voice.capabilities.speed;
  const silenceSeconds = utterance.settings?.sentence_silence_seconds;
  const planOptions: PlanOptions = {
    locale: voice.language,
    firstSegment: utterance.class === 'interactive' ? 'short' : 'full',
    can: {
      phonemes: voice.capabilities.phonemes === true,
      rate: range !== undefined && range.min < range.max,
      volume: true,
      voices: [...others.keys()],
      languages: kinOf(voice).map((other) => other.voice.language),
    },
    warn,
    ...(silenceSeconds === undefined ? {} : { pauses: pausesWithSentence(silenceSeconds * 1000) }),
    ...(lexicons === undefined ? {} : { lexicons }),
    ...(inline === undefined ? {} : { inline }),
    ...(normalise === undefined ? {} : { normalise }),
  };

  /** Who speaks it if `named` would speak the rest: kin of that voice, if it has another language. */
  function inLanguage(language: string, named: OtherVoice | undefined): OtherVoice | undefined {
    const speaking = named?.voice ?? voice;
    if (isSame(speaking.language, language)) return named;
    const kin = kinOf(speaking);
    const exact = kin.find((one) => isSame(one.voice.language, language));
    if (exact || baseOf(speaking.language) === baseOf(language)) return exact ?? named;
    const found =
      kin.find((one) => isSame(one.voice.language, baseOf(language))) ??
      kin.find((one) => baseOf(one.voice.language) === baseOf(language));
    // Of the utterance's own voice that has been told.
    if (!found && named)
      warn({ code: 'voice_cannot', message: `${speaking.id} does not speak ${language.slice(0, 20)}` });
    return found ?? named;
  }

  function segmentOf(planned: PlannedSegment, style: SegmentStyle = {}): Segment {
    const named = style.voice === undefined ? undefined : others.get(style.voice);
    const other = style.language === undefined ? named : inLanguage(style.language, named);
    const speaker = other?.speaker;
    const speed =
      style.rate === undefined
        ? undefined
        : speedOf(style.rate, utterance.speed, (other?.voice ?? voice).capabilities.speed, warn);
    const gain = style.volume === undefined ? undefined : gainOf(style.volume, warn);
    const map = packMap(planned);
    return {
      start: planned.start,
      end: planned.end,
      text: planned.spoken,
      pauseSamples: Math.round((planned.pauseMs * utterance.sampleRateHz) / 1000),
      estimatedMs: Math.round(planned.estimatedMs / (speed ?? utterance.speed)),
      ...(map === undefined ? {} : { map }),
      ...(other && other.voice.id !== voice.id
        ? { voice: other.voice.id, voiceDigest: other.voice.digest }
        : {}),
      ...(speaker === undefined ? {} : { speaker }),
      ...(speed === undefined ? {} : { speed }),
      ...(gain === undefined || gain === 1 ? {} : { gain }),
    };
  }

  function ofSsml({ segments, marks, warnings: told }: SsmlPlan): Segment[] {
    for (const warning of told) warn(warning);
    const names = Map.groupBy(marks, ({ segment }) => segment);
    const namesAt = (index: number) => (names.get(index) ?? []).map(({ name }) => name.slice(0, 200));
    return segments.map((planned, index) => {
      const bookmarks = namesAt(index);
      const endBookmarks = index === segments.length - 1 ? namesAt(index + 1) : [];
      return {
        ...segmentOf(planned, planned.style),
        ...(bookmarks.length === 0 ? {} : { bookmarks }),
        ...(endBookmarks.length === 0 ? {} : { endBookmarks }),
      };
    });
  }

  if (options.input === 'ssml') {
    const pieces: string[] = [];
    return {
      feed(text) {
        pieces.push(text);
        return [];
      },
      // Half an element says nothing yet.
      flush: () => [],
      finish: async () => ofSsml(await planSsmlPolitely(pieces.join(''), planOptions)),
      get warnings() {
        return [...warnings.values()];
      },
    };
  }
  const planner = createPlanner(planOptions);
  const toSegments = (planned: readonly PlannedSegment[]) => planned.map((one) => segmentOf(one));
  return {
    feed: (text) => toSegments(planner.feed(text)),
    flush: () => toSegments(planner.flush()),
    finish: async () => toSegments(planner.finish()),
    get warnings() {
      return [...warnings.values()];
    },
  };
}

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
const baseOf = (language: string): string => language.split('-')[0]!.toLowerCase();

/** Voices whose samples may follow this one's in one utterance: the same rate, the same promise to repeat themselves, the same settings. */
function fitting({ voice, utterance, voices = new Map() }: SegmentPlannerOptions): Map<string, OtherVoice> {
  return new Map(
    [...voices].filter(
      ([, other]: [string, OtherVoice]) =>
        other.voice.sampleRateHz === utterance.sampleRateHz &&
        other.voice.deterministic === utterance.deterministic &&
        canHonour(other.voice, utterance.settings) &&
        (other.voice.capabilities.phonemes === true || voice.capabilities.phonemes !== true) &&
        (other.speaker === undefined || other.voice.speakers.includes(other.speaker)),
    ),
  );
}

/** Pieces that are said as they are written run together; nothing is left of a text that is all so. */
function packMap({ map, source, spoken }: PlannedSegment): number[] | undefined {
  const packed: [number, number, number, number][] = [];
  let plain = false;
  for (const { sourceStart, sourceEnd, spokenStart, spokenEnd } of map) {
    const asWritten = source.slice(sourceStart, sourceEnd) === spoken.slice(spokenStart, spokenEnd);
    const last = packed.at(-1);
    if (last && plain && asWritten && sourceStart - last[1] === spokenStart - last[3]) {
      last[1] = sourceEnd;
      last[3] = spokenEnd;
    } else packed.push([sourceStart, sourceEnd, spokenStart, spokenEnd]);
    plain = asWritten;
  }
  const [only] = packed;
  const isPlain =
    spoken === '' ||
    (packed.length === 1 && only![0] === 0 && only![2] === 0 && plain && only![3] === spoken.length);
  return isPlain ? undefined : packed.flat();
}

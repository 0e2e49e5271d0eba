import { setImmediate as nextTurn } from 'node:timers/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { SaxesParser } from 'saxes';
import type { PlanWarning } from './documents/document.ts';
import { estimateMs } from './estimate.ts';
import { longestPauseMs } from './inline.ts';
import { createNormaliser, speechOf } from './normaliser.ts';
import { type Override, phonemes } from './overrides.ts';
import { defaultPauses } from './pauses.ts';
import type { PlannedSegment, PlanOptions, VoiceCan } from './plan.ts';
import { planText } from './planner.ts';
import { sayAs } from './say-as.ts';
import { joinTokens, type MapPiece } from './spoken.ts';
import { fromXSampa } from './x-sampa.ts';

/** How a segment is to be spoken, where the voice can. */
export interface SegmentStyle {
  readonly rate?: string;
  readonly pitch?: string;
  /** A word, or changes in decibels, one behind the other. */
  readonly volume?: string;
  readonly emphasis?: string;
  readonly voice?: string;
  readonly language?: string;
}

export interface StyledSegment extends PlannedSegment {
  readonly style?: SegmentStyle;
}

export interface SsmlPlan {
  /** Their spans are of the SSML text, tags and all, and tile it. */
  readonly segments: readonly StyledSegment[];
  /** `<mark>`s, each before the segment that follows it. */
  readonly marks: readonly { readonly name: string; readonly segment: number }[];
  readonly warnings: readonly PlanWarning[];
}

export const ssmlLimits = { length: 1_000_000, depth: 64, elements: 50_000 } as const;

const strengths: Readonly<Record<string, number>> = {
  none: 0,
  'x-weak': 100,
  weak: 200,
  medium: 400,
  strong: 700,
  'x-strong': 1200,
};

interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Open extends Tag {
  readonly style: SegmentStyle;
  readonly silent: boolean;
  /** Where its text begins, and what it says instead. */
  readonly from: number;
}

/**
 * Plans SSML: `speak p s break sub say-as phoneme prosody emphasis voice lang mark`. What is not well-formed, declares a
 * document type, or nests too deep is refused; what the subset or the voice lacks is told in `warnings` and its text spoken.
 */
export function planSsml(xml: string, options: PlanOptions = {}): SsmlPlan {
  const steps = ssmlSteps(xml, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, answering others in between: a long SSML takes a while. */
export async function planSsmlPolitely(xml: string, options: PlanOptions = {}): Promise<SsmlPlan> {
  const steps = ssmlSteps(xml, options);
  let since = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - since < turnMs) continue;
    await nextTurn();
    since = performance.now();
  }
}

/** Longest that the event loop is held. */
const turnMs = 8;

function* ssmlSteps(xml: string, options: PlanOptions): Generator<void, SsmlPlan> {
  const tags = readTags(xml);
  const { can = {} } = options;
  const pauses = { ...defaultPauses, ...options.pauses };
  const warnings = createWarnings();
  const segments: StyledSegment[] = [];
  const marks: { name: string; segment: number }[] = [];
  const stack: Open[] = [];
  let next = 0;

  let text = '';
  /** For each code unit of `text`, where it stands in the source. */
  let places: number[] = [];
  /** Where the reference that a code unit was written as ends; absent: the code unit stands for itself. */
  let references = new Map<number, number>();
  let told: Override[] = [];
  let short = options.firstSegment === 'short';

  const style = (): SegmentStyle => stack.at(-1)?.style ?? {};
  const styled = () => (Object.keys(style()).length === 0 ? {} : { style: style() });

  function flush(ends: 'paragraph' | 'sentence' | 'clause'): void {
    const spoken = /\S/u.test(text);
    if (spoken) {
      const { language } = style();
      const planned = planText(text, {
        ...options,
        told,
        firstSegment: short ? 'short' : 'full',
        ...(language === undefined ? {} : { locale: language }),
        warn: ({ code, message }) => warnings.add(code, message),
      });
      short &&= planned.every((segment) => segment.spoken === '');
      for (const segment of planned) {
        const kind = segment.ends === 'end' ? ends : segment.ends;
        segments.push({
          ...segment,
          ends: kind,
          pauseMs: segment.ends === 'end' ? pauses[ends] : segment.pauseMs,
          start: places[segment.start]!,
          end: 0,
          map: segment.map.flatMap((piece) => inSource(piece, segment.start)),
          ...styled(),
        });
      }
    }
    text = '';
    places = [];
    references = new Map();
    told = [];
  }

  const endOf = (at: number): number => references.get(at) ?? places[at]! + 1;

  const follows = (at: number): boolean =>
    places[at] === places[at - 1]! + 1 && !references.has(at) && !references.has(at - 1);

  /** Where in the source a piece stands. One that is said as it is written is parted where markup parts it. */
  function inSource(piece: MapPiece, segmentStart: number): MapPiece[] {
    const from = segmentStart + piece.sourceStart;
    const to = segmentStart + piece.sourceEnd;
    const pieces: MapPiece[] = [];
    let begin = from;
    const asWritten = to - from === piece.spokenEnd - piece.spokenStart;
    for (let at = from + 1; at <= to; at++) {
      if (at < to && (!asWritten || follows(at))) continue;
      const spokenAt = (place: number) =>
        place === to ? piece.spokenEnd : piece.spokenStart + (place - from);
      pieces.push({
        sourceStart: places[begin]!,
        sourceEnd: endOf(at - 1),
        spokenStart: spokenAt(begin),
        spokenEnd: spokenAt(at),
      });
      begin = at;
    }
    return pieces;
  }

  function pause(ms: number, at: number): void {
    flush('clause');
    const last = segments.at(-1);
    if (last)
      segments[segments.length - 1] = {
        ...last,
        ends: 'pause',
        pauseMs: last.ends === 'pause' ? Math.min(longestPauseMs, last.pauseMs + ms) : ms,
      };
    else
      segments.push({
        start: at,
        end: 0,
        source: '',
        spoken: '',
        map: [],
        ends: 'pause',
        pauseMs: ms,
        estimatedMs: estimateMs(''),
      });
  }

  function open(tag: Tag, at: number): Open {
    const { name, attributes } = tag;
    const above = style();
    const silent = stack.at(-1)?.silent ?? false;
    let own = above;
    let hides = false;
    const language = attributes['xml:lang'];
    if (language !== undefined && name !== 'speak')
      own = { ...own, ...languageOf(language, can, warnings, options) };
    switch (name) {
      case 'speak':
        if (language !== undefined && options.locale === undefined) own = { ...own, language };
        if (stack.length > 0)
          warnings.add('ssml_unsupported', 'a <speak> within another is read as a part of it');
        break;
      case 'p':
        flush('paragraph');
        break;
      case 's':
        flush('sentence');
        break;
      case 'break':
        if (!silent) pause(breakMs(attributes, warnings), at);
        break;
      case 'mark':
        if (attributes.name === undefined) warnings.add('ssml_invalid_value', '<mark> needs a name');
        else if (!silent) {
          flush('clause');
          marks.push({ name: attributes.name, segment: segments.length });
        }
        break;
      case 'prosody':
      case 'emphasis':
      case 'voice':
        flush('clause');
        own = { ...own, ...styleOf(tag, above, can, warnings) };
        break;
      case 'lang':
        flush('clause');
        if (language === undefined) warnings.add('ssml_invalid_value', '<lang> needs xml:lang');
        break;
      case 'sub':
      case 'say-as':
      case 'phoneme':
        break;
      case 'metadata':
      case 'meta':
      case 'lexicon':
        hides = true;
        warnings.add('ssml_unsupported', `<${name}> is not supported; it is left out`);
        break;
      case 'audio':
        warnings.add('ssml_unsupported', '<audio> is not supported; the text in it is spoken instead');
        break;
      default:
        warnings.add('ssml_unsupported', `<${name.slice(0, 60)}> is not supported; the text in it is spoken`);
    }
    return { ...tag, style: own, silent: silent || hides, from: text.length };
  }

  function close({ name, attributes, from, silent }: Open): void {
    if (silent) return;
    const inner = text.slice(from);
    const tell = (said: { alias: string } | { ipa: string }) => {
      told = [...told.filter(({ start }) => start < from), { start: from, end: text.length, ...said }];
    };
    const normaliser = () =>
      createNormaliser({
        locale: style().language ?? options.locale ?? 'en',
        mode: options.normalise ?? 'auto',
      });
    if (name === 'p') flush('paragraph');
    else if (name === 's') flush('sentence');
    else if (name === 'prosody' || name === 'emphasis' || name === 'voice' || name === 'lang')
      flush('clause');
    else if (name === 'sub') {
      if (attributes.alias === undefined) warnings.add('ssml_invalid_value', '<sub> needs an alias');
      else if (inner === '') warnings.add('ssml_invalid_value', '<sub> has no text');
      else tell({ alias: joinTokens(normaliser().tokens(attributes.alias), 0).text });
    } else if (name === 'say-as') {
      const kind = attributes['interpret-as'] ?? '';
      const said = sayAs(
        kind,
        attributes.format ?? attributes.detail ?? '',
        inner,
        speechOf(style().language ?? options.locale ?? 'en'),
        normaliser(),
      );
      if (said === undefined)
        warnings.add(
          'ssml_invalid_value',
          `say-as '${kind.slice(0, 40)}' is not supported, or its text is not of that kind; it is read as usual`,
        );
      else if (inner !== '') tell({ alias: said });
    } else if (name === 'phoneme') {
      const { alphabet = 'ipa', ph } = attributes;
      const known = /^(?:ipa|x-sampa)$/iu.test(alphabet);
      if (ph === undefined || !known)
        warnings.add(
          'ssml_invalid_value',
          ph === undefined
            ? '<phoneme> needs ph'
            : `the alphabet ${alphabet.slice(0, 40)} is not known; use ipa or x-sampa`,
        );
      else if (can.phonemes !== true)
        warnings.add('phonemes_unsupported', 'the voice takes no phonemes; the written words are spoken');
      else if (inner !== '') tell({ ipa: /^x-sampa$/iu.test(alphabet) ? fromXSampa(ph) : ph });
      else pushSounds(ph);
    }
  }

  /** `<phoneme ph="…"/>` without a text to stand for. */
  function pushSounds(ph: string): void {
    flush('clause');
    segments.push({
      start: places[0] ?? position,
      end: 0,
      source: '',
      spoken: phonemes(ph),
      map: [],
      ends: 'clause',
      pauseMs: pauses.clause,
      estimatedMs: estimateMs(ph),
      ...styled(),
    });
  }

  let position = 0;
  const markup =
    /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/)?[^\s>/"']+(?:[^>"']|"[^"]*"|'[^']*')*>|&(#x[\da-f]+|#\d+|\w+);|[^<&]+/giu;
  for (const { 0: raw, 1: data, 2: closing, 3: entity, index } of xml.matchAll(markup)) {
    yield;
    position = index;
    const silent = (stack.at(-1)?.silent ?? false) || stack.length === 0;
    if (data !== undefined) {
      if (!silent) add(data, index + '<![CDATA['.length);
    } else if (entity !== undefined) {
      if (!silent) add(decodeEntity(entity), index, index + raw.length);
    } else if (raw.startsWith('<!--')) continue;
    else if (raw.startsWith('<?')) {
      if (!raw.startsWith('<?xml')) warnings.add('ssml_unsupported', 'processing instructions are left out');
    } else if (closing !== undefined) {
      close(stack.at(-1)!);
      stack.pop();
    } else if (raw.startsWith('<')) {
      const opened = open(tags[next++]!, index);
      if (raw.endsWith('/>')) {
        // Its style ends with it.
        stack.push(opened);
        close(opened);
        stack.pop();
      } else stack.push(opened);
    } else if (!silent) add(raw, index);
  }
  flush('sentence');

  /** `referenceEnd`: it was written as a reference that ends there. */
  function add(decoded: string, at: number, referenceEnd?: number): void {
    for (let n = 0; n < decoded.length; n++) {
      if (referenceEnd !== undefined) references.set(places.length, referenceEnd);
      places.push(referenceEnd === undefined ? at + n : at);
    }
    text += decoded;
  }

  return { segments: tile(segments, xml), marks, warnings: warnings.list() };
}

/** Each segment takes the markup behind it, the first also what is before it. Places in maps become the segment's own. */
function tile(segments: readonly StyledSegment[], xml: string): StyledSegment[] {
  return segments.map((segment, n) => {
    const start = n === 0 ? 0 : segment.start;
    const end = n === segments.length - 1 ? xml.length : Math.max(start, segments[n + 1]!.start);
    const source = xml.slice(start, end);
    const last = n === segments.length - 1 && segment.ends !== 'pause';
    const map = segment.map.map((piece) => ({
      ...piece,
      sourceStart: piece.sourceStart - start,
      sourceEnd: piece.sourceEnd - start,
    }));
    return { ...segment, start, end, source, map, ...(last ? { ends: 'end' as const, pauseMs: 0 } : {}) };
  });
}

/** Every element in order. The parser holds the text to be XML; the markup is then known to be what it seems. */
function readTags(xml: string): Tag[] {
  const refused = (message: string, cause?: unknown) =>
    new RhapsodeError('ssml_invalid', { message, param: 'input', cause });
  if (xml.length > ssmlLimits.length) throw refused(`SSML has at most ${ssmlLimits.length} characters`);
  const tags: Tag[] = [];
  let depth = 0;
  const parser = new SaxesParser({ xmlns: false, position: true });
  const invalid = (message: string, cause?: unknown) =>
    refused(`line ${parser.line}, column ${Math.max(1, parser.column)}: ${message}`, cause);
  parser.on('doctype', () => {
    throw invalid('SSML must not declare a document type');
  });
  parser.on('error', (error) => {
    const ampersand = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/iu.test(xml);
    throw invalid(
      `the SSML is not well-formed: ${error.message.replace(/^\d+:\d+: /, '')}${ampersand ? ' A & by itself is written &amp;.' : ''}`,
      error,
    );
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (++depth > ssmlLimits.depth) throw invalid(`SSML nests at most ${ssmlLimits.depth} elements`);
    if (tags.length >= ssmlLimits.elements) throw invalid(`SSML has at most ${ssmlLimits.elements} elements`);
    if (tags.length === 0 && name !== 'speak') throw invalid('SSML starts with <speak>');
    tags.push({ name, attributes: attributes as Record<string, string> });
  });
  parser.on('closetag', () => {
    depth--;
  });
  parser.write(xml).close();
  if (tags.length === 0) throw invalid('SSML starts with <speak>');
  return tags;
}

function decodeEntity(entity: string): string {
  if (/^#x/iu.test(entity)) return String.fromCodePoint(Number.parseInt(entity.slice(2), 16));
  if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
  return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[entity] ?? '';
}

function createWarnings() {
  const known = new Map<string, PlanWarning>();
  return {
    add: (code: string, message: string) => void known.set(message, { code, message }),
    list: () => [...known.values()],
  };
}
type Warnings = ReturnType<typeof createWarnings>;

function breakMs({ time, strength }: Readonly<Record<string, string>>, warnings: Warnings): number {
  if (time !== undefined) {
    const found = /^\+?(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})(ms|s)$/u.exec(time.trim());
    if (found) {
      const ms = Number(found[1]) * (found[2] === 's' ? 1000 : 1);
      if (ms > longestPauseMs)
        warnings.add(
          'ssml_invalid_value',
          `a break of ${time.slice(0, 20)} is cut to ${longestPauseMs / 1000} s`,
        );
      return Math.min(longestPauseMs, ms);
    }
    warnings.add('ssml_invalid_value', `'${time.slice(0, 40)}' is no length of time; use 500ms or 1.5s`);
  }
  if (strength !== undefined) {
    const ms = Object.hasOwn(strengths, strength) ? strengths[strength] : undefined;
    if (ms !== undefined) return ms;
    warnings.add('ssml_invalid_value', `'${strength.slice(0, 40)}' is no strength of a break`);
  }
  return strengths.medium!;
}

function styleOf(
  { name, attributes }: Tag,
  above: SegmentStyle,
  can: VoiceCan,
  warnings: Warnings,
): SegmentStyle {
  const missing = (what: string) =>
    warnings.add('voice_cannot', `the voice can't change its ${what}; the text is spoken as usual`);
  if (name === 'voice') {
    const wanted = attributes.name;
    if (wanted !== undefined && can.voices?.includes(wanted)) return { voice: wanted };
    warnings.add(
      'voice_cannot',
      wanted === undefined
        ? 'voices are chosen by name only'
        : `there is no voice '${wanted.slice(0, 60)}' to switch to`,
    );
    return {};
  }
  if (name === 'emphasis') {
    if (can.emphasis !== true) missing('emphasis');
    return can.emphasis === true ? { emphasis: attributes.level ?? 'moderate' } : {};
  }
  const style: { rate?: string; pitch?: string; volume?: string } = {};
  for (const what of ['rate', 'pitch', 'volume'] as const) {
    const value = attributes[what];
    if (value === undefined) continue;
    if (can[what] !== true) missing(what);
    // A change in decibels is one of the volume around it.
    else if (what === 'volume' && above.volume !== undefined && /^\s*[+-]/u.test(value))
      style.volume = `${above.volume} ${value}`;
    else style[what] = value;
  }
  for (const other of ['contour', 'range', 'duration']) if (attributes[other] !== undefined) missing(other);
  return style;
}

function languageOf(language: string, can: VoiceCan, warnings: Warnings, options: PlanOptions): SegmentStyle {
  const base = (tag: string) => tag.split('-')[0]!.toLowerCase();
  const own = base(options.locale ?? 'en') === base(language);
  if (!own && !can.languages?.some((known) => base(known) === base(language)))
    warnings.add(
      'voice_cannot',
      `the voice does not speak ${language.slice(0, 20)}; it reads the text as its own language`,
    );
  return { language };
}

import { estimateMs } from './estimate.ts';
import { clauseCut, forcedCut } from './forced-cuts.ts';
import { findPause, findSounds, pauseMayStart } from './inline.ts';
import { createNormaliser, hush } from './normaliser.ts';
import { collectOverrides, type Override, tokensWith } from './overrides.ts';
import { defaultPauses } from './pauses.ts';
import type { PlannedSegment, PlanOptions, SegmentEnd } from './plan.ts';
import { createSentenceFinder } from './sentences.ts';
import { splitTokens } from './split.ts';
import { joinTokens, type MapPiece, type Token } from './spoken.ts';
import { maxSentence, windowLength } from './view.ts';

/**
 * Plans text that may arrive in any pieces. The segments are those of the whole text however it is cut, but for `flush`,
 * which speaks what is held although its sentence may go on. Memory is bounded: never more than one sentence is held.
 *
 * White space before a text belongs to its first segment, all other to the segment before it. A part with nothing to say
 * (white space only, `* * *`) is a segment with an empty `spoken`. An empty text has no segments.
 */
export interface Planner {
  feed(text: string): PlannedSegment[];
  flush(): PlannedSegment[];
  finish(): PlannedSegment[];
}

const sayable = /[\p{L}\p{N}\p{S}]/u;

/** Longest first segment for a listener, if a clause ends within. */
const shortFirst = 140;
const defaultMaxLength = 400;

const codePoints = (text: string): number => {
  let count = 0;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) count++;
  return count;
};

export function planText(text: string, options: PlanOptions = {}): PlannedSegment[] {
  const planner = createPlanner(options);
  const planned = planner.feed(text);
  for (const segment of planner.finish()) planned.push(segment);
  return planned;
}

export function createPlanner(options: PlanOptions = {}): Planner {
  const { locale = 'en', maxLength = defaultMaxLength, measure = codePoints } = options;
  const pauses = { ...defaultPauses, ...options.pauses };
  const finder = createSentenceFinder(locale);
  const normaliser = createNormaliser({ locale, mode: options.normalise ?? 'auto' });
  const pauseOf = (ends: SegmentEnd) => (ends === 'pause' ? 0 : pauses[ends]);
  let buffer = '';
  let base = 0;
  let scanned = 0;
  const { lexicons = [], told: toldAll = [] } = options;
  const takesPhonemes = options.can?.phonemes === true;
  /** Nothing but the language's own rules has a say. */
  const simple = lexicons.length === 0 && toldAll.length === 0 && options.inline !== true;
  const warned = new Set<string>();
  let toldAt = 0;
  let atStart = options.firstSegment === 'short';

  function warn(code: string, message: string): void {
    if (warned.has(code)) return;
    warned.add(code);
    options.warn?.({ code, message });
  }

  function tokensOf(sentence: string, start: number): Token[] {
    const told: Override[] = [];
    while (toldAt < toldAll.length && toldAll[toldAt]!.end <= start) toldAt++;
    for (let n = toldAt; n < toldAll.length && toldAll[n]!.start < start + sentence.length; n++) {
      const one = toldAll[n]!;
      const from = Math.max(0, one.start - start);
      // What a limit cut in two is said where it begins.
      const said = one.start < start ? { alias: '' } : one;
      told.push({ ...said, start: from, end: Math.min(sentence.length, one.end - start) });
    }
    if (options.inline) {
      for (const { override, written } of findSounds(sentence)) {
        if (!takesPhonemes)
          warn('phonemes_unsupported', 'the voice takes no phonemes; the written words are spoken');
        told.push(
          takesPhonemes
            ? override
            : {
                start: override.start,
                end: override.end,
                alias: joinTokens(normaliser.tokens(written), 0).text,
              },
        );
      }
      const pause = findPause(sentence);
      if (pause) told.push({ start: pause.start, end: pause.end, alias: '' });
      told.sort((a, b) => a.start - b.start);
    }
    const overrides = collectOverrides(sentence, told, lexicons);
    if (!takesPhonemes && overrides.some(({ ipa }) => ipa !== undefined))
      warn('phonemes_unsupported', 'the voice takes no phonemes; the written words are spoken');
    return hush(tokensWith(sentence, overrides, normaliser, takesPhonemes));
  }

  function emit(out: PlannedSegment[], from: number, to: number, ends: SegmentEnd, pauseMs?: number): void {
    const sentence = buffer.slice(from, to);
    if (simple && pauseMs === undefined && normaliser.leaves(sentence)) {
      const [, before, trimmed] = /^([\s\u0085]*)(.*?)[\s\u0085]*$/su.exec(sentence)!;
      const spoken = sayable.test(trimmed!) ? trimmed!.replace(/[\s\u0085]/gu, ' ') : '';
      if (measure(spoken) <= maxLength) {
        const at = before!.length;
        const piece = {
          sourceStart: at,
          sourceEnd: at + spoken.length,
          spokenStart: 0,
          spokenEnd: spoken.length,
        };
        push(out, base + from, sentence, spoken, spoken === '' ? [] : [piece], ends, pauseMs);
        return;
      }
    }
    const tokens = tokensOf(sentence, base + from);
    const whole = joinTokens(tokens, 0);
    const fits = measure(whole.text) <= maxLength;
    const groups = fits ? [tokens] : splitTokens(tokens, maxLength, measure, locale);
    groups.forEach((group, n) => {
      const start = group[0]!.start;
      const end = group.at(-1)!.end;
      const source = buffer.slice(from + start, from + end);
      const { text: spoken, map } = fits ? whole : joinTokens(group, start);
      const last = n === groups.length - 1;
      push(out, base + from + start, source, spoken, map, last ? ends : 'clause', last ? pauseMs : undefined);
    });
  }

  function push(
    out: PlannedSegment[],
    start: number,
    source: string,
    spoken: string,
    map: readonly MapPiece[],
    ends: SegmentEnd,
    pauseMs: number | undefined,
  ): void {
    const silent =
      spoken === '' && ends !== 'end' && ends !== 'pause' && ends !== 'clause' && /\S/u.test(source);
    const kind = silent ? 'scene' : ends;
    if (spoken !== '') atStart = false;
    out.push({
      start,
      end: start + source.length,
      source,
      spoken,
      map,
      ends: kind,
      pauseMs: kind === 'pause' ? (pauseMs ?? 0) : pauseOf(kind),
      estimatedMs: estimateMs(spoken),
    });
  }

  function drain(final: boolean): PlannedSegment[] {
    const out: PlannedSegment[] = [];
    let at = 0;
    // A surrogate waits for its other half.
    const whole = !final && /[\ud800-\udbff]$/.test(buffer) ? buffer.length - 1 : buffer.length;
    while (at < whole) {
      const text = buffer.slice(at, Math.min(whole, at + windowLength));
      const isEnd = final && at + text.length === whole;
      const found = finder.next({ text, final: isEnd }, scanned);
      const end = 'cut' in found ? found.cut.end : undefined;
      const reach = end ?? ('scanned' in found ? found.scanned : 0);
      const written = options.inline ? findPause(text.slice(0, maxSentence)) : undefined;
      const pause = written && (written.start <= reach || isEnd) ? written : undefined;
      if (
        options.inline &&
        !pause &&
        !isEnd &&
        text.length < windowLength &&
        pauseMayStart(text) &&
        text.lastIndexOf('[') <= (end ?? text.length)
      ) {
        if ('scanned' in found) scanned = found.scanned;
        break;
      }
      if (atStart) {
        const limit = text.length - text.trimStart().length + shortFirst;
        // Whether a pause is written further on must not matter: the clause may have been said before that was known.
        const isLong = pause ? pause.start >= limit : end === undefined ? reach >= limit : end > limit;
        if (isLong) {
          const clause = clauseCut(text.slice(0, limit));
          if (clause !== undefined) {
            emit(out, at, at + clause, 'clause');
            at += clause;
            scanned = 0;
            atStart = false;
            continue;
          }
          atStart = false;
        }
      }
      if (pause) {
        emit(out, at, at + pause.end, 'pause', pause.ms);
        at += pause.end;
        scanned = 0;
        continue;
      }
      if ('cut' in found) {
        emit(out, at, at + found.cut.end, found.cut.ends);
        at += found.cut.end;
      } else if (text.length === windowLength || (isEnd && text.length > maxSentence)) {
        const forced = forcedCut(text.slice(0, maxSentence), locale);
        emit(out, at, at + forced, 'clause');
        at += forced;
      } else if (isEnd) {
        emit(out, at, at + text.length, 'end');
        at += text.length;
      } else {
        scanned = found.scanned;
        break;
      }
      scanned = 0;
    }
    if (final) at = buffer.length;
    buffer = buffer.slice(at);
    base += at;
    return out;
  }

  return {
    feed(text) {
      buffer += text;
      return drain(false);
    },
    flush() {
      const out = drain(false);
      if (!/\S/u.test(buffer)) return out;
      const rest = drain(true);
      return [
        ...out,
        ...rest.map((segment) =>
          segment.ends === 'end'
            ? { ...segment, ends: 'sentence' as const, pauseMs: pauses.sentence }
            : segment,
        ),
      ];
    },
    finish: () => drain(true),
  };
}

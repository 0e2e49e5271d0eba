import type { PlannedSegment, SegmentEnd } from '@rhapsode/text';

const endsParagraph: readonly SegmentEnd[] = [
  'line',
  'item',
  'quote',
  'paragraph',
  'heading',
  'scene',
  'chapter',
  'end',
];

/**
 * Who says what in a text written as a play: a paragraph that begins with a known name and a colon is said by that speaker,
 * without the name.
 */
export function createSpeakers(voices: Readonly<Record<string, number>>) {
  const byName = new Map(Object.entries(voices).map(([name, voice]) => [name.toLowerCase(), voice]));
  let current: number | undefined;
  let begins = true;

  return {
    /** A new paragraph begins. */
    paragraph() {
      begins = true;
    },
    read(segment: PlannedSegment): { spoken: string; voice: number | undefined } {
      let { spoken } = segment;
      if (begins) {
        current = undefined;
        const name =
          byName.size === 0 ? undefined : /^\s*([^:\n]{1,200}?)\s*:\s/u.exec(`${segment.source} `)?.[1];
        current = name === undefined ? undefined : byName.get(name.toLowerCase());
        // What is said begins with the name too, perhaps written otherwise than in the source.
        if (current !== undefined) spoken = spoken.slice(spoken.indexOf(':') + 1).trim();
      }
      begins = endsParagraph.includes(segment.ends);
      return { spoken, voice: current };
    },
  };
}

import type { SpeakRequest } from '@rhapsode/voices';

const phrase = 'Good morning to you all, and welcome to this reading of an old book';

/** Of about 3, 8 and 22 seconds, and how soon each is to be heard, of its whole time. */
export const sentences: readonly { readonly text: string; readonly first: number }[] = [
  { text: 'Good morning to you all here.', first: 0.25 },
  { text: `${phrase} from here.`, first: 0.15 },
  {
    text: `${phrase} by the sea, which was written a very long time ago by somebody who said ${phrase.toLowerCase()}.`,
    first: 0.15,
  },
];

/** The one of 8 seconds. */
export const middle = sentences[1]!.text;

export const request = (
  text: string,
  kind: SpeakRequest['class'],
  seed = 5,
  voice = 'medium',
): SpeakRequest => ({ voice, text, segment: 0, seed, speed: 1, class: kind });

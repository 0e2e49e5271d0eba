import { endsSentence, type Place, wordAfter } from './rule.ts';

/** `Dr. Smith lives on Elm Dr.`, `St. John` and `Main St.`: the title stands before a name, the street behind one. */
export function streetOrTitle(
  { text, at, lead, leadRaw }: Place,
  key: string,
  end: number,
): string | undefined {
  if (
    key !== 'Dr' &&
    key !== 'St' &&
    key !== 'st' &&
    key !== 'dr' &&
    key !== 'Ft' &&
    key !== 'Pl' &&
    key !== 'Ct'
  )
    return undefined;
  const next = wordAfter(text, end);
  const named = /^\p{Lu}/u.test(next);
  const behind = /^(?:\p{Lu}[\p{L}'’]*|\d+(?:st|nd|rd|th))$/u.test(leadRaw);
  const road =
    key.toLowerCase() === 'dr'
      ? 'Drive'
      : key.toLowerCase() === 'st'
        ? 'Street'
        : key === 'Ft'
          ? 'Feet'
          : key === 'Pl'
            ? 'Place'
            : 'Court';
  const title =
    key.toLowerCase() === 'dr'
      ? 'Doctor'
      : key.toLowerCase() === 'st'
        ? 'Saint'
        : key === 'Ft'
          ? 'Fort'
          : road;
  if (key === 'Ft' && !named) return undefined;
  if (!named) return behind || key === 'st' ? road : endsSentence(text, end) && at > 0 ? road : title;
  if (
    !behind ||
    (/^\d/u.test(leadRaw) === false &&
      /^(?:mount|mt|port|fort|ft|east|west|north|south|old|the|at|in|of|on|near|and|by|from|to|visit|dear|hello|hi|thanks|prof|professor|rev|mr|mrs|sir|is|was|when|if|but|lake|via|les|hospital|see|meet|then|so|yes|no|ask|tell|said|says|i|my|our|his|her|with|sault|bay|isle|cape)$/u.test(
        lead,
      ))
  ) {
    if (!/^\d+\p{L}/u.test(leadRaw)) return title;
  }
  // Behind a name and before one: `Main St. Bridge`, but `Mary St. John`.
  if (/^\d/u.test(leadRaw)) return road;
  const street =
    /\d[\p{L}]*\s+(?:\p{Lu}\.?\s+)?\p{Lu}[\p{L}'’]*\s+$/u.test(text.slice(Math.max(0, at - 40), at)) ||
    /\b(?:on|at|of|along|down|up|off|to|from|near|corner|and|cross(?:ed)?|in)\s+(?:\p{Lu}[\p{L}'’]*\s+){1,2}$/u.test(
      text.slice(Math.max(0, at - 40), at),
    );
  return street ? road : title;
}

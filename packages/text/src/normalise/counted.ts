import { type NumberRead, sayNumber } from './number.ts';
import type { Speech } from './speech.ts';

/** A number before the noun it counts: its gender, and the `de` behind a million. */
export function counted(speech: Speech, read: NumberRead, noun: string, apart: boolean): string {
  const said = sayNumber(speech, read);
  if (
    speech.language === 'en' ||
    !apart ||
    noun.length < 3 ||
    read.decimals !== undefined ||
    read.whole.length > 18
  )
    return said;
  const n = BigInt(read.whole);
  if (speech.language === 'de') {
    if (n !== 1n || !/^\p{Lu}\p{Ll}/u.test(noun)) return said;
    return speech.count(
      n,
      /(?:ung|heit|keit|schaft|tion|tät|ik|ur|e|ei|frau|person|stadt|hand|nacht|woche|mark)$/iu.test(noun) &&
        !/(?:name|junge|kunde|ende|auge|käse|gebäude|interesse)$/iu.test(noun)
        ? 'f'
        : 'm',
    );
  }
  if (!/^\p{Ll}/u.test(noun)) return said;
  const million =
    n >= 1_000_000n && n % 1_000_000n === 0n && !/^(?:(?:de|d|et|y|à|a|en|ou|o)$|d['’])/u.test(noun);
  if (million) return `${said} ${speech.language === 'fr' && /^[aeiouéèêhâîôû]/u.test(noun) ? "d'" : 'de'}`;
  if (n !== 1n && !/s$/u.test(noun)) return said;
  if (speech.language === 'es') {
    if (
      /^(?:las|los|des|tras|tres|seis|más|dos|menos|antes|después|es|sus|mis|unos|unas|veces)$/u.test(noun) &&
      noun !== 'veces'
    )
      return said;
    const feminine =
      /(?:as?|ción|ciones|sión|siones|dad|dades|tud|tudes|veces|vez|noches?|clases?|partes?|calles?|llaves?|mujer|mujeres)$/u.test(
        noun,
      ) &&
      !/^(?:días?|problemas?|mapas?|temas?|sistemas?|programas?|climas?|idiomas?|planetas?|poemas?|para)$/u.test(
        noun,
      );
    return speech.count(n, feminine ? 'f' : 'm');
  }
  const feminine =
    /(?:tions?|sions?|tés?|ées?|ures?|ettes?|elles?|ances?|ences?|ies?|aisons?|fois|heures?|minutes?|secondes?|semaines?|tonnes?|livres?|femmes?|filles?|choses?|villes?|chambres?|pages?|lignes?|personnes?|places?|tables?|voitures?|routes?|nuits?|mains?|parts?|îles?)$/u.test(
      noun,
    ) && !/^(?:étés?|côtés?|génies?|incendies?)$/u.test(noun);
  return speech.count(n, feminine ? 'f' : 'm');
}

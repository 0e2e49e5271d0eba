import { toCardinal, toOrdinal } from 'n2words/fr-FR';
import { words } from '../languages/language.ts';
import { frenchAbbreviations, frenchCurrencies, frenchScales, frenchUnits } from './french-words.ts';
import type { Gender, Speech } from './speech.ts';

const monthNames =
  'janvier février mars avril mai juin juillet août septembre octobre novembre décembre'.split(' ');
const dayNames = 'lundi mardi mercredi jeudi vendredi samedi dimanche'.split(' ');

export function french(_region: string | undefined): Speech {
  const cardinal = (n: bigint): string => toCardinal(n);
  const count = (n: bigint, gender: Gender): string => {
    const said = cardinal(n);
    return gender === 'f' && said.endsWith('un') ? `${said}e` : said;
  };
  const ordinal = (n: bigint, lead = ''): string => {
    if (n === 0n) return 'zéroième';
    if (n === 1n) return /^(?:re|ère|ere|la|une)$/u.test(lead) ? 'première' : 'premier';
    if (n === 2n && /^(?:nde?|de?)$/u.test(lead)) return /e$/u.test(lead) ? 'seconde' : 'second';
    return toOrdinal(n);
  };
  return {
    language: 'fr',
    group: ' \u00a0\u202f\u2009.',
    decimal: ',',
    dayFirst: true,
    cardinal,
    count,
    ordinal,
    ordinalMark: /(?:er|re|ère|ere|nde?|ièmes?|ème|eme|es?|ᵉ|ᵉʳ)(?![\p{L}\p{N}])/uy,
    year: (n) => cardinal(BigInt(n)),
    decimals(digits) {
      const zeros = /^0*/u.exec(digits)![0].length;
      const rest = digits.slice(zeros);
      const said = Array.from({ length: zeros }, () => 'zéro');
      if (rest !== '')
        said.push(
          rest.length > 3 ? [...rest].map((d) => cardinal(BigInt(d))).join(' ') : cardinal(BigInt(rest)),
        );
      return said.join(' ');
    },
    point: 'virgule',
    fraction(numerator, denominator) {
      if (denominator < 2n) return undefined;
      const many = numerator > 1n;
      const noun =
        denominator === 2n
          ? many
            ? 'demis'
            : 'demi'
          : denominator === 3n
            ? 'tiers'
            : denominator === 4n
              ? many
                ? 'quarts'
                : 'quart'
              : `${toOrdinal(denominator)}${many ? 's' : ''}`;
      return `${cardinal(numerator)} ${noun}`;
    },
    wholeAnd: 'et',
    decade: () => undefined,
    months: new Map([
      ...monthNames.map((name, n) => [name, n + 1] as const),
      ...(
        ['janv', 'févr', 'mars', 'avr', 'mai', 'juin', 'juil', 'août', 'sept', 'oct', 'nov', 'déc'] as const
      ).map((name, n) => [name, n + 1] as const),
      ['fév', 2] as const,
    ]),
    weekdays: new Map(dayNames.map((name) => [name, name] as const)),
    date({ day, month, year, weekday }) {
      const said = `${day === 1 ? 'premier' : cardinal(BigInt(day))} ${monthNames[month - 1]!}`;
      return `${weekday === undefined ? '' : `${weekday} `}${said}${year === undefined ? '' : ` ${cardinal(BigInt(year))}`}`;
    },
    time({ hours, minutes, seconds }) {
      const hour =
        hours === 0 && minutes === 0
          ? 'minuit'
          : hours === 12 && minutes === 0
            ? 'midi'
            : `${count(BigInt(hours), 'f')} heure${hours > 1 ? 's' : ''}`;
      const said = minutes === 0 ? hour : `${hour} ${count(BigInt(minutes), 'f')}`;
      return seconds === undefined
        ? said
        : `${said} et ${count(BigInt(seconds), 'f')} seconde${seconds > 1 ? 's' : ''}`;
    },
    words: {
      minus: 'moins',
      plus: 'plus',
      plusMinus: 'plus ou moins',
      times: 'fois',
      by: 'par',
      dividedBy: 'divisé par',
      equals: 'égale',
      notEqual: 'différent de',
      about: 'environ',
      less: 'inférieur à',
      greater: 'supérieur à',
      lessEqual: 'inférieur ou égal à',
      greaterEqual: 'supérieur ou égal à',
      to: 'à',
      ratio: 'à',
      and: 'et',
      or: 'ou',
      over: 'sur',
      percent: 'pour cent',
      perMille: 'pour mille',
      degrees: 'degrés',
      degree: 'degré',
      squared: 'au carré',
      cubed: 'au cube',
      toThePower: 'puissance',
      root: 'racine carrée de',
      infinity: 'infini',
      dot: 'point',
      at: 'arobase',
      slash: 'barre oblique',
      dash: 'tiret',
      underscore: 'tiret bas',
      colon: 'deux points',
      question: "point d'interrogation",
      number: 'numéro',
      numbers: 'numéros',
      hash: 'dièse',
      section: 'paragraphe',
      sections: 'paragraphes',
      paragraph: 'alinéa',
      copyright: 'copyright',
      registered: 'marque déposée',
      trademark: 'marque',
      backslash: 'barre inversée',
      version: 'version',
      outOf: 'sur',
      sum: 'somme de',
      pi: 'pi',
      feet: 'pieds',
      foot: 'pied',
      inches: 'pouces',
      inch: 'pouce',
      minutesOfArc: 'minutes',
      secondsOfArc: 'secondes',
      arrow: 'vers',
      elementOf: 'dans',
      sharp: 'sharp',
    },
    scales: frenchScales,
    units: frenchUnits,
    per: 'par',
    currencies: frenchCurrencies,
    abbreviations: frenchAbbreviations,
    romanLeads: words(
      'chapitre chapitres partie tome livre volume acte scène article section mondiale phase niveau titre annexe paris paragraphe',
    ),
    rulers: words(`
      louis henri charles philippe françois napoléon jean paul pie benoît grégoire léon clément innocent urbain alexandre
      nicolas élisabeth elizabeth george édouard guillaume jacques pierre catherine frédéric ferdinand alphonse léopold
      albert baudouin rainier gustave ramsès ptolémée boniface sixte jules otton othon
    `),
    romanRuler: (n) => (n === 1 ? 'premier' : cardinal(BigInt(n))),
    centuries: words('siècle siècles'),
    yearLeads: words(
      'en depuis jusqu vers avant après dès an année années janvier février mars avril mai juin juillet août septembre octobre novembre décembre été hiver printemps automne entre et de',
    ),
    capsWords: words(
      'le la les un une des et est de du en au aux ce ces il elle on nous vous ils ne pas que qui oui non tout très trop ici là mais ou où donc car pour par sur avec sans attention danger stop sortie entrée',
    ),
    emojiLocale: 'fr',
  };
}

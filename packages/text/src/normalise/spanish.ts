import { toCardinal, toOrdinal } from 'n2words/es-ES';
import { words } from '../languages/language.ts';
import { spanishAbbreviations, spanishCurrencies, spanishScales, spanishUnits } from './spanish-words.ts';
import type { Gender, Speech } from './speech.ts';

const monthNames =
  'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' ');
const dayNames = 'lunes martes miércoles jueves viernes sábado domingo'.split(' ');
const tenths = [
  '',
  '',
  'medio',
  'tercio',
  'cuarto',
  'quinto',
  'sexto',
  'séptimo',
  'octavo',
  'noveno',
  'décimo',
];

export function spanish(region: string | undefined): Speech {
  const cardinal = (n: bigint): string => {
    // `mil millones quinientos millones` is no number: one thousand five hundred million.
    const millions = n / 1_000_000n;
    if (millions >= 1000n && millions < 1_000_000n) {
      const rest = n % 1_000_000n;
      return `${short(toCardinal(millions))} millones${rest === 0n ? '' : ` ${toCardinal(rest)}`}`;
    }
    return toCardinal(n);
  };
  const short = (said: string) => said.replace(/veintiuno$/u, 'veintiún').replace(/uno$/u, 'un');
  const count = (n: bigint, gender: Gender): string => {
    const said = cardinal(n);
    if (gender === 'f')
      return said
        .replace(/uno$/u, 'una')
        .replace(/cientos/gu, 'cientas')
        .replace(/quinientos/gu, 'quinientas');
    return short(said);
  };
  const american = region !== undefined && /^(?:MX|US|PR|DO|GT|HN|NI|PA|SV|PE|419)$/u.test(region);
  return {
    language: 'es',
    group: american ? ',\u00a0\u202f' : '.\u00a0\u202f',
    decimal: american ? '.' : ',',
    dayFirst: true,
    cardinal,
    count,
    ordinal(n, mark = '') {
      if (n === 0n) return 'cero';
      const said = n < 1000n ? toOrdinal(n) : cardinal(n);
      return /a|ª/u.test(mark)
        ? said.replace(/o(?=\s|$)/gu, 'a')
        : /r/u.test(mark)
          ? said.replace(/primero$/u, 'primer').replace(/tercero$/u, 'tercer')
          : said;
    },
    ordinalMark: /\.?(?:[ºª°]|er|ro|do|to|mo|vo|no|ra|da|ta|ma|va|na)(?![\p{L}\p{N}])/uy,
    year: (n) => cardinal(BigInt(n)),
    decimals(digits) {
      const zeros = /^0*/u.exec(digits)![0].length;
      const rest = digits.slice(zeros);
      const said = Array.from({ length: zeros }, () => 'cero');
      if (rest !== '')
        said.push(
          rest.length > 3 ? [...rest].map((d) => cardinal(BigInt(d))).join(' ') : cardinal(BigInt(rest)),
        );
      return said.join(' ');
    },
    point: american ? 'punto' : 'coma',
    fraction(numerator, denominator) {
      if (denominator < 2n) return undefined;
      const many = numerator > 1n;
      const noun =
        denominator <= 10n
          ? `${tenths[Number(denominator)]}${many ? 's' : ''}`
          : denominator === 100n
            ? `centésimo${many ? 's' : ''}`
            : `${cardinal(denominator)
                .replace(/\s+y\s+/u, 'i')
                .replace(/[aeo]$/u, '')}avo${many ? 's' : ''}`;
      return `${count(numerator, 'm')} ${noun}`;
    },
    wholeAnd: 'y',
    decade: () => undefined,
    months: new Map([
      ...monthNames.map((name, n) => [name, n + 1] as const),
      ...monthNames.map((name, n) => [name.slice(0, 3), n + 1] as const),
      ['setiembre', 9] as const,
      ['sept', 9] as const,
    ]),
    weekdays: new Map(dayNames.map((name) => [name, name] as const)),
    date({ day, month, year, weekday }) {
      const said = `${day === 1 && american ? 'primero' : cardinal(BigInt(day))} de ${monthNames[month - 1]!}`;
      return `${weekday === undefined ? '' : `${weekday} `}${said}${year === undefined ? '' : ` de ${cardinal(BigInt(year))}`}`;
    },
    time({ hours, minutes, seconds, meridiem }) {
      const half = meridiem === undefined ? '' : /^a/iu.test(meridiem) ? ' de la mañana' : ' de la tarde';
      const hour = count(BigInt(hours), 'f');
      const said =
        minutes === 0
          ? meridiem === undefined
            ? `${hour} en punto`
            : hour
          : `${hour} y ${cardinal(BigInt(minutes))}`;
      return `${said}${seconds === undefined ? '' : ` y ${count(BigInt(seconds), 'm')} segundo${seconds === 1 ? '' : 's'}`}${half}`;
    },
    words: {
      minus: 'menos',
      plus: 'más',
      plusMinus: 'más o menos',
      times: 'por',
      by: 'por',
      dividedBy: 'dividido por',
      equals: 'igual a',
      notEqual: 'distinto de',
      about: 'aproximadamente',
      less: 'menor que',
      greater: 'mayor que',
      lessEqual: 'menor o igual que',
      greaterEqual: 'mayor o igual que',
      to: 'a',
      ratio: 'a',
      and: 'y',
      or: 'o',
      over: 'sobre',
      percent: 'por ciento',
      perMille: 'por mil',
      degrees: 'grados',
      degree: 'grado',
      squared: 'al cuadrado',
      cubed: 'al cubo',
      toThePower: 'elevado a',
      root: 'raíz cuadrada de',
      infinity: 'infinito',
      dot: 'punto',
      at: 'arroba',
      slash: 'barra',
      dash: 'guion',
      underscore: 'guion bajo',
      colon: 'dos puntos',
      question: 'signo de interrogación',
      number: 'número',
      numbers: 'números',
      hash: 'almohadilla',
      section: 'sección',
      sections: 'secciones',
      paragraph: 'párrafo',
      copyright: 'copyright',
      registered: 'marca registrada',
      trademark: 'marca',
      backslash: 'barra invertida',
      version: 'versión',
      outOf: 'de',
      sum: 'suma de',
      pi: 'pi',
      feet: 'pies',
      foot: 'pie',
      inches: 'pulgadas',
      inch: 'pulgada',
      minutesOfArc: 'minutos',
      secondsOfArc: 'segundos',
      arrow: 'a',
      elementOf: 'en',
      sharp: 'sharp',
    },
    scales: spanishScales,
    units: spanishUnits,
    per: 'por',
    currencies: spanishCurrencies,
    abbreviations: spanishAbbreviations,
    romanLeads: words(
      'capítulo capitulo parte libro tomo volumen acto escena artículo sección mundial fase nivel título anexo guerra tipo clase',
    ),
    rulers: words(`
      carlos felipe alfonso fernando isabel juan pablo pío benedicto gregorio león luis enrique eduardo jorge francisco
      napoleón sancho pedro ramón jaime alejandro nicolás federico guillermo catalina inocencio clemente urbano sixto
      julio bonifacio ramsés ptolomeo leopoldo alberto gustavo rodolfo maximiliano víctor manuel
    `),
    romanRuler: (n, name) =>
      n > 10
        ? cardinal(BigInt(n))
        : toOrdinal(BigInt(n)).replace(/o$/u, /^isabel$|a$/u.test(name) ? 'a' : 'o'),
    centuries: words('siglo siglos'),
    yearLeads: words(
      'en desde hasta hacia año años de del enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre verano invierno entre y',
    ),
    capsWords: words(
      'el la los las un una y es de del en al se no sí lo que con por para su sus mi tu muy más todo hay aquí ya alto atención peligro salida',
    ),
    emojiLocale: 'es',
  };
}

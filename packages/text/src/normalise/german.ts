import { toCardinal, toOrdinal } from 'n2words/de-DE';
import { words } from '../languages/language.ts';
import { germanAbbreviations, germanCurrencies, germanScales, germanUnits } from './german-words.ts';
import type { Gender, Speech } from './speech.ts';

const monthNames = 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(
  ' ',
);
const dayNames = 'Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag'.split(' ');

export function german(region: string | undefined): Speech {
  const cardinal = (n: bigint): string => (n === 0n ? 'null' : toCardinal(n));

  function count(n: bigint, gender: Gender): string {
    const said = cardinal(n);
    if (n === 1n) return gender === 'f' ? 'eine' : 'ein';
    return said.endsWith('eins') && n % 100n === 1n && n > 100n ? said : said;
  }

  /** The ending follows the word before: `der dritte`, `am dritten`, `Heinrich der Achte`; alone `dritter`. */
  function ordinal(n: bigint, lead = ''): string {
    const base = n === 0n ? 'nullte' : toOrdinal(n);
    if (
      /^(?:am|im|vom|zum|beim|dem|den|des|bis|ab|seit|zur|einem|einen|diesem|diesen|jedem|jeden|ihrem|seinem|meinem|unserem|ihren|seinen|meinen|unseren|ins|und)$/u.test(
        lead,
      )
    )
      return `${base}n`;
    if (/^(?:der|die|das|diese|dieser|dieses|jede|jeder|jedes|welche|welcher)$/u.test(lead)) return base;
    if (/^(?:ein|kein|sein|mein|ihr|unser)$/u.test(lead)) return `${base}r`;
    if (/^(?:eine|keine|seine|meine|ihre|unsere)$/u.test(lead)) return base;
    return `${base}r`;
  }

  function year(n: number): string {
    if (n < 1100 || n > 1999) return cardinal(BigInt(n)).replace(/^eintausend/u, 'tausend');
    const high = cardinal(BigInt(Math.floor(n / 100)));
    return `${high}hundert${n % 100 === 0 ? '' : cardinal(BigInt(n % 100))}`;
  }

  return {
    language: 'de',
    group: region === 'CH' || region === 'LI' ? "'’" : ".'’\u00a0\u202f",
    decimal: region === 'CH' || region === 'LI' ? '.' : ',',
    dayFirst: true,
    cardinal,
    count,
    ordinal,
    ordinalMark:
      /\.(?=\s\p{Lu}\p{Ll})(?!\s(?:Der|Die|Das|Er|Sie|Es|Wir|Ich|Dann|Dort|Aber|Und|Ein|Eine|In|Im|Am|Auf|Mit|Nach|Von|Zu|So|Heute|Jetzt|Doch|Als|Wenn|Alle|Man|Viele|Bei|Für|Das|Dies|Diese|Nun|Da)(?!\p{L}))/uy,
    year,
    decimals: (digits) => [...digits].map((digit) => cardinal(BigInt(digit))).join(' '),
    point: 'Komma',
    fraction(numerator, denominator) {
      if (denominator < 2n) return undefined;
      if (denominator === 2n) return numerator === 1n ? 'ein halb' : `${cardinal(numerator)} Halbe`;
      const noun =
        denominator % 100n < 20n && denominator % 100n > 0n
          ? `${toOrdinal(denominator)}l`
          : `${toOrdinal(denominator)}l`;
      return `${count(numerator, 'n')} ${noun[0]!.toUpperCase()}${noun.slice(1)}`;
    },
    wholeAnd: 'und',
    decade(n) {
      const low = n % 100;
      if (n < 100) return `${cardinal(BigInt(n))}er`;
      if (low === 0) return `${year(n)}er`;
      return `${year(n)}er`;
    },
    months: new Map([
      ...monthNames.map((name, n) => [name.toLowerCase(), n + 1] as const),
      ...monthNames.map((name, n) => [name.slice(0, 3).toLowerCase(), n + 1] as const),
      ['jänner', 1] as const,
      ['feber', 2] as const,
      ['sept', 9] as const,
    ]),
    weekdays: new Map(dayNames.map((name) => [name.toLowerCase(), name] as const)),
    date({ day, month, year: n, lead }) {
      const born = /^(?:geb|geboren|gest|gestorben)$/u.test(lead);
      const said = `${born ? 'am ' : ''}${ordinal(BigInt(day), born || lead === 'v' || /^(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)$/u.test(lead) ? 'den' : lead)} ${monthNames[month - 1]!}`;
      return n === undefined ? said : `${said} ${year(n)}`;
    },
    time({ hours, minutes, seconds, meridiem }) {
      const hour = meridiem !== undefined && /^p/iu.test(meridiem) && hours < 12 ? hours + 12 : hours;
      const said = `${hour === 1 ? 'ein' : cardinal(BigInt(hour))} Uhr${minutes === 0 ? '' : ` ${cardinal(BigInt(minutes))}`}`;
      return seconds === undefined
        ? said
        : `${said} und ${count(BigInt(seconds), 'f')} ${seconds === 1 ? 'Sekunde' : 'Sekunden'}`;
    },
    words: {
      minus: 'minus',
      plus: 'plus',
      plusMinus: 'plus minus',
      times: 'mal',
      by: 'mal',
      dividedBy: 'geteilt durch',
      equals: 'gleich',
      notEqual: 'ungleich',
      about: 'ungefähr',
      less: 'kleiner als',
      greater: 'größer als',
      lessEqual: 'kleiner oder gleich',
      greaterEqual: 'größer oder gleich',
      to: 'bis',
      ratio: 'zu',
      and: 'und',
      or: 'oder',
      over: 'durch',
      percent: 'Prozent',
      perMille: 'Promille',
      degrees: 'Grad',
      degree: 'Grad',
      squared: 'Quadrat',
      cubed: 'hoch drei',
      toThePower: 'hoch',
      root: 'Wurzel aus',
      infinity: 'unendlich',
      dot: 'Punkt',
      at: 'at',
      slash: 'Schrägstrich',
      dash: 'Bindestrich',
      underscore: 'Unterstrich',
      colon: 'Doppelpunkt',
      question: 'Fragezeichen',
      number: 'Nummer',
      numbers: 'Nummern',
      hash: 'Raute',
      section: 'Paragraf',
      sections: 'Paragrafen',
      paragraph: 'Absatz',
      copyright: 'Copyright',
      registered: 'eingetragene Marke',
      trademark: 'Trademark',
      backslash: 'Backslash',
      version: 'Version',
      outOf: 'von',
      sum: 'Summe',
      pi: 'Pi',
      feet: 'Fuß',
      foot: 'Fuß',
      inches: 'Zoll',
      inch: 'Zoll',
      minutesOfArc: 'Minuten',
      secondsOfArc: 'Sekunden',
      arrow: 'nach',
      elementOf: 'in',
      sharp: 'sharp',
    },
    scales: germanScales,
    units: germanUnits,
    per: 'pro',
    currencies: germanCurrencies,
    abbreviations: germanAbbreviations,
    romanLeads: words(
      'kapitel teil band buch akt szene abschnitt artikel weltkrieg stufe klasse phase typ tafel anhang seite s fantasy rocky',
    ),
    rulers: words(`
      heinrich ludwig friedrich wilhelm karl otto franz joseph leopold ferdinand maximilian rudolf konrad philipp georg
      eduard elisabeth katharina peter iwan alexander nikolaus paul pius johannes benedikt gregor leo innozenz urban
      clemens sixtus napoleon gustav adolf christian august johann albert albrecht maria viktor emanuel richard jakob
      ramses ptolemäus margarethe harald olaf erich sigismund ottokar papst
    `),
    romanRuler: (n, name) =>
      `${/^(?:elisabeth|katharina|maria|margarethe)$/u.test(name) ? 'die' : 'der'} ${toOrdinal(BigInt(n)).replace(/^./u, (c) => c.toUpperCase())}`,
    centuries: words('jahrhundert jahrhunderts jahrhunderte jh jhd'),
    yearLeads: words(`
      geb geboren gest gestorben winter herbst in im seit bis von ab vor nach um jahr jahre jahres jahren anno ca etwa januar februar märz april mai juni juli august
      september oktober november dezember sommer winter frühjahr herbst ende anfang mitte zwischen und
    `),
    capsWords: words(
      'der die das und ist in im am an auf zu nicht nur wir ihr sie er es ich ja nein jetzt hier alle neu gut sehr mit von für bei aus achtung halt stopp los hilfe wo was wer wie wann',
    ),
    emojiLocale: 'de',
  };
}

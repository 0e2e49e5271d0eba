import { noWords, type SentenceWords, words } from './language.ts';

export const spanishSentences: SentenceWords = {
  joins: words(`
    ee sr sra sres sras srta srtas dr dra dres dras d dña prof profa lic arq gral cnel tte sgto mons =Ing =Cap =Col =Fr
    sto sta excmo excma ilmo ilma rvdo rvda hno hna p.ej =ej vg v.gr i.e e.g cf cfr vid vs aprox trad coord ibid esq
    avda ctra pza dpto dept admón atte ntra ntro fdo =av =máx =mín
  `),
  joinsNumber: words(`
    =no =No =n núm núms num nº p pp pág págs pag pags art arts fig figs vol vols t tel tfno tlf fax apdo ref párr sec
    lín v vv ca aprox cap caps =ene =feb =abr =ago =sept =oct =nov =dic
  `),
  mayEnd: words(`
    etc cía cia s.a s.l s.r.l ltda ud uds vd vds ee.uu ee.uu. eeuu uu a.c d.c a.m p.m a.m. p.m. jr km cm kg min seg h
  `),
  starters: words(`
    el la los las un una unos unas lo este esta estos estas ese esa eso aquel aquella él ella ellos ellas yo tú usted
    ustedes nosotros nosotras qué quién cuándo dónde por cómo cuál pero y o u sino porque pues aunque si cuando como
    donde mientras después antes luego entonces ahora hoy ayer mañana aquí allí en con sin de del a al para por sobre
    bajo entre desde hasta según tras es son era eran fue fueron ha han hay había no sí también además sin embargo
    todo toda todos todas mi mis tu tus su sus nuestro nuestra me te se le les nos
  `),
  speechVerbs: words(`
    dijo dice preguntó pregunta gritó grita respondió responde contestó susurró murmuró exclamó añadió pensó
    replicó continuó explicó insistió
  `),
  ordinalNouns: noWords,
  ordinalLeads: noWords,
};

import { noWords, type SentenceWords, words } from './language.ts';

const short = (joins: string, joinsNumber: string, mayEnd: string, starters: string): SentenceWords => ({
  joins: words(joins),
  joinsNumber: words(joinsNumber),
  mayEnd: words(mayEnd),
  starters: words(starters),
  speechVerbs: noWords,
  ordinalNouns: noWords,
  ordinalLeads: noWords,
});

/** Short forms of languages whose text is said by the voice's own rules: only their sentences are ours to find. */
export const otherSentences: Readonly<Record<string, SentenceWords>> = {
  it: short(
    `sig sigg sig.ra sig.na sig.re sigra dott dott.ssa dr prof prof.ssa ing l'ing dell'ing all'ing avv l'avv dell'avv
     arch l'arch geom rag on l'on mons gen col cap magg ten serg s ss ecc.mo ill.mo gent gent.mo gent.ma egr spett cav
     comm es p.es cfr ca circa d.lgs d.l d.p.r d.m c.p c.c`,
    'pag pagg p pp cap capp art artt n nn nr vol voll tav fig figg sez v vv vs lett co comma tel fax d.lgs l d.l d.p.r op sec num cod',
    'ecc etc a.c d.c s.p.a s.r.l u.s.a n.d.r n.b kg cm km',
    'il lo la i gli le un uno una e ma o poi quando se non è era sono ho hai ha che chi come dove questo questa quello nel nella al alla da dal di in con per su tra fra io tu lui lei noi voi loro ci vi si mi ti ora oggi ieri domani',
  ),
  pt: short(
    `sr sra srs sras srta dr dra drs prof profa eng engo arq exmo exma ilmo ilma d dom gen cel cap ten sgt pe fr sto sta
     av r al trav pç jr ex v.g p.ex cf min`,
    'pág págs p pp cap art arts n n.º nº nos vol fig inc al tel séc ed',
    'etc a.c d.c ltda s.a lda cia v.ex.ª v.s.ª',
    'o a os as um uma e mas ou então quando se não é era foi que quem como onde este esta esse essa no na ao à de do da em com por para eu tu ele ela nós eles elas hoje ontem amanhã',
  ),
  nl: short(
    `dhr mevr mej mw dr drs ir ing mr prof ds jhr st bijv bv d.w.z o.a o.m m.b.t m.a.w t.a.v t.o.v n.a.v i.v.m d.m.v e.d
     m.i vgl zgn resp incl excl ca a.d v.d`,
    'blz p pp nr nrs art hfst fig tel par lid bd dl',
    'enz etc n.chr v.chr n.v b.v jr sr',
    'de het een en maar of dan toen als niet is was zijn er dit dat deze die hij zij ze wij we ik jij u in op aan van voor met bij naar nu vandaag gisteren morgen',
  ),
  ru: short(
    'г-н г-жа гг ул пер пл пр просп наб бульв д корп кв стр обл р-н пос дер им проф акад доц св о т.е т.к напр см ср т.н ок тел',
    'г с стр рис табл гл ч п пп ст т тт д кв корп № вып разд прим тел',
    'т.д т.п др пр руб коп тыс млн млрд гг вв в н.э',
    'он она оно они мы вы я ты это этот эта и а но в на с по за от до из у к о как что когда если потом затем тогда там здесь не все всё',
  ),
  pl: short(
    'p pan pani dr prof mgr inż hab ks o św ul al pl os gen płk kpt por im tzn tzw np m.in ok wg zob por red tel',
    'str s nr art ust pkt rozdz tab rys ryc t r',
    'itd itp tys mln mld zł gr r w n.e p.n.e',
    'i a ale to ten ta on ona ono oni my wy ja ty nie jest był była w na z do po za od kiedy jeśli potem tam tu',
  ),
  hi: short('कि.ग्रा कि.मी डॉ प्रो कु मि रु पं स्व एड ग्रा कि इं श्री', 'पृ सं', 'कि.ग्रा कि.मी', ''),
};

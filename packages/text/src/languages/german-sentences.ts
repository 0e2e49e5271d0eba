import { type SentenceWords, words } from './language.ts';

export const germanSentences: SentenceWords = {
  joins: words(`
    hr hrn fr frl dr drs prof dipl ing mag med phil jur rer nat theol habil h.c st sankt z.b d.h u.a v.a o.ä i.d.r i.a
    d.i u.u s.o s.u m.e m.w z.t z.zt z.z bzw bspw vgl ca evtl ggf gem geb gest inkl exkl sog sogen insb insbes etwa
    zzgl abzgl aufl bde bearb betr bez bzgl ebd ehem eigtl einschl entspr erg erw exempl gegr hg hrsg ev kfm nachf
    nördl südl östl westl päd prot übers unverh verh verf verl versch vorm vors zit zus zzt reg städt gebr
    fam abschn jew fa chr joh frdl hd beschl urt frz z.hd i.v.m i.j i.v a.d a.m a.D o.d rn temp dipl.-ing univ.-prof priv.-doz ges mitgl
    v vgl.a ca.a bsp eig gez usf aug.-dr pck pkg stk msp tbl lit
    mind mwst zuz gew =max =min =abs =wg =vs =led =kath =Hl =hl =tel =Tel =str =sen =jun =röm =griech =lat =dt =engl =frz =amerik =allg
    =Abt =Bf =Hbf =Bhf =Kgl =kgl
  `),
  joinsNumber: words(`
    gl abschn hausnr rn rdnr ziff urt v vom lit beschl nr nrn s bd bde kap abb abs art tab taf anm ziff zif lfg jg h heft aufl st s. § psd p pp tel fax vol fol sp z rn
    rdnr rz bl kl op =Jan =Feb =Mär =Apr =Jun =Jul =Aug =Sep =Sept =Okt =Nov =Dez =Mo =Di =Mi =Do =Fr =Sa =So um ca etwa
  `),
  mayEnd: words(`
    usw etc u.s.w u.v.m u.ä u.dgl o.dgl bzgl co ag gmbh kg ohg jh jhd jhs str std min sek jr sr inc ltd
    mio mrd tsd pf cm km
  `),
  starters: words(`
    der die das den dem des ein eine einen einem einer er sie es wir ihr ich du man dies diese dieser dieses jene
    aber und oder doch denn sondern dann danach dort hier da als wenn weil obwohl während nachdem bevor in im am an
    auf aus bei mit nach von vor zu zum zur über unter um für gegen ohne durch seit was wer wie wo warum wann welche
    welcher welches ist sind war waren hat haben hatte kann könnte muss soll wird werden würde nicht nun jetzt heute
    gestern morgen später außerdem jedoch trotzdem deshalb darum also alle viele einige manche kein keine ja nein
    bitte vielleicht schließlich plötzlich sein seine mein meine unser unsere
  `),
  speechVerbs: words(`
    sagte sagt fragte fragt rief ruft antwortete antwortet schrie schreit flüsterte flüstert murmelte meinte meint
    erwiderte erwidert entgegnete dachte denkt stammelte brüllte seufzte lachte befahl erklärte begann fuhr setzte
  `),
  ordinalNouns: words(`
    januar jänner februar feber märz april mai juni juli august september oktober november dezember jan feb mär apr
    jun jul aug sep sept okt nov dez jh jhd jhs jahrhundert jahrhunderts jahrhunderte jahrtausend jahrtausends weltkrieg
    weltkriegs weltkrieges klasse stock stockwerk etage mal platz rang auflage kapitel band teil tag tage woche monat
    jahr jahrestag geburtstag quartal halbjahr halbzeit runde akt szene buch vers strophe satz sinfonie symphonie
    bezirk armee division infanterie regiment bundesliga liga spieltag minute stunde etappe grad ordnung person lesung
    lebensjahr fc sc sv tsv vfb vfl aufl kompanie ausg mose könige korinther samuel chronik petrus makkabäer band gebot lektion advent bd mannschaft reihe preis brief kor kön petr
    lebensjahr semester staffel folge ausgabe sitzung wahlperiode legislaturperiode advent
  `),
  ordinalLeads: words(`
    der die das den dem des am im vom zum zur beim ins ans jeder jede jedes jeden jedem dieser diese diesem sein
    seine seinem seinen seiner ihr ihre ihrem ihren ihrer mein meine meinem meinen bis und ab seit ludwig heinrich
    friedrich wilhelm karl otto ein eine einen
  `),
};

import { noWords, type SentenceWords, words } from './language.ts';

export const englishSentences: SentenceWords = {
  joins: words(`
    mr mrs ms mx messrs mmes dr drs prof profs revd st ste mt mts pres gov govs supt det insp lt ltc ltcol col cols maj
    majs capt capts cmdr cdr comdr cpl cpls sgt sgts pvt pvts pfc brig commr cmsgt msgt tsgt ssgt amb treas secy atty
    attys assoc hon'ble lieut msgr mlle mme archbp cllr viz cf e.g i.e eg ie vs v.s ca circa approx a.k.a aka d.b.a
    n.b q.v op cit ibid esp incl excl resp attn introd transl appt anon r.s.v.p tpk rte hwy bldg
    =Rev =Fr =Hon =Sen =Sens =Rep =Reps =Gen =Gens =Gov =Adm =Adms =Ven =Br =Sr =Sra =Srta =Ens =Sec =Asst =Dist
    =Bp =Mgr =Adj =Wm =Chas =Geo =Jas =Jos =Thos =Edw =Robt =Benj =Saml =Danl =Alex =Ft =Pte =Bt =Phil =Univ =Dept
    =Inf =Regt =Bn =Div =Cav =Art =Lic =Sgt =min =max =avg =temp =est =ext =Doc
  `),
  joinsNumber: words(`
    no nos nr p pp pg pgs para paras par vol vols ch chap chaps chs fig figs eq eqs eqn art arts sect sects sec secs
    ref refs tab tbl app ex exs ln ll col cols fol ff n nn v vv stanza pt pts ver rel r rev cl cls sched sch bk bks lib
    tel ext fax mob apt rm ste lot pl plt ser serv iss op opus kv bwv nt q b d fl c cca abt reg min max avg temp wt ht
    dia est approx circa av
    =Jan =Feb =Mar =Apr =May =Jun =Jul =Aug =Sep =Sept =Oct =Nov =Dec =Mon =Tue =Tues =Wed =Thu =Thur =Thurs =Fri =Sat
    =Sun =Jn =Mt =Mk =Lk =Cor =Gen =Ex =Lev =Num =Deut =Josh =Judg =Sam =Kgs =Chr =Neh =Esth =Ps =Pss =Prov =Eccl =Isa
    =Jer =Ezek =Dan =Hos =Matt =Rom =Gal =Eph =Phil =Col =Thess =Tim =Tit =Heb =Jas =Pet =Rev
  `),
  mayEnd: words(`
    inc incs corp corps co cos ltd llc llp plc pty bhd gmbh s.a n.v jr sr esq etc al ave blvd rd ln ct terr pkwy expy
    cres hts cir assn bros mfg mfrs intl natl govt
    a.m p.m b.c a.d b.c.e c.e u.s u.s.a u.k u.n e.u d.c n.y l.a n.j u.s.s.r u.a.e ph.d m.d b.a m.a b.s m.s
    d.d.s d.v.m ll.b ll.m j.d ed.d r.n m.b.a b.sc m.sc d.phil p.s p.o n.z
    =Ala =Ariz =Ark =Calif =Colo =Conn =Del =Fla =Ga =Ill =Ind =Kan =Kans =Ky =La =Md =Mass =Mich =Minn =Miss =Mo
    =Mont =Neb =Nebr =Nev =Okla =Ore =Penn =Tenn =Tex =Va =Vt =Wash =Wis =Wisc =Wyo =Alta =Ont =Qué =Que =Sask
    =Jan =Feb =Apr =Jun =Jul =Aug =Sept =Oct =Nov =Dec =Mon =Tues =Wed =Thurs =Fri
    contd alt abbr abbrev adv agcy econ educ encycl hort
  `),
  starters: words(`
    a an the this that these those there here he she it they we you i who what when where why how which whose
    his her its their our my your is are was were do does did have has had can could will would shall should may
    might must am let please if but and or so yet nor for as at by in on of to from with without after before since
    until while though although because however moreover meanwhile then thus hence therefore nevertheless still
    instead also perhaps maybe now later today yesterday tomorrow soon once no not yes oh well some many most all
    both each every another one two three several few such other others nobody everyone someone nothing everything
    something even only just finally next first second suddenly again during under over between among about across
    despite unlike like than i'm i'd i'll i've it's he's she's they're we're you're that's there's what's who's
    don't didn't isn't wasn't let's critics police officials analysts people
  `),
  speechVerbs: words(`
    said says say asked asks ask cried cries replied replies answered answers shouted shouts whispered whispers
    exclaimed exclaims muttered mutters murmured murmurs yelled yells screamed screams called calls demanded demands
    inquired enquired wondered wonders thought thinks added adds continued continues began begins went goes gasped
    growled groaned laughed sobbed sighed snapped snarled roared bellowed barked hissed mumbled stammered stuttered
    interrupted insisted repeated retorted returned responded remarked observed announced declared explained
    protested pleaded begged urged warned wailed shrieked croaked chuckled giggled breathed echoed put told
  `),
  ordinalNouns: noWords,
  ordinalLeads: noWords,
};

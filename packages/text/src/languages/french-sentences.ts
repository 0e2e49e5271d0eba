import { noWords, type SentenceWords, words } from './language.ts';

export const frenchSentences: SentenceWords = {
  joins: words(`
    =M =MM mme mmes mlle mlles mgr =Me dr drs =Pr prof st ste sts stes =Cap =Col gal gén =Lt cdt cne sgt p.ex =ex
    c.-à-d c-à-d càd cf env vs i.e e.g n.b apr =av ibid op cit éd éds trad coll chap réf tél boul fbg imp bât resp =min
    =max =dir =req =ca
  `),
  joinsNumber: words(`
    n no nos num p pp pg pgs art arts chap ch fig figs vol t tom al alin par § réf tél fol f l v vv sect env ca
    janv févr fév avr juil sept oct nov déc
  `),
  mayEnd: words(`
    etc cie sté s.a s.a.r.l sarl ltd inc j.-c u.s.a u.e o.n.u s.n.c.f h min sec km cm kg jr sr
  `),
  starters: words(`
    le la les un une des ce cet cette ces il elle ils elles on nous vous je tu j'ai c'est c'était l'on qui que quoi
    quand où pourquoi comment mais et ou donc or ni car puis alors ensuite enfin cependant toutefois pourtant
    néanmoins ainsi aussi après avant pendant depuis dans en sur sous par pour avec sans chez vers entre selon si
    comme lorsque puisque tout toute tous toutes mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs
    est sont était étaient a ont aujourd'hui hier demain maintenant ici là voici voilà oui non ne d'abord
  `),
  speechVerbs: words(`
    dit disait demanda demande cria crie répondit répond murmura chuchota s'écria hurla ajouta reprit fit pensa
    s'exclama soupira grogna expliqua répliqua continua lança interrogea
  `),
  ordinalNouns: noWords,
  ordinalLeads: noWords,
};

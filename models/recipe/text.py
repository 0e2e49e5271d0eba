"""The sentences: examples from WordNet (free to redistribute under its licence) and our own templates.

WordNet brings everyday vocabulary; the templates bring what its examples lack: questions, dialogue, numbers, names, lists,
headings and single words. Numbers are spelled out, since the teacher and espeak-ng would read digits differently.
"""

import random
import re

NAMES = ('Alice Arthur Beatrice Carlos Clara Daniel Diana Edward Eleanor Emma Felix Fiona Frank George Grace Hannah Helen Henry '
         'Ivan Jack James Jane Julia Karen Kevin Laura Leo Linda Lucy Maria Mark Martin Mary Michael Nancy Nathan Nina Olivia '
         'Oscar Patrick Paul Peter Rachel Robert Rose Ruth Samuel Sarah Simon Sophie Stephen Susan Thomas Victor William').split()
SURNAMES = ('Anderson Baker Bennett Brown Carter Clark Collins Cooper Davis Edwards Evans Foster Garcia Gray Green Hall Harris '
            'Hill Hughes Jackson Johnson Jones King Lee Lewis Martin Miller Moore Morgan Morris Murphy Nelson Parker Phillips '
            'Reed Roberts Rogers Scott Smith Stewart Taylor Thompson Turner Walker Ward Watson White Wilson Wood Wright').split()
PLACES = ('London Paris Boston Chicago Denver Berlin Madrid Rome Vienna Dublin Oxford Cambridge Athens Cairo Delhi Tokyo Sydney '
          'Toronto Lisbon Prague Warsaw Texas Florida Canada Norway Sweden Scotland Ireland Brazil India China Japan').split()
THINGS = ('letter book window garden kitchen train ticket bridge river lamp camera coat engine map key clock bottle table chair '
          'basket painting violin boat lantern message parcel blanket mirror ladder hammer wagon saddle teapot candle pillow '
          'journal compass telescope suitcase umbrella bicycle notebook sandwich orange apple carrot flower tree horse dog cat '
          'bird fish rabbit tiger dragon castle tower church school office shop market station harbor island mountain valley '
          'forest meadow desert ocean beach road street corner signal sentence voice speaker server queue').split()
ADJECTIVES = ('old new small large quiet loud bright dark heavy light broken clean dusty empty full golden green narrow wide '
              'pleasant strange simple careful clever gentle proud thirsty weary honest curious famous ordinary wooden silver '
              'purple yellow ancient modern enormous tiny sharp smooth rough cold warm').split()
VERBS = ('found lost carried opened closed painted repaired borrowed sold bought washed hid noticed dropped lifted measured '
         'forgot remembered followed wanted chose broke pushed pulled described counted watched finished').split()
PLAIN = ('find lose carry open close paint repair borrow sell buy wash hide notice drop lift measure forget remember follow want '
         'choose break push pull describe count watch finish').split()
WHEN = ('yesterday|this morning|last night|after lunch|before sunrise|on Monday|on Tuesday evening|in the winter|at midnight|'
        'a week ago|three years later|early in the spring|in January|next October|on Thursday afternoon').split('|')
WHERE = ('in the kitchen|near the river|behind the church|under the old bridge|at the station|on the second floor|beside the road|'
         'across the valley|outside the city|between two hills|at the edge of the forest|over there|by the open window').split('|')
ADVERBS = 'slowly quickly quietly suddenly carefully happily sadly finally certainly probably rarely often'.split()
SAID = 'said asked whispered shouted answered replied cried murmured'.split()
UNITS = 'miles meters minutes hours dollars people pounds pages degrees percent days weeks years steps copies'.split()
MONTHS = 'January February March April May June July August September October November December'.split()
ONES = ('zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen '
        'eighteen nineteen').split()
TENS = '_ _ twenty thirty forty fifty sixty seventy eighty ninety'.split()
ORDINALS = ('first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth '
            'sixteenth seventeenth eighteenth nineteenth twentieth thirtieth').split()


def number(n):
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ('' if n % 10 == 0 else ' ' + ONES[n % 10])
    if n < 1000:
        return ONES[n // 100] + ' hundred' + ('' if n % 100 == 0 else ' ' + number(n % 100))
    if n < 1_000_000:
        return number(n // 1000) + ' thousand' + ('' if n % 1000 == 0 else ' ' + number(n % 1000))
    return number(n // 1_000_000) + ' million' + ('' if n % 1_000_000 == 0 else ' ' + number(n % 1_000_000))


class Writer:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, words):
        return self.rng.choice(words)

    def noun(self):
        thing = self.pick(THINGS)
        adjective = self.pick(ADJECTIVES) + ' ' if self.rng.random() < 0.5 else ''
        article = self.pick(['the', 'my', 'your', 'his', 'her', 'our', 'their', 'this', 'that', 'every', 'a'])
        if article == 'a' and (adjective or thing)[0] in 'aeiou':
            article = 'an'
        return f'{article} {adjective}{thing}'

    def who(self):
        r = self.rng.random()
        if r < 0.35:
            return self.pick(NAMES)
        if r < 0.5:
            return f'{self.pick(NAMES)} {self.pick(SURNAMES)}'
        if r < 0.6:
            return f'{self.pick(["Mister", "Doctor", "Professor", "Captain", "Lady"])} {self.pick(SURNAMES)}'
        return self.pick(['he', 'she', 'we', 'they', 'I', 'nobody', 'everyone', 'the driver', 'my sister', 'her uncle', 'the teacher',
                          'a stranger', 'the children', 'the old man', 'the captain'])

    def count(self):
        return number(int(10 ** self.rng.uniform(0.3, self.pick([1.5, 2.5, 3.5, 6.2]))))

    def clause(self):
        r = self.rng.random()
        if r < 0.35:
            return f'{self.who()} {self.pick(VERBS)} {self.noun()} {self.pick(WHERE)}'
        if r < 0.5:
            return f'{self.who()} {self.pick(ADVERBS)} {self.pick(VERBS)} {self.noun()}'
        if r < 0.65:
            return f'{self.noun()} was {self.pick(ADJECTIVES)} and {self.pick(ADJECTIVES)}'
        if r < 0.8:
            return f'{self.who()} {self.pick(VERBS)} {self.noun()} and {self.pick(VERBS)} {self.noun()}'
        return f'there was {self.pick(["no", "only one", "a"])} {self.pick(THINGS)} {self.pick(WHERE)}'

    def question(self):
        p = self.pick
        return p([
            lambda: f'Did {self.who()} {p(PLAIN)} {self.noun()}?',
            lambda: f'Is {self.noun()} {p(ADJECTIVES)}?',
            lambda: f'Are you going to {p(PLACES)} {p(WHEN)}?',
            lambda: f'Can {self.who()} {p(PLAIN)} {self.noun()} {p(WHERE)}?',
            lambda: f'Have you ever been to {p(PLACES)}, {p(NAMES)}?',
            lambda: f'Do you want to {p(PLAIN)} {self.noun()}, or {p(PLAIN)} it?',
            lambda: f'Where did {self.who()} {p(PLAIN)} {self.noun()}?',
            lambda: f'Why is {self.noun()} so {p(ADJECTIVES)}?',
            lambda: f'How many {p(UNITS)} are there {p(WHERE)}?',
            lambda: f'What will {self.who()} {p(PLAIN)} {p(WHEN)}?',
            lambda: f'Who {p(VERBS)} {self.noun()}?',
            lambda: f'You {p(VERBS)} {self.noun()}, didn\'t you?',
            lambda: p(['Really?', 'Why?', 'Are you sure?', 'What happened?', 'Is that so?', 'Ready?', 'And then?', 'Who is there?',
                       'Can you hear me?', 'May I come in?']),
        ])()

    def dialogue(self):
        p = self.pick
        return p([
            lambda: f'{_cap(self.clause())}, {p(SAID)} {p(NAMES)}.',
            lambda: f'{p(["Yes", "No", "Well", "Oh", "Please", "Look", "Listen", "Of course"])}, {self.clause()}.',
            lambda: f'{p(["Stop", "Wait", "Help", "Hurry up", "Look out", "Come here", "Go away", "Be careful"])}!',
            lambda: f'{p(["Thank you", "Good morning", "Good night", "Hello", "Goodbye", "Excuse me"])}, {p(NAMES)}.',
            lambda: f'{p(NAMES)} {p(SAID)}: {self.clause()}!',
            lambda: f'I don\'t {p(["know", "think so", "believe it", "remember", "care"])}, {p(SAID)} {self.who()} {p(ADVERBS)}.',
            lambda: f'What a {p(ADJECTIVES)} {p(THINGS)}!',
            lambda: f'Let\'s {p(PLAIN)} {self.noun()}; it isn\'t {p(ADJECTIVES)}.',
        ])()

    def numbers(self):
        p, r = self.pick, self.rng
        return p([
            lambda: f'{_cap(self.who())} counted {self.count()} {p(UNITS)}.',
            lambda: f'It costs {self.count()} dollars and {number(r.randint(2, 99))} cents.',
            lambda: f'On {p(MONTHS)} {p(ORDINALS)}, {p(["nineteen", "twenty", "eighteen"])} {number(r.randint(10, 99))}, {self.clause()}.',
            lambda: f'The train leaves at {number(r.randint(1, 12))} {p(["fifteen", "thirty", "forty five", "o clock", "twenty"])}.',
            lambda: f'{_cap(number(r.randint(2, 40)))} times {number(r.randint(2, 40))} is {number(r.randint(4, 1600))}.',
            lambda: f'My number is {", ".join(" ".join(p(ONES[:10]) for _ in range(3)) for _ in range(3))}.',
            lambda: f'About {number(r.randint(2, 99))} point {p(ONES[:10])} percent of the {p(UNITS)} were {p(ADJECTIVES)}.',
            lambda: f'Turn to page {number(r.randint(10, 999))}, line {number(r.randint(1, 60))}.',
        ])()

    def names(self):
        p = self.pick
        return p([
            lambda: f'{p(NAMES)} {p(SURNAMES)} moved from {p(PLACES)} to {p(PLACES)} {p(WHEN)}.',
            lambda: f'{p(NAMES)}, {p(NAMES)} and {p(NAMES)} {p(VERBS)} {self.noun()}.',
            lambda: f'Doctor {p(SURNAMES)} met {p(NAMES)} {p(SURNAMES)} in {p(PLACES)}.',
        ])()

    def heading(self):
        p = self.pick
        return p([
            lambda: f'Chapter {number(self.rng.randint(1, 60))}.',
            lambda: f'Part {number(self.rng.randint(1, 12))}: the {p(ADJECTIVES)} {p(THINGS)}.',
            lambda: f'{_cap(p(ADJECTIVES))} {p(THINGS)}.',
            lambda: f'The {p(THINGS)} of {p(PLACES)}.',
            lambda: f'{_cap(p(THINGS))}.',
        ])()

    def statement(self):
        p = self.pick
        return p([
            lambda: f'{_cap(self.clause())}.',
            lambda: f'{_cap(p(WHEN))}, {self.clause()}.',
            lambda: f'{_cap(self.clause())}, but {self.clause()}.',
            lambda: f'{_cap(self.clause())} because {self.clause()}.',
            lambda: f'When {self.clause()}, {self.clause()}.',
            lambda: f'If {self.clause()}, then {self.clause()}; otherwise, {self.clause()}.',
            lambda: f'{_cap(p(ADVERBS))}, {self.clause()}.',
            lambda: f'We packed {self.noun()}, {self.noun()}, {self.noun()} and {self.noun()}.',
            lambda: f'{_cap(self.clause())}, which {p(VERBS)} {self.noun()}, and {self.clause()}.',
        ])()


def _cap(s):
    return s[0].upper() + s[1:]


KINDS = ('statement', 'question', 'dialogue', 'numbers', 'names', 'heading')


def wordnet_examples(folder):
    """Examples of usage as sentences: no digits, no odd signs, 4 to 18 words."""
    seen, out = set(), []
    for part in ('noun', 'verb', 'adj', 'adv'):
        with open(f'{folder}/data.{part}', encoding='latin-1') as file:
            for line in file:
                for quote in re.findall(r'"([^"]+)"', line.split('|', 1)[-1]):
                    quote = re.sub(r'\s*-+-\s*|\s*\(.*?\)', ', ', quote).strip(' ,;')
                    if not re.fullmatch(r"[A-Za-z ',;:!?.-]+", quote) or re.search(r"\b[A-Z]{2,}|\.\S|\.\.|''|(?<!\w)'|'(?!\w)|\w\.\s", quote):
                        continue
                    words = len(quote.split())
                    if not 4 <= words <= 18 or quote.lower() in seen:
                        continue
                    seen.add(quote.lower())
                    out.append(_cap(quote) + ('' if quote[-1] in '.?!' else '.'))
    return out


def write(seed, total, wordnet, wordnet_share=0.62, skip=()):
    """`total` sentences as (kind, text), none of them in `skip`."""
    rng = random.Random(seed)
    writer = Writer(rng)
    examples = [s for s in wordnet_examples(wordnet) if s not in skip]
    rng.shuffle(examples)
    weights = {'statement': 6, 'question': 5, 'dialogue': 4, 'numbers': 4, 'names': 2, 'heading': 2}
    out, seen = [], set(skip)
    while len(out) < total:
        if rng.random() < wordnet_share and examples:
            kind, text = 'wordnet', examples.pop()
        else:
            kind = rng.choices(KINDS, [weights[k] for k in KINDS])[0]
            text = getattr(writer, kind)()
        text = _cap(text)
        if text in seen:
            continue
        seen.add(text)
        out.append((kind, text))
    return out

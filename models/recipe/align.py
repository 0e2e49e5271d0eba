"""espeak-ng's IPA against the teacher's phones, by dynamic programming over a small table of correspondences."""

from phonemes import MARKS, PUNCTUATION

PAIRS = ('aɪ', 'aʊ', 'eɪ', 'oʊ', 'ɔɪ', 'tʃ', 'dʒ', 'iə', 'əʊ')
TABLE = {
    'aɪ': 'ay', 'aʊ': 'aw', 'eɪ': 'ey eh', 'oʊ': 'ow', 'əʊ': 'ow', 'ɔɪ': 'oy', 'tʃ': 'ch', 'dʒ': 'jh', 'iə': 'iy ih ia',
    'a': 'ae aa ay', 'ɑ': 'aa ao', 'ɑː': 'aa ao', 'ɔ': 'ao aa', 'ɔː': 'ao ow aa', 'æ': 'ae', 'ɐ': 'ax ah ey ae', 'ʌ': 'ah ax aa',
    'ə': 'ax ah ih er', 'ɚ': 'er', 'ɜ': 'er', 'ɜː': 'er', 'ɛ': 'eh ae', 'e': 'ey eh', 'ɪ': 'ih ax iy', 'ᵻ': 'ih ax iy', 'i': 'iy ih',
    'iː': 'iy', 'ʊ': 'uh uw ax', 'u': 'uw uh', 'uː': 'uw', 'o': 'ow ao', 'oː': 'ao ow', 'ɒ': 'aa ao', 'n̩': 'n ax',
    'b': 'b', 'd': 'd t', 'f': 'f', 'ɡ': 'g', 'h': 'hh', 'j': 'y', 'k': 'k', 'l': 'l', 'm': 'm', 'n': 'n', 'ŋ': 'ng n', 'p': 'p',
    'ɹ': 'r', 'r': 'r', 's': 's z', 'ʃ': 'sh', 't': 't d', 'ɾ': 't d dx', 'ʔ': 't', 'θ': 'th dh', 'ð': 'dh th', 'v': 'v f', 'w': 'w',
    'z': 'z s', 'ʒ': 'zh jh', 'x': 'k hh',
}
TABLE = {sound: phones.split() for sound, phones in TABLE.items()}
VOWELS = set('aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw ia'.split())
VOWEL_SIGNS = set('aeiouæɐɑɒɔəɚɛɜɪʊʌᵻ')
# One sound for two phones, and two sounds for one phone.
ONE_FOR_TWO = {('n̩', 'ax', 'n'), ('ɚ', 'ax', 'r'), ('ɜː', 'ah', 'r'), ('iə', 'iy', 'ax'), ('iə', 'iy', 'ah'), ('ɔɪ', 'ao', 'ih')}
TWO_FOR_ONE = {('ɚ', 'ɹ', 'er'), ('ə', 'ɹ', 'er'), ('ɜː', 'ɹ', 'er'), ('ʊ', 'ɹ', 'er'), ('ɪ', 'ɹ', 'er'), ('ə', 'l', 'l'), ('ɛ', 'ɹ', 'er')}


def units(ipa):
    """Groups of signs with one length each: [(key, [positions])]; a break is keyed by its sign or a space."""
    out, i = [], 0
    while i < len(ipa):
        sign = ipa[i]
        if sign in PUNCTUATION or sign == ' ':
            span = [i]
            while i + 1 < len(ipa) and (ipa[i + 1] in PUNCTUATION or ipa[i + 1] == ' '):
                i += 1
                span.append(i)
            signs = [ipa[k] for k in span if ipa[k] != ' ']
            out.append((signs[0] if signs else ' ', span))
        elif sign in MARKS:
            if out and sign != 'ˈ' and sign != 'ˌ':
                key, span = out[-1]
                span.append(i)
                out[-1] = (key + sign if key + sign in TABLE else key, span)
            else:
                out.append(('', [i]))
        elif ipa[i:i + 2] in PAIRS:
            out.append((ipa[i:i + 2], [i, i + 1]))
            i += 1
        else:
            out.append((sign, [i]))
        i += 1
    return [u for u in out if u[0]]


def is_break(key):
    return key == ' ' or key in PUNCTUATION


def _match(key, phone):
    if is_break(key):
        return (0.1 if key == ' ' else 0.0) if phone == 'pau' else 3.0
    if phone == 'pau':
        return 3.0
    known = TABLE.get(key, ())
    if phone in known:
        return 0.05 * known.index(phone)
    vowel = key[0] in VOWEL_SIGNS
    if vowel != (phone in VOWELS):
        return 2.0
    return 0.6 if vowel else 0.9


def _drop_unit(key):
    if key == ' ':
        return 0.0
    if key in PUNCTUATION:
        return 0.5
    return 0.45 if key in ('ɹ', 'ə', 'j', 'h') else 0.9


def align(ipa, phones):
    """Frames per sign of `ipa` as [(first phone, end phone)] spans per unit, and the mean cost of a unit."""
    us = units(ipa)
    n, m = len(us), len(phones)
    inf = float('inf')
    cost = [[inf] * (m + 1) for _ in range(n + 1)]
    back = [[None] * (m + 1) for _ in range(n + 1)]
    cost[0][0] = 0.0
    band = max(12, abs(n - m) + 12)
    for i in range(n + 1):
        middle = i * m // max(n, 1)
        for j in range(max(0, middle - band), min(m, middle + band) + 1):
            here = cost[i][j]
            if here == inf:
                continue

            def step(di, dj, price):
                if here + price < cost[i + di][j + dj]:
                    cost[i + di][j + dj] = here + price
                    back[i + di][j + dj] = (di, dj)

            if i < n and j < m:
                step(1, 1, _match(us[i][0], phones[j]))
            if i < n:
                step(1, 0, _drop_unit(us[i][0]))
            if j < m:
                step(0, 1, 0.7 if phones[j] == 'pau' else 0.9)
            if i < n and j + 1 < m and (us[i][0], phones[j], phones[j + 1]) in ONE_FOR_TWO:
                step(1, 2, 0.1)
            if i + 1 < n and j < m and (us[i][0], us[i + 1][0], phones[j]) in TWO_FOR_ONE:
                step(2, 1, 0.1)
    if cost[n][m] == inf:
        return None
    spans = [None] * n
    shares = [1.0] * n
    i, j = n, m
    while i or j:
        di, dj = back[i][j]
        if (di, dj) == (2, 1):
            # The first of two sounds takes the phone's first half.
            spans[i - 2] = spans[i - 1] = (j - 1, j)
            shares[i - 2], shares[i - 1] = 0.5, -0.5
        elif di == 1:
            spans[i - 1] = (j - dj, j)
        i, j = i - di, j - dj
    return us, spans, shares, cost[n][m] / max(1, n)


def sign_frames(ipa, phones, ends):
    """Frames of 10 ms per sign of `ipa`, the frames before the first sign, and the cost; None if it cannot be."""
    found = align(ipa, phones)
    if found is None:
        return None
    us, spans, shares, price = found
    starts = [0] + list(ends[:-1])
    frames = [0] * len(ipa)
    edges = []
    for span, share in zip(spans, shares):
        first, last = span
        begin = starts[first] if first < len(starts) else ends[-1]
        end = ends[last - 1] if last > first else begin
        if share == 0.5:
            end = (begin + end) // 2
        elif share == -0.5:
            begin = (begin + end) // 2
        edges.append([begin, end])
    # Phones that belong to no sound lengthen the one before them.
    lead = edges[0][0]
    for k in range(len(edges)):
        until = edges[k + 1][0] if k + 1 < len(edges) else ends[-1]
        begin = edges[k][0]
        length = max(0, until - begin)
        key, span = us[k]
        own = [p for p in span if ipa[p] not in MARKS and (not is_break(key) or p == span[0])] or span[:1]
        parts = [length // len(own)] * len(own)
        for extra in range(length - sum(parts)):
            parts[extra] += 1
        for p, f in zip(own, parts):
            frames[p] = f
    return frames, lead, price

"""Text → the teacher's parameters and wave → per-phoneme frames, in shards that survive being stopped."""

import zlib
from functools import lru_cache

import numpy as np

from align import sign_frames
from phonemes import IDS, Phonemizer, to_ids
from teacher import Teacher
from text import write

SPEAKERS = ('slt', 'rms')
RATE, HOP = 16000, 160
LEAD, TAIL = 6, 12
SHARD = 100


@lru_cache
def warp_matrix(order, length, alpha):
    """Cepstrum on a warped axis of `alpha` to a plain one of `length`: a linear map."""
    out = np.zeros((order + 1, length))
    for column in range(order + 1):
        c = np.zeros(order + 1)
        c[column] = 1
        g = np.zeros(length)
        for i in range(order, -1, -1):
            d = g.copy()
            g[0] = c[i] + -alpha * d[0]
            g[1] = (1 - alpha * alpha) * d[0] + -alpha * d[1]
            for j in range(2, length):
                g[j] = d[j - 1] + -alpha * (d[j] - g[j - 1])
        out[column] = g
    return out


def energy(mc, alpha, length=64):
    cep = mc @ warp_matrix(mc.shape[1] - 1, length, alpha)
    h = np.zeros_like(cep)
    h[:, 0] = np.exp(cep[:, 0])
    k = np.arange(length)
    for n in range(1, length):
        h[:, n] = (cep[:, 1:n + 1] * k[1:n + 1] * h[:, n - 1::-1][:, :n]).sum(1) / n
    return (h ** 2).sum(1)


def sharpen(mcep, alpha, beta):
    """The filter that the teacher really runs: its mel-cepstrum after its postfilter, level kept."""
    mc = np.pad(mcep.astype(np.float64), ((0, 0), (0, 1)))
    b = mc.copy()
    for k in range(mc.shape[1] - 2, -1, -1):
        b[:, k] = mc[:, k] - alpha * b[:, k + 1]

    def back(b):
        c = b.copy()
        c[:, :-1] += alpha * b[:, 1:]
        return c

    before = energy(back(b), alpha)
    b[:, 1] -= beta * alpha * mc[:, 2]
    b[:, 2:] *= 1 + beta
    b[:, 0] += np.log(before / energy(back(b), alpha)) / 2
    return back(b)[:, :mcep.shape[1]].astype(np.float32)


def continuous(f0):
    voiced = f0 > 0
    if not voiced.any():
        return np.full(len(f0), np.log(150.0), np.float32), voiced
    at = np.arange(len(f0))
    return np.interp(at, at[voiced], np.log(f0[voiced])).astype(np.float32), voiced


def intone(log_f0, voiced, ipa, durations):
    """
    The teacher speaks questions like statements. Ours rise to their last voiced frame; commas rise a little, exclamations
    stand higher. `durations` begin with the frames before the first sign.
    """
    out = log_f0.copy()
    semitone = np.log(2) / 12
    starts = 2 * np.cumsum(durations)
    begin = 0
    for sign, start, end in zip(ipa, starts[:-1], starts[1:]):
        if sign not in '.,?!;:':
            continue
        spoken = np.flatnonzero(voiced[begin:start])
        if sign in '?,' and len(spoken):
            last = begin + spoken[-1] + 1
            rise, length = (1.2, 40) if sign == ',' else (5.0, 80)
            length = min(length, last - begin)
            if sign == '?':
                # The teacher's own fall is taken out, not only raised.
                out[last - length:last] = min(out[last - length], np.median(out[begin:last]) + semitone)
            out[last - length:last] += rise * semitone * np.linspace(0, 1, length) ** 1.3
        if sign == '!':
            out[begin:start] += 1.5 * semitone
        if sign in '.?!':
            begin = end
    return out


class Maker:
    def __init__(self, root):
        self.phonemizer = Phonemizer(root)
        self.teachers = {name: Teacher(name) for name in SPEAKERS}

    def close(self):
        self.phonemizer.close()

    def make(self, text, speaker, ipa=None):
        """One aligned utterance, or None where sounds and phones do not agree."""
        ipa = ipa or self.phonemizer(text)
        teacher = self.teachers[speaker]
        spoken = teacher.speak(text)
        db = teacher.db
        half = len(spoken.f0)
        total = (half - 1) // 2
        ends = [min(total, round(end * 100)) for _, end in spoken.phones]
        ends[-1] = total
        found = sign_frames(ipa, [name for name, _ in spoken.phones], ends)
        if found is None or found[2] > 0.16:
            return None
        frames, lead, price = found
        cut = max(0, lead - LEAD)
        lead -= cut
        last = max(p for p, sign in enumerate(ipa) if frames[p] or sign in '.?!')
        spare = max(0, frames[last] - TAIL)
        frames[last] -= spare
        length = total - cut - spare
        mc = sharpen(spoken.mcep, db['alpha'], db['beta'])
        log_f0, voiced = continuous(spoken.f0)
        a, b = 2 * cut, 2 * (cut + length)
        log_f0 = log_f0[a:b]
        ids = [IDS['^']] + [IDS[s] for s in ipa if s in IDS] + [IDS['$']]
        durations = [lead] + [f for f, s in zip(frames, ipa) if s in IDS] + [0]
        assert sum(durations) == length, (sum(durations), length)
        # The teacher's excitation filters delay its wave by half their length.
        late = db['me_h'].shape[1] // 2
        wave = np.pad(spoken.wave, (0, late))[a * 80 + late:b * 80 + late]
        return {
            'text': text, 'ipa': ipa, 'speaker': SPEAKERS.index(speaker), 'price': price,
            'ids': np.array(ids, np.int16), 'durations': np.array(durations, np.int16),
            'mc': mc[a:b].astype(np.float16), 'strength': spoken.strength[a:b].astype(np.float16),
            'teacher_log_f0': log_f0.astype(np.float32),
            'log_f0': intone(log_f0, voiced[a:b], ipa, durations).astype(np.float32),
            'voiced': voiced[a:b], 'wave': wave.astype(np.int16),
        }


def build(work, root, wordnet, per_speaker, seed, log):
    folder = work / 'corpus'
    folder.mkdir(parents=True, exist_ok=True)
    held_out = {text for _, text in write(seed + 1, 400, wordnet)}
    sentences = write(seed, per_speaker * 2, wordnet, skip=held_out)
    # Some utterances hold two sentences, so that a full stop inside is a pause as well.
    texts = [text if i % 9 else f'{text} {sentences[i - 1][1]}' for i, (_, text) in enumerate(sentences)]
    maker = None
    for shard in range(0, len(texts), SHARD):
        path = folder / f'{shard // SHARD:04d}.npy'
        if path.exists():
            continue
        maker = maker or Maker(root)
        made = [maker.make(text, SPEAKERS[(shard + i) % 2]) for i, text in enumerate(texts[shard:shard + SHARD])]
        good = [m for m in made if m is not None]
        if shard % (4 * SHARD):
            # Waves are for the vocoder, which needs few.
            for m in good:
                m['wave'] = m['wave'][:0]
        np.save(path.with_suffix('.tmp.npy'), np.array(good, object), allow_pickle=True)
        path.with_suffix('.tmp.npy').rename(path)
        log(f'corpus: shard {shard // SHARD}, {len(good)} of {len(made)} aligned')
    if maker:
        maker.close()


def load(work):
    out = []
    for path in sorted((work / 'corpus').glob('[0-9]*.npy')):
        if '.tmp' not in path.name:
            out += list(np.load(path, allow_pickle=True))
    for m in out:
        # The rules of intonation may have changed since the shard was made.
        m['log_f0'] = intone(m['teacher_log_f0'], m['voiced'], m['ipa'], m['durations']).astype(np.float32)
    return out


def is_held_out(text, every=40):
    return zlib.crc32(text.encode()) % every == 0

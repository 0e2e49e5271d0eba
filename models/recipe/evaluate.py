"""What the shipped file does, measured on sentences that training never saw."""

import json
import re
import time

import numpy as np
import onnx
import onnxruntime as ort
import torch

from corpus import SPEAKERS, Maker
from listen import Listener, errors, words
from model import HOP, NOISE, RATE, pack, phases, split_out
from phonemes import PUNCTUATION, to_ids
from text import write
from train import batch, predict

WH = re.compile(r'^\W*(who|what|where|when|why|which|how)\b', re.I)
PER_KIND = {'statement': 20, 'question': 20, 'dialogue': 20, 'numbers': 20, 'names': 20, 'wordnet': 20, 'heading': 10}


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=['CPUExecutionProvider'])


class Shipped:
    def __init__(self, path):
        self.path = path
        began = time.process_time()
        self.session = session(str(path))
        self.load_s = time.process_time() - began
        self.cpu_s = self.audio_s = 0.0

    def feeds(self, ipa, sid, speed=1.0):
        ids = np.array([to_ids(ipa)], np.int64)
        return {'input': ids, 'input_lengths': np.array([ids.shape[1]]), 'scales': np.array([0, 1 / speed, 0], np.float32),
                'sid': np.array([sid])}

    def speak(self, ipa, sid, speed=1.0):
        feeds = self.feeds(ipa, sid, speed)
        began = time.process_time()
        wave = self.session.run(None, feeds)[0].reshape(-1)
        self.cpu_s += time.process_time() - began
        self.audio_s += len(wave) / RATE
        return np.round(wave * 32767).astype(np.int16)

    def split(self):
        model = onnx.load(str(self.path))
        inputs = ['input', 'input_lengths', 'scales', 'sid']
        return [session(part(model, a, b).SerializeToString())
                for a, b in ((inputs, ['durations', 'z']), (['z'], ['output']))]


def part(model, inputs, outputs):
    """The nodes between two sets of names."""
    graph = model.graph
    known = {v.name: v for v in [*graph.input, *graph.output, *graph.value_info]}
    maker = {name: node for node in graph.node for name in node.output}
    wanted, used, queue = set(), set(inputs), list(outputs)
    while queue:
        name = queue.pop()
        if name in used:
            continue
        used.add(name)
        if name in maker:
            wanted.add(maker[name].output[0])
            queue += [i for i in maker[name].input if i]
    cut = onnx.helper.make_graph([n for n in graph.node if n.output[0] in wanted], 'part', [known[i] for i in inputs],
                                 [known[o] for o in outputs], [t for t in graph.initializer if t.name in used])
    return onnx.helper.make_model(cut, opset_imports=model.opset_import, ir_version=model.ir_version)


def sentences(seed, wordnet):
    left, out = dict(PER_KIND), []
    for kind, text in write(seed + 1, 400, wordnet):
        if left[kind]:
            left[kind] -= 1
            out.append((kind, text))
    return out


def mel_table(count=80, size=1024):
    top = 2595 * np.log10(1 + 8000 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, count + 2) / 2595) - 1) / 8000 * (size // 2)
    k = np.arange(size // 2 + 1)[None]
    m = np.maximum(0, np.minimum((k - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None],
                                 (edges[2:, None] - k) / (edges[2:] - edges[1:-1])[:, None]))
    return torch.tensor(m, dtype=torch.float32)


def mel_db(wave, table):
    s = torch.stft(torch.tensor(wave, dtype=torch.float32) / 32768, 1024, HOP, window=torch.hann_window(1024),
                   return_complex=True).abs().pow(2)
    return 10 * torch.log10(table @ s + 1e-7)


def objective(items, acoustic, vocoder, stats):
    """Distances at the teacher's lengths."""
    table = mel_table()
    sums = {k: [] for k in ('mcd_db', 'mel_db', 'mel_db_copy', 'f0_cents', 'voicing', 'phone_ms', 'length_ratio')}
    for m in items:
        with torch.no_grad():
            b = batch([m], stats)
            out, log_duration = predict(acoustic, b)
            mc, strength, log_f0, voicing = split_out(acoustic, out)
            rows = mc.shape[1]
            truth = torch.tensor(m['mc'][:rows]).float()
            sounding = np.array([s not in PUNCTUATION + ' ' for s in '^' + m['ipa'] + '$'])
            sounding[[0, -1]] = False
            rest = np.repeat(sounding[np.repeat(np.arange(len(m['ids'])), m['durations'])], 2)[:rows]
            d = (mc[0] - truth)[rest][:, 1:]
            sums['mcd_db'].append(float(10 / np.log(10) * torch.sqrt(2 * (d ** 2).sum(1)).mean()))
            voiced = torch.tensor(m['voiced'][:rows])
            cents = (log_f0[0] - torch.tensor(m['log_f0'][:rows]))[voiced] * 1200 / np.log(2)
            sums['f0_cents'].append(float(torch.sqrt((cents ** 2).mean())))
            sums['voicing'].append(float(((voicing[0] > 0) != voiced).float().mean()))
            at = (torch.arange(rows // 2) % (NOISE // 2)).float()[None]
            copies = []
            for source in ('copy', 'voice'):
                # F0 is the teacher's in both, so that the comb of harmonics does not hide the envelope.
                f0 = torch.exp(torch.tensor(m['teacher_log_f0'][None, :rows])).float()
                if source == 'copy':
                    st, v, c = torch.tensor(m['strength'][None, :rows]).float(), voiced[None].float(), truth[None]
                else:
                    st, v, c = strength, torch.sigmoid(3 * voicing), mc
                wave = vocoder(pack(c, st, f0, v, phases(f0), at))[0].numpy() * 32768
                copies.append(mel_db(wave, table))
            real = mel_db(m['wave'][:rows * HOP // 2], table)
            sums['mel_db_copy'].append(float((copies[0] - real).abs().mean()))
            sums['mel_db'].append(float((copies[1] - real).abs().mean()))
            made = (torch.exp(log_duration[0]) - 1).numpy()
            true = m['durations'].astype(float)
            sums['phone_ms'].append(float(np.abs(made - true)[sounding & (true > 0)].mean() * 10))
            sums['length_ratio'].append(float(np.maximum(made, 0)[sounding].sum() / true[sounding].sum()))
    return {k: round(float(np.mean(v)), 4) for k, v in sums.items()}


def ends_rising(first, feeds):
    """Semitones of the last 30 ms over the stretch 150 to 250 ms before the end, voiced frames only."""
    z = first.run(['z'], feeds)[0]
    sub = z[0].T[:, :-1].reshape(-1, (z.shape[1] - 1) // 2)
    f0, voiced = sub[:, 30], sub[:, 31] > 0.5
    f = f0[voiced]
    return float(12 * np.log2(f[-6:].mean() / f[-50:-30].mean())) if len(f) > 60 else None


class Heard:
    """What was understood of the teacher; kept, as it does not change."""

    def __init__(self, path, maker, listener):
        self.path, self.maker, self.listener = path, maker, listener
        self.known = json.loads(path.read_text()) if path.exists() else {}

    def __call__(self, speaker, text):
        key = f'{speaker}: {text}'
        if key not in self.known:
            wave = self.maker.teachers[speaker].speak(text).wave
            self.known[key] = [' '.join(self.listener.hear(wave)), len(wave)]
            self.path.write_text(json.dumps(self.known))
        heard, length = self.known[key]
        return heard.split(), length


def evaluate(onnx_path, work, root, wordnet, seed, acoustic, vocoder, log):
    torch.set_num_threads(1)
    stats = dict(np.load(work / 'stats.npz'))
    shipped, maker, listener = Shipped(onnx_path), Maker(root), Listener()
    heard_of = Heard(work / 'teacher-heard.json', maker, listener)
    first, second = shipped.split()
    texts = sentences(seed, wordnet)
    by, faults, rises, items = {}, [], {'yes-no': [], 'wh': [], 'statement': []}, []
    first_audio, whole_cpu, speeds = [], [], []
    worst = 0
    context = vocoder.context
    for n, (kind, text) in enumerate(texts):
        ipa = maker.phonemizer(text)
        said = words(text)
        for sid, speaker in enumerate(SPEAKERS):
            wave = shipped.speak(ipa, sid)
            heard, length = heard_of(speaker, text)
            row = by.setdefault((speaker, kind), [0, 0, 0])
            row[0] += len(said)
            row[1] += errors(said, heard)
            row[2] += errors(said, listener.hear(wave))
            peak = int(np.abs(wave.astype(int)).max())
            ratio = len(wave) / (length - 0.2 * RATE)
            if peak < 1500 or peak >= 32767 or not 0.6 < ratio < 1.5:
                faults.append({'text': text, 'speaker': speaker, 'peak': peak, 'length_ratio': round(ratio, 2)})
            item = maker.make(text, speaker, ipa)
            if item is not None:
                items.append(item)
            feeds = shipped.feeds(ipa, sid)
            rise = ends_rising(first, feeds)
            if rise is not None and kind in ('question', 'statement'):
                key = 'statement' if kind == 'statement' else 'wh' if WH.match(text) else 'yes-no'
                rises[key].append(rise)
            if n % 8 == 0:
                # Windows with their context against the whole.
                began = time.process_time()
                _, z = first.run(['durations', 'z'], feeds)
                head = second.run(None, {'z': z[:, :, :28 + context]})[0]
                first_audio.append(time.process_time() - began)
                began = time.process_time()
                shipped.session.run(None, feeds)
                whole_cpu.append((time.process_time() - began, z.shape[2] / 100))
                parts, at, size = [], 0, 28
                while at < z.shape[2]:
                    a, b = max(0, at - context), min(z.shape[2], at + size + context)
                    w = second.run(None, {'z': z[:, :, a:b]})[0].reshape(-1)
                    parts.append(w[(at - a) * HOP:][:min(size, z.shape[2] - at) * HOP])
                    at, size = at + size, int(size * 1.6)
                joined = np.round(np.concatenate(parts) * 32767).astype(int)
                worst = max(worst, int(np.abs(joined - wave).max()))
                speeds.append([len(shipped.speak(ipa, sid, s)) / len(wave) for s in (0.5, 2.0)])
        if n % 20 == 19:
            log(f'evaluated {n + 1} of {len(texts)}')
    repeat = [Shipped(onnx_path).speak(maker.phonemizer('The same words, the same samples.'), 0).tobytes() for _ in range(2)]

    def wer(select):
        rows = np.array([v for k, v in by.items() if select(*k)]).sum(0)
        return {'words': int(rows[0]), 'teacher': round(rows[1] / rows[0], 4), 'voice': round(rows[2] / rows[0], 4),
                'ratio': round(rows[2] / rows[1], 3) if rows[1] else None}

    maker.close()
    return {
        'sentences': len(texts),
        'wer': {'all': wer(lambda s, k: True), **{s: wer(lambda a, _, s=s: a == s) for s in SPEAKERS},
                **{k: wer(lambda _, b, k=k: b == k) for k in PER_KIND}},
        'objective': {'aligned': len(items), **objective(items, acoustic, vocoder, stats)},
        'faults': faults,
        'question_rise_semitones': {k: {'mean': round(float(np.mean(v)), 2), 'rising': round(float(np.mean(np.array(v) > 0)), 2),
                                        'n': len(v)} for k, v in rises.items() if v},
        'windows_worst_lsb': worst,
        'same_twice': repeat[0] == repeat[1],
        'rtf_one_thread': round(shipped.cpu_s / shipped.audio_s, 4),
        'first_audio_ms': {'mean': round(1000 * float(np.mean(first_audio)), 1), 'worst': round(1000 * max(first_audio), 1),
                           'share_of_whole': round(float(np.mean([a / w for a, (w, _) in zip(first_audio, whole_cpu)])), 2)},
        'length_at_speed': {'0.5': round(float(np.mean([s[0] for s in speeds])), 3), '2': round(float(np.mean([s[1] for s in speeds])), 3)},
        'load_ms': round(1000 * shipped.load_s),
        'bytes': onnx_path.stat().st_size,
    }

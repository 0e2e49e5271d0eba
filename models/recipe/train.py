"""Training of both networks. A checkpoint holds everything, so that a run goes on where it was stopped."""

import copy
import time

import numpy as np
import torch
import torch.nn.functional as F

from corpus import is_held_out, load
from model import BANDS, HOP, MC, NOISE, Acoustic, Vocoder, pack, phases, split_out, within
from phonemes import SYMBOLS


def statistics(items):
    mc = np.concatenate([m['mc'] for m in items[::7]]).astype(np.float64)
    st = np.concatenate([m['strength'] for m in items[::7]]).astype(np.float64)
    f0 = np.concatenate([m['log_f0'][m['voiced']] for m in items[::7]]).astype(np.float64)
    return {'mc_mean': mc.mean(0), 'mc_std': mc.std(0), 'str_mean': st.mean(0), 'str_std': st.std(0),
            'f0_mean': f0.mean(), 'f0_std': f0.std()}


def batch(items, stats):
    n = max(len(m['ids']) for m in items)
    t = max(len(m['mc']) // 2 for m in items)
    out = {k: np.zeros((len(items), n), np.int64) for k in ('ids', 'durations')}
    out['mask'] = np.zeros((len(items), 1, n), np.float32)
    out['frame_mask'] = np.zeros((len(items), 1, t), np.float32)
    out['index'] = np.zeros((len(items), t), np.int64)
    out['spans'] = np.zeros((len(items), t, 2), np.float32)
    out['target'] = np.zeros((len(items), t * 2, MC + BANDS + 2), np.float32)
    for i, m in enumerate(items):
        k, d = len(m['ids']), m['durations'].astype(np.int64)
        frames = int(d.sum())
        out['ids'][i, :k], out['durations'][i, :k], out['mask'][i, 0, :k] = m['ids'], d, 1
        out['frame_mask'][i, 0, :frames] = 1
        ends = np.cumsum(d)
        out['index'][i, :frames] = np.repeat(np.arange(k), d)
        out['spans'][i, :frames] = np.stack([np.repeat(ends - d, d), np.repeat(ends, d)], 1)
        rows = 2 * frames
        out['target'][i, :rows] = np.concatenate([
            (m['mc'][:rows] - stats['mc_mean']) / stats['mc_std'],
            (m['strength'][:rows] - stats['str_mean']) / stats['str_std'],
            ((m['log_f0'][:rows] - stats['f0_mean']) / stats['f0_std'])[:, None],
            m['voiced'][:rows, None]], 1)
    out['sid'] = np.array([m['speaker'] for m in items])
    return {k: torch.from_numpy(np.asarray(v)) for k, v in out.items()}


def predict(model, b):
    """Frames from the true lengths."""
    x, log_duration = model.encode(b['ids'], b['sid'], b['mask'], b['mask'].sum((1, 2)))
    at = torch.arange(b['index'].shape[1]).float()[None]
    place = within(at, b['spans'][..., 0], b['spans'][..., 1])
    return model.decode(x, b['sid'], b['index'], place, b['frame_mask']), log_duration


def acoustic_loss(model, b, weights):
    out, log_duration = predict(model, b)
    size = out.shape[0], out.shape[1] * 2
    mask = b['frame_mask'][:, 0].repeat_interleave(2, 1)
    out, target = out.reshape(*size, -1), b['target']
    frames = mask.sum()
    voiced = target[..., -1]
    error = (out[..., :-1] - target[..., :-1]).abs()
    gate = torch.cat([mask[..., None].expand(-1, -1, MC + BANDS), (mask * voiced)[..., None]], -1)
    level = (error * gate * weights).sum() / frames
    delta = ((out[:, 1:, :-1] - out[:, :-1, :-1]) - (target[:, 1:, :-1] - target[:, :-1, :-1])).abs()
    slope = (delta * gate[:, 1:] * gate[:, :-1] * weights).sum() / frames
    voicing = (F.binary_cross_entropy_with_logits(out[..., -1], voiced, reduction='none') * mask).sum() / frames
    phones = b['mask'][:, 0]
    length = ((log_duration - torch.log1p(b['durations'].float())).abs() * phones).sum() / phones.sum()
    parts = {'mc': (error[..., :MC] * mask[..., None]).sum() / frames / MC,
             'str': (error[..., MC:MC + BANDS] * mask[..., None]).sum() / frames / BANDS,
             'f0': (error[..., MC + BANDS] * mask * voiced).sum() / (mask * voiced).sum(), 'v': voicing, 'dur': length}
    return level + slope + 0.5 * voicing + length, parts


class Batches:
    """Utterances of like length together; a new order in each pass."""

    def __init__(self, items, frames, seed):
        self.items, self.frames, self.rng, self.queue = items, frames, np.random.default_rng(seed), []

    def next(self):
        if not self.queue:
            lengths = np.array([len(m['mc']) for m in self.items]) * self.rng.uniform(0.9, 1.1, len(self.items))
            group = []
            for i in np.argsort(lengths):
                group.append(i)
                if len(self.items[i]['mc']) // 2 * len(group) >= self.frames:
                    self.queue.append(group)
                    group = []
            self.rng.shuffle(self.queue)
        return [self.items[i] for i in self.queue.pop()]


def rate(step, steps, top, warm=150):
    return top * min(1, step / warm) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * min(1, step / steps))))


def save(path, state):
    torch.save(state, path.with_suffix('.tmp'))
    path.with_suffix('.tmp').rename(path)


def run(path, model, loss_of, steps, top, log, every=100, betas=(0.9, 0.98), decay=0.98, watch=None):
    average = copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=top, betas=betas, weight_decay=0.01)
    step = 0
    if path.exists():
        state = torch.load(path, weights_only=False)
        model.load_state_dict(state['model'])
        average.load_state_dict(state['average'])
        optimizer.load_state_dict(state['optimizer'])
        step = state['step']
    began, first, sums = time.time(), step, {}
    while step < steps:
        step += 1
        for group in optimizer.param_groups:
            group['lr'] = rate(step, steps, top)
        model.train()
        loss, parts = loss_of(model, step)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        keep = min(decay, step / (step + 10))
        with torch.no_grad():
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - keep)
        for k, v in {'loss': loss, **parts}.items():
            sums[k] = sums.get(k, 0) + float(v)
        if step % every == 0 or step == steps:
            save(path, {'model': model.state_dict(), 'average': average.state_dict(), 'optimizer': optimizer.state_dict(),
                        'step': step})
            count = (step - 1) % every + 1
            line = ' '.join(f'{k} {v / min(count, step - first):.4f}' for k, v in sums.items())
            log(f'{path.stem} step {step}/{steps} {line} {(time.time() - began) / (step - first):.2f} s/step'
                + (f' | held out {watch(average)}' if watch else ''))
            sums = {}
    return average


def train_acoustic(work, steps, seed, log, threads=1, frames=5000, top=2e-3, every=50):
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    items = load(work)
    stats_path = work / 'stats.npz'
    train = [m for m in items if not is_held_out(m['text'])]
    held = [m for m in items if is_held_out(m['text'])][:48]
    if not stats_path.exists():
        np.savez(stats_path, **statistics(train))
    stats = dict(np.load(stats_path))
    model = Acoustic(len(SYMBOLS), stats)
    # Between equal weight of every coefficient and the weight that the ear's distance gives it.
    w = np.concatenate([stats['mc_std'] ** 0.5, np.full(BANDS, 0), [0]])
    w[:MC] *= 1 / w[:MC].sum()
    w[MC:MC + BANDS] = 0.25 / BANDS
    w[-1] = 0.6
    weights = torch.tensor(w, dtype=torch.float32)
    log(f'{len(train)} utterances, {sum(len(m["mc"]) for m in train) / 200 / 60:.0f} min; '
        f'{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters')
    # Rises are short and rare: questions are drawn four times as often.
    batches = Batches(train + 3 * [m for m in train if '?' in m['ipa']], frames, seed)
    watched = batch(held, stats)

    def watch(average):
        with torch.no_grad():
            return ' '.join(f'{k} {float(v):.4f}' for k, v in acoustic_loss(average, watched, weights)[1].items())

    return run(work / 'acoustic.pt', model, lambda m, _: acoustic_loss(m, batch(batches.next(), stats), weights), steps, top,
               log, every=every, watch=watch)


def load_acoustic(work):
    model = Acoustic(len(SYMBOLS), dict(np.load(work / 'stats.npz')))
    model.load_state_dict(torch.load(work / 'acoustic.pt', weights_only=False)['average'])
    return model.eval()


def wave_items(work, count):
    items = [m for m in load(work) if len(m['wave']) and not is_held_out(m['text'])]
    return items[:count]


def vocoder_inputs(items, stats, acoustic=None):
    """(z, wave) per utterance, from the teacher's parameters or from predicted ones; F0 is the wave's own."""
    out = []
    for m in items:
        frames = len(m['mc']) // 2
        rows = 2 * frames
        mc, strength = torch.tensor(m['mc'][None, :rows]).float(), torch.tensor(m['strength'][None, :rows]).float()
        voiced = torch.tensor(m['voiced'][None, :rows]).float()
        if acoustic is not None:
            with torch.no_grad():
                mc, strength, _, voicing = split_out(acoustic, predict(acoustic, batch([m], stats))[0])
            voiced = torch.sigmoid(3 * voicing)
        f0 = torch.exp(torch.tensor(m['teacher_log_f0'][None, :rows])).float()
        at = (torch.arange(frames) % (NOISE // 2)).float()[None]
        z = pack(mc, strength, f0, voiced, phases(f0), at)[0]
        out.append((z, torch.tensor(m['wave'][:frames * HOP]).float() / 32768))
    return out


class Spectra(torch.nn.Module):
    """Distance of log spectra in bands wide enough that the grain of the noise averages out."""

    def __init__(self):
        super().__init__()
        self.bands = torch.nn.ParameterList()
        self.sizes = ((1024, 64), (512, 40), (256, 24))
        for size, count in self.sizes:
            top = 2595 * np.log10(1 + 8000 / 700)
            edges = 700 * (10 ** (np.linspace(0, top, count + 2) / 2595) - 1) / 8000 * (size // 2)
            k = np.arange(size // 2 + 1)[None]
            rise = (k - edges[:-2, None]) / np.maximum(edges[1:-1] - edges[:-2], 1)[:, None]
            fall = (edges[2:, None] - k) / np.maximum(edges[2:] - edges[1:-1], 1)[:, None]
            m = torch.tensor(np.maximum(0, np.minimum(rise, fall)), dtype=torch.float32)
            self.bands.append(torch.nn.Parameter(m / m.sum(1, keepdim=True).clamp(min=1e-6), requires_grad=False))

    def forward(self, a, b):
        total = 0
        for (size, _), bands in zip(self.sizes, self.bands):
            window = torch.hann_window(size)
            logs = []
            for x in (a, b):
                power = torch.stft(x, size, size // 4, window=window, return_complex=True).abs().pow(2)
                logs.append(torch.log(bands @ power + 1e-5))
            total = total + (logs[0] - logs[1]).abs().mean() / len(self.sizes)
        return total


def train_vocoder(work, me_h, acoustic, steps, seed, log, threads=1, size=8, frames=100, top=1e-3):
    """On the teacher's parameters and on predicted ones, half and half."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    stats = dict(np.load(work / 'stats.npz'))
    model = Vocoder(me_h, stats)
    if (work / 'vocoder.pt').exists() and torch.load(work / 'vocoder.pt', weights_only=False)['step'] >= steps:
        return load_vocoder(work, me_h)
    items = wave_items(work, 400)
    sets = [vocoder_inputs(items, stats), vocoder_inputs(items, stats, acoustic)]
    log(f'vocoder: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(items)} utterances')
    held = items[-24:]
    watched = [vocoder_inputs(held, stats), vocoder_inputs(held, stats, acoustic)]
    rng = np.random.default_rng(seed)
    spectra = Spectra()

    def loss_of(model, _):
        zs, waves = [], []
        for i in range(size):
            z, wave = sets[i % 2][rng.integers(len(items) - len(held))]
            begin = rng.integers(max(1, z.shape[1] - frames))
            # Context that the loss does not see keeps the crop's edges honest.
            zs.append(torch.nn.functional.pad(z[:, begin:begin + frames], (0, max(0, frames - z.shape[1])), 'replicate'))
            part = wave[begin * HOP:(begin + frames) * HOP]
            waves.append(F.pad(part, (0, frames * HOP - len(part))))
        made = model(torch.stack(zs))
        inner = slice(model.context * HOP, -model.context * HOP)
        return spectra(made[:, inner], torch.stack(waves)[:, inner]), {}

    def watch(average):
        with torch.no_grad():
            return ' '.join(f'{name} {np.mean([float(spectra(average(z[None]), w[None])) for z, w in pairs]):.4f}'
                            for name, pairs in zip(('true', 'predicted'), watched))

    log(f'before: {watch(model)}')
    return run(work / 'vocoder.pt', model, loss_of, steps, top, log, every=50, watch=watch)


def load_vocoder(work, me_h):
    model = Vocoder(me_h, dict(np.load(work / 'stats.npz')))
    model.load_state_dict(torch.load(work / 'vocoder.pt', weights_only=False)['average'])
    return model.eval()

"""The two networks. Everything here is traced into one ONNX graph: plain tensors, no control flow over data.

Acoustic: phonemes → durations → the teacher's filter parameters, F0 and voicing, two sets per 10 ms frame.
Vocoder: a source-filter synthesizer (band-limited pulses and a fixed noise table through a minimum-phase filter given by the
mel-cepstrum) with a small network that corrects both sources per band. A frame's samples depend on near frames only: the
phase at each frame is part of its input, so any window of frames, decoded with its context, gives the same samples.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

RATE, HOP, SUB = 16000, 160, 80
MC, BANDS = 25, 5
PER_SUB = MC + BANDS + 3          # mel-cepstrum, pulse share per band, F0, voicing, phase
Z = 2 * PER_SUB + 1               # and the place in the noise table
FFT, WINDOW = 640, 160
BINS = FFT // 2 + 1
NOISE = 600                       # sub-frames until the noise table repeats: 3 s
TONE = 24                         # bands of the learned correction
ALPHA, GAIN = 0.42, 1.5


class Norm(nn.Module):
    """Layer norm over channels of [B, C, T]: local in time."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return F.layer_norm(x.transpose(1, 2), self.weight.shape, self.weight, self.bias, 1e-5)


class Block(nn.Module):
    def __init__(self, width, kernel, dilation=1, expand=2):
        super().__init__()
        self.depth = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=width)
        self.norm = Norm(width)
        self.up = nn.Linear(width, width * expand)
        self.down = nn.Linear(width * expand, width)
        nn.init.normal_(self.down.weight, std=0.02)
        nn.init.zeros_(self.down.bias)

    def forward(self, x, mask=None):
        y = self.norm(self.depth(x))
        y = self.down(F.relu(self.up(y)))
        x = x + y.transpose(1, 2)
        return x if mask is None else x * mask


class Acoustic(nn.Module):
    def __init__(self, symbols, stats, speakers=2, width=192, frame_width=192):
        super().__init__()
        self.embed = nn.Embedding(symbols, width)
        self.speaker = nn.Embedding(speakers, width)
        self.frame_speaker = nn.Embedding(speakers, frame_width)
        self.place = nn.Linear(3, width)
        self.encoder = nn.ModuleList(Block(width, 5, d) for d in (1, 2, 4, 8, 1, 2))
        self.duration = nn.ModuleList(Block(width, 5, d) for d in (1, 2))
        self.duration_out = nn.Linear(width, 1)
        self.to_frame = nn.Linear(width, frame_width)
        self.at_frame = nn.Linear(5, frame_width)
        self.decoder = nn.ModuleList(Block(frame_width, 7) for _ in range(5))
        self.out_norm = Norm(frame_width)
        self.out = nn.Linear(frame_width, 2 * (MC + BANDS + 2))
        for name, value in stats.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))

    def encode(self, ids, sid, mask, lengths):
        n = torch.cumsum(mask, 2) - mask
        left = lengths[:, None, None] - 1 - n
        place = torch.cat([n.clamp(max=60) / 60, left.clamp(max=60) / 60, n / (n + left + 1)], 1).transpose(1, 2)
        x = (self.embed(ids) + self.speaker(sid)[:, None] + self.place(place)).transpose(1, 2) * mask
        for block in self.encoder:
            x = block(x, mask)
        y = x.detach() if self.training else x
        for block in self.duration:
            y = block(y, mask)
        return x, self.duration_out(y.transpose(1, 2))[:, :, 0]

    def decode(self, x, sid, index, within, mask=None):
        """`index` [B, T]: the phoneme of each frame; `within` [B, T, 5]: the place in it."""
        y = self.to_frame(x.transpose(1, 2))
        y = torch.gather(y, 1, index[:, :, None].expand(-1, -1, y.shape[2]))
        y = (y + self.at_frame(within) + self.frame_speaker(sid)[:, None]).transpose(1, 2)
        if mask is not None:
            y = y * mask
        for block in self.decoder:
            y = block(y, mask)
        return self.out(self.out_norm(y))  # [B, T, 2 * 32], normalised


def within(at, start, end):
    """What a frame knows of its phoneme: frames since its start, to its end, share passed, length."""
    length = end - start
    share = (at - start + 0.5) / length.clamp(min=1)
    return torch.stack([(at - start).clamp(max=30) / 10, (end - at).clamp(max=30) / 10, share, length.clamp(max=40) / 20,
                        torch.sin(share * np.pi)], -1)


def split_out(model, out):
    """Normalised output → mel-cepstrum, pulse shares, log F0, voicing logit; each [B, 2T, …]."""
    b, t, _ = out.shape
    out = out.reshape(b, t * 2, MC + BANDS + 2)
    mc = out[..., :MC] * model.mc_std + model.mc_mean
    strength = out[..., MC:MC + BANDS] * model.str_std + model.str_mean
    log_f0 = out[..., MC + BANDS] * model.f0_std + model.f0_mean
    return mc, strength, log_f0, out[..., MC + BANDS + 1]


def pack(mc, strength, f0, voiced, phase, noise_at):
    """[B, 2T, …] → z [B, Z, T]."""
    sub = torch.cat([mc, strength, f0[..., None], voiced[..., None], phase[..., None]], -1)
    b, n, c = sub.shape
    z = torch.cat([sub.reshape(b, n // 2, 2 * c), noise_at[..., None]], -1)
    return z.transpose(1, 2)


def phases(f0):
    """Cycles at each sub-frame, by trapezoids, in double: exact for any length."""
    f = f0.double()
    before = torch.cat([f[:, :1] * 0, f[:, :-1]], 1)
    turns = torch.cumsum((f + before) * (SUB / 2 / RATE), 1)
    return (turns - torch.floor(turns)).float()


def tables(me_h):
    k = np.arange(BINS)
    omega = 2 * np.pi * k / FFT
    warped = omega + 2 * np.arctan2(ALPHA * np.sin(omega), 1 - ALPHA * np.cos(omega))
    order = np.arange(MC)[:, None]
    bands = (np.fft.rfft(me_h, FFT) * np.exp(1j * omega * (me_h.shape[1] - 1) / 2)).real
    m = np.arange(WINDOW)
    forward = np.concatenate([np.cos(np.outer(m, omega)), -np.sin(np.outer(m, omega))], 1)
    n = np.arange(FFT)
    weight = np.where((k == 0) | (k == FFT // 2), 1, 2)[:, None] / FFT
    back = np.concatenate([weight * np.cos(np.outer(omega, n)), -weight * np.sin(np.outer(omega, n))])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * m / WINDOW)
    noise = np.where(np.random.default_rng(17).random(NOISE * SUB) < 0.5, -1.0, 1.0).reshape(NOISE, SUB)
    centers = np.linspace(0, BINS - 1, TONE)
    spread = np.maximum(0, 1 - np.abs(k[None] - centers[:, None]) / (centers[1] - centers[0]))
    return {'log_cos': np.cos(order * warped), 'log_sin': -np.sin(order * warped), 'bands': bands, 'forward_table': forward,
            'back_table': back[:, None, :], 'hann': hann, 'noise': noise, 'spread': spread,
            'offsets': (m - SUB) / RATE}


class Vocoder(nn.Module):
    def __init__(self, me_h, stats, width=96, layers=3):
        super().__init__()
        for name, value in tables(me_h).items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
        for name, value in stats.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
        self.begin = nn.Linear(2 * (MC + BANDS + 2), width)
        self.blocks = nn.ModuleList(Block(width, 5) for _ in range(layers))
        self.end_norm = Norm(width)
        self.tone = nn.Linear(width, 2 * 2 * TONE)
        nn.init.zeros_(self.tone.weight)
        nn.init.zeros_(self.tone.bias)
        # Of every block two frames; of the filter's tail four, and the window one.
        self.context = 2 * layers + 5

    def forward(self, z):
        b, _, t = z.shape
        z = z.transpose(1, 2)
        sub = z[..., :2 * PER_SUB].reshape(b, 2 * t, PER_SUB)
        mc, strength = sub[..., :MC], sub[..., MC:MC + BANDS].clamp(0, 1)
        f0, voiced, phase = sub[..., MC + BANDS], sub[..., MC + BANDS + 1], sub[..., MC + BANDS + 2]

        known = torch.cat([(mc - self.mc_mean) / self.mc_std, (strength - self.str_mean) / self.str_std,
                           ((torch.log(f0) - self.f0_mean) / self.f0_std)[..., None], voiced[..., None]], -1)
        y = self.begin(known.reshape(b, t, -1)).transpose(1, 2)
        for block in self.blocks:
            y = block(y)
        tone = self.tone(self.end_norm(y)).reshape(b, 2 * t, 2 * TONE)
        pulse_tone = torch.exp((tone[..., :TONE] @ self.spread).clamp(-3, 3))
        noise_tone = torch.exp((tone[..., TONE:] @ self.spread).clamp(-3, 3))

        turn = phase[..., None] + f0[..., None] * self.offsets
        x = (turn - torch.floor(turn + 0.5)) * np.pi
        x = torch.where(x.abs() < 1e-4, torch.full_like(x, 1e-4), x)
        odd = 2 * torch.floor(7950 / f0)[..., None] + 1
        pulses = (torch.sin(odd * x) / torch.sin(x) - 1) * torch.sqrt(f0 / RATE)[..., None] * voiced[..., None] * self.hann
        at = z[..., 2 * PER_SUB:].reshape(b, t, 1) * 2 + torch.tensor([[0.0, 1.0]], device=z.device)
        at = at.reshape(b, 2 * t).long()
        rows = torch.cat([self.noise[(at + NOISE - 1) % NOISE], self.noise[at]], -1) * self.hann

        p, n = pulses @ self.forward_table, rows @ self.forward_table
        share = strength @ self.bands
        rest = (1 - strength) @ self.bands
        wp, wn = share * pulse_tone, rest * noise_tone
        re = wp * p[..., :BINS] + wn * n[..., :BINS]
        im = wp * p[..., BINS:] + wn * n[..., BINS:]
        level = torch.exp((mc @ self.log_cos).clamp(max=12)) * (GAIN / 32768)
        angle = mc @ self.log_sin
        c, s = torch.cos(angle) * level, torch.sin(angle) * level
        spectrum = torch.cat([re * c - im * s, re * s + im * c], -1)
        wave = F.conv_transpose1d(spectrum.transpose(1, 2), self.back_table, stride=SUB)
        return wave[:, 0, SUB:SUB + t * HOP]

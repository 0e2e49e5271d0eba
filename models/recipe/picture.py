"""Spectrograms of teacher and voice, side by side, for the model card."""

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from scipy.signal import spectrogram

from corpus import SPEAKERS, Maker
from evaluate import Shipped

TEXTS = ('Sing, goddess, the anger of Achilles.', 'Is the old bridge open on Monday?')


def draw(path, onnx_path, root):
    maker, shipped = Maker(root), Shipped(onnx_path)
    figure, axes = plt.subplots(len(TEXTS) * 2, 2, figsize=(9, 7.2), dpi=72, constrained_layout=True)
    for row, (text, sid) in enumerate((t, s) for t in TEXTS for s in (0, 1)):
        teacher = maker.teachers[SPEAKERS[sid]].speak(text).wave
        for axis, wave, who in zip(axes[row], (teacher, shipped.speak(maker.phonemizer(text), sid)), ('teacher', 'voice')):
            f, t, s = spectrogram(wave / 32768, 16000, nperseg=320, noverlap=240, nfft=512)
            axis.pcolormesh(t, f / 1000, 10 * np.log10(s + 1e-10), vmin=-95, vmax=-35, cmap='magma', rasterized=True)
            axis.set_title(f'{who}, {SPEAKERS[sid]}: {text}', fontsize=7)
            axis.tick_params(labelsize=6)
    maker.close()
    figure.savefig(path)
    Image.open(path).convert('P', palette=Image.Palette.ADAPTIVE, colors=48).save(path, optimize=True)

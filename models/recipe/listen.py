"""Transcribing back with pocketsphinx, and the errors against what was meant."""

import re

import numpy as np
from pocketsphinx import Decoder


SAME = {'mister': 'mr', 'missus': 'mrs', 'okay': 'ok'}


def words(text):
    return [SAME.get(w, w) for w in re.findall(r"[a-z']+", text.lower().replace('-', ' '))]


def errors(said, heard):
    """Edits of words between two lists."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


class Listener:
    def __init__(self):
        self.decoder = Decoder(samprate=16000, loglevel='FATAL')

    def hear(self, pcm):
        """`pcm`: int16 at 16 kHz. Silence is put around it, and each answer starts from the same state."""
        self.decoder.reinit_feat()
        quiet = np.zeros(4800, np.int16)
        self.decoder.start_utt()
        self.decoder.process_raw(np.concatenate([quiet, pcm, quiet]).tobytes(), full_utt=True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return words(found.hypstr) if found else []

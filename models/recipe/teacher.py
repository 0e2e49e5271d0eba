"""The teacher: flite's statistical voices, read through the shared library.

The library keeps what its command line throws away: beside the wave and the phone ends (`-psdur`) it holds the exact
parameters that the wave was made from (F0, mel-cepstrum, the mix of pulses and noise per band), every 5 ms.
"""

import ctypes as C
import ctypes.util
from dataclasses import dataclass

import numpy as np

P = C.c_void_p


class _Track(C.Structure):
    _fields_ = [('type', C.c_char_p), ('num_frames', C.c_int), ('num_channels', C.c_int),
                ('times', C.POINTER(C.c_float)), ('frames', C.POINTER(C.POINTER(C.c_float)))]


class _Wave(C.Structure):
    _fields_ = [('type', C.c_char_p), ('sample_rate', C.c_int), ('num_samples', C.c_int),
                ('num_channels', C.c_int), ('samples', C.POINTER(C.c_short))]


class _Utterance(C.Structure):
    _fields_ = [('features', P), ('ffunctions', P), ('relations', P), ('ctx', P)]


class _Voice(C.Structure):
    _fields_ = [('features', P)]


class _CgDb(C.Structure):
    _fields_ = [('name', C.c_char_p), ('types', P), ('num_types', C.c_int), ('sample_rate', C.c_int),
                ('f0_mean', C.c_float), ('f0_stddev', C.c_float),
                ('num_f0_models', C.c_int), ('f0_trees', P), ('num_param_models', C.c_int), ('param_trees', P),
                ('spamf0_accent_tree', P), ('spamf0_phrase_tree', P),
                ('num_channels', P), ('num_frames', P), ('model_vectors', P),
                ('num_channels_spamf0_accent', C.c_int), ('num_frames_spamf0_accent', C.c_int), ('spamf0_vectors', P),
                ('model_min', P), ('model_range', P), ('qtable', P), ('model_shape', C.c_int),
                ('frame_advance', C.c_float), ('num_dur_models', C.c_int), ('dur_stats', P), ('dur_cart', P),
                ('phone_states', P), ('do_mlpg', C.c_int), ('dynwin', P), ('dynwinsize', C.c_int),
                ('mlsa_alpha', C.c_float), ('mlsa_beta', C.c_float), ('multimodel', C.c_int),
                ('mixed_excitation', C.c_int), ('me_num', C.c_int), ('me_order', C.c_int),
                ('me_h', C.POINTER(C.POINTER(C.c_double))), ('spamf0', C.c_int), ('gain', C.c_float)]


@dataclass
class Spoken:
    wave: np.ndarray      # int16, 16 kHz
    f0: np.ndarray        # Hz every 5 ms, 0 where unvoiced
    mcep: np.ndarray      # [frames, 25], smoothed, what the filter was run with
    strength: np.ndarray  # [frames, 5], share of pulses in each band
    phones: list          # (name, end in seconds)


class Teacher:
    """One of `slt`, `rms`, `awb`. Keeps the library's voice for the life of the process."""

    def __init__(self, name):
        open_all = C.RTLD_GLOBAL
        for lib in ('flite', 'flite_cmulex', 'flite_usenglish'):
            C.CDLL(f'lib{lib}.so.1', mode=open_all)
        self.lib = lib = C.CDLL('libflite.so.1')
        for fn, result, args in [
            ('flite_init', C.c_int, []), ('flite_synth_text', C.POINTER(_Utterance), [C.c_char_p, P]),
            ('utt_wave', C.POINTER(_Wave), [P]), ('feat_val', P, [P, C.c_char_p]), ('val_track', C.POINTER(_Track), [P]),
            ('val_cg_db', C.POINTER(_CgDb), [P]), ('mlpg', C.POINTER(_Track), [P, P]), ('delete_track', None, [P]),
            ('utt_relation', P, [P, C.c_char_p]), ('relation_head', P, [P]), ('item_next', P, [P]),
            ('item_feat_string', C.c_char_p, [P, C.c_char_p]), ('item_feat_float', C.c_float, [P, C.c_char_p]),
            ('delete_utterance', None, [P]),
        ]:
            f = getattr(lib, fn)
            f.restype, f.argtypes = result, args
        lib.flite_init()
        register = getattr(C.CDLL(f'libflite_cmu_us_{name}.so.1'), f'register_cmu_us_{name}')
        register.restype, register.argtypes = P, [C.c_char_p]
        self.voice = register(None)
        self.db = None

    def speak(self, text):
        lib = self.lib
        utt = lib.flite_synth_text(text.encode('ascii', 'ignore'), self.voice)
        feats = utt.contents.features
        db = lib.val_cg_db(lib.feat_val(feats, b'cg_db'))
        self.db = self.db or self._constants(db.contents)
        wave = lib.utt_wave(utt).contents
        samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).copy()
        raw = lib.val_track(lib.feat_val(feats, b'param_track'))
        smooth = lib.mlpg(raw, db)
        params = _matrix(smooth.contents)
        strength = _matrix(lib.val_track(lib.feat_val(feats, b'str_track')).contents)
        lib.delete_track(smooth)
        phones = []
        item = lib.relation_head(lib.utt_relation(utt, b'Segment'))
        while item:
            phones.append((lib.item_feat_string(item, b'name').decode(), lib.item_feat_float(item, b'end')))
            item = lib.item_next(item)
        lib.delete_utterance(utt)
        return Spoken(samples, params[:, 0], params[:, 1:], strength, phones)

    @staticmethod
    def _constants(db):
        me = np.array([[db.me_h[j][i] for i in range(db.me_order)] for j in range(db.me_num)])
        return {'rate': db.sample_rate, 'alpha': db.mlsa_alpha, 'beta': db.mlsa_beta, 'gain': db.gain or 1.0,
                'frame_s': db.frame_advance, 'me_h': me}


def _matrix(track):
    return np.array([np.ctypeslib.as_array(track.frames[i], (track.num_channels,)) for i in range(track.num_frames)],
                    dtype=np.float32)

"""Both networks as one ONNX graph in Piper's contract, with the split declared in the voice's JSON."""

import hashlib
import json
import warnings

import numpy as np
import onnx
import onnx.compose
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from model import HOP, NOISE, RATE, Z, pack, phases, split_out, within
from phonemes import IDS, MARKS, SYMBOLS

# Sounds that the corpus never has, spoken as the nearest that it has.
NEAREST = {'ɒ': 'ɑ', 'r': 'ɹ', 'ɻ': 'ɹ', 'ʁ': 'ɹ', 'ʀ': 'ɹ', 'ɫ': 'l', 'g': 'ɡ', 'x': 'k', 'χ': 'h', 'ɨ': 'ᵻ', 'ɕ': 'ʃ', 'ʂ': 'ʃ',
           'ʑ': 'ʒ', 'ʐ': 'ʒ', 'ɲ': 'n', 'ɳ': 'n', 'ɱ': 'm', 'β': 'v', 'ʋ': 'v', 'ɸ': 'f', 'y': 'i', 'ø': 'ɜ', 'œ': 'ɛ', 'ɵ': 'ʊ',
           'ɤ': 'ʌ', 'ɯ': 'ʊ', 'ʉ': 'u', 'ɘ': 'ə', 'ɞ': 'ɜ', 'ɟ': 'd', 'c': 'k', 'q': 'k', 'ɣ': 'ɡ', 'ħ': 'h', 'ɦ': 'h', 'ɬ': 'l',
           'ɭ': 'l', 'ʎ': 'l', 'ʔ': 't', 'ʍ': 'w', 'ɥ': 'w', 'ʈ': 't', 'ɖ': 'd', 'ç': 'h', 'o': 'ɔ', 'a': 'æ', 'e': 'ɛ'}


class Front(nn.Module):
    """Piper's inputs → frames per id, and the vocoder's input."""

    def __init__(self, acoustic):
        super().__init__()
        self.acoustic = acoustic
        lasting = torch.ones(len(SYMBOLS))
        for sign in MARKS | {'_'}:
            if sign in IDS:
                lasting[IDS[sign]] = 0
        least = torch.zeros(len(SYMBOLS))
        least[IDS['^']] = 0.5
        self.register_buffer('lasting', lasting)
        self.register_buffer('least', least)

    def forward(self, input, input_lengths, scales, sid):
        ids = input[0, :input_lengths[0]]
        # The pads between phonemes say nothing: only what is between them is read.
        real = torch.nonzero(ids)[:, 0]
        signs = ids[real][None]
        count = torch.ones_like(signs).sum(1).float()
        x, log_duration = self.acoustic.encode(signs, sid, torch.ones_like(signs).float()[:, None], count)
        wanted = (torch.exp(log_duration.clamp(-2, 5)) - 1) * self.lasting[signs] * scales[1] - 0.5
        wanted = torch.maximum(wanted, self.least[signs])
        whole = torch.zeros_like(ids).float().scatter(0, real, wanted[0])
        durations = torch.ceil(whole[None, None])

        frames = durations[0, 0][real]
        ends = torch.cumsum(frames, 0)
        at = torch.arange(frames.sum().long(), device=ids.device).float()
        index = (at[:, None] >= ends[None]).long().sum(1)
        end = ends[index]
        place = within(at, end - frames[index], end)
        out = self.acoustic.decode(x, sid, index[None], place[None])
        mc, strength, log_f0, voicing = split_out(self.acoustic, out)
        f0 = torch.exp(log_f0).clamp(50, 500)
        voiced = torch.sigmoid(3 * voicing)
        noise_at = at[None] - torch.floor(at[None] / (NOISE // 2)) * (NOISE // 2)
        return durations, pack(mc, strength, f0, voiced, phases(f0), noise_at)


class Back(nn.Module):
    def __init__(self, vocoder):
        super().__init__()
        self.vocoder = vocoder

    def forward(self, z):
        return self.vocoder(z)[:, None, None].clamp(-1, 1)


def to_onnx(path, module, args, inputs, outputs, axes, prefix):
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(module.eval(), args, str(path), opset_version=17, input_names=inputs, output_names=outputs,
                          dynamic_axes=axes, dynamo=False)
    return onnx.compose.add_prefix(onnx.load(str(path)), prefix, rename_inputs=False, rename_outputs=False)


def to_half(model, least=2048, keep=()):
    """Weights as half floats, widened where the session is made. Tables that the sound is summed from stay whole."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < least or tuple(tensor.dims) in keep:
            continue
        value = numpy_helper.to_array(tensor).astype(np.float16)
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(value, name + '.half'))
        casts.append(helper.make_node('Cast', [name + '.half'], [name], name=name + '.widen', to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)


def export(path, acoustic, vocoder, seen, name):
    """Writes `path`, `path`.json and the manifest; `seen` are the signs of the corpus."""
    ids = torch.tensor([[IDS['^'], 0, IDS['h'], 0, IDS['ə'], 0, IDS['l'], 0, IDS['.'], 0, IDS['$']]])
    args = (ids, torch.tensor([ids.shape[1]]), torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0]))
    front = to_onnx(path, Front(acoustic), args, ['input', 'input_lengths', 'scales', 'sid'], ['durations', 'z'],
                    {'input': {0: 'batch', 1: 'phonemes'}, 'input_lengths': {0: 'batch'}, 'sid': {0: 'batch'},
                     'durations': {2: 'phonemes'}, 'z': {2: 'frames'}}, 'text/')
    back = to_onnx(path, Back(vocoder), (torch.rand(1, Z, 40) + 0.5,), ['z'], ['output'],
                   {'z': {2: 'frames'}, 'output': {0: 'batch', 3: 'time'}}, 'wave/')
    # Two graphs joined by one name: the second reads nothing of the first but `z`.
    inner = list(front.graph.output)
    model = onnx.compose.merge_models(front, back, io_map=[('z', 'z')], outputs=['output'])
    # Piper's programs know one output; the other two are names inside the graph.
    model.graph.value_info.extend(inner)
    to_half(model, keep={tuple(vocoder.back_table.shape), tuple(vocoder.forward_table.shape), tuple(vocoder.noise.shape)})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    known = {s: [IDS[s]] for s in SYMBOLS if s in seen or s in '_^$'}
    for sign, near in NEAREST.items():
        if sign not in known and near in known:
            known[sign] = known[near]
    config = {
        'audio': {'sample_rate': RATE, 'quality': 'small'},
        'espeak': {'voice': 'en-us'},
        'phoneme_type': 'espeak',
        'num_symbols': len(SYMBOLS),
        'num_speakers': 2,
        'speaker_id_map': {'slt': 0, 'rms': 1},
        'inference': {'noise_scale': 0.0, 'length_scale': 1.0, 'noise_w': 0.0},
        'phoneme_id_map': known,
        'hop_length': HOP,
        'language': {'code': 'en_US', 'family': 'en', 'region': 'US', 'name_native': 'English', 'name_english': 'English',
                     'country_english': 'United States'},
        'rhapsode': {
            'split': {'latent': 'z', 'context': vocoder.context, 'hop': HOP},
        },
        'dataset': name,
    }
    config_path = path.with_suffix('.onnx.json')
    config_path.write_text(json.dumps(config, ensure_ascii=False, indent=1) + '\n')
    manifest = {
        'id': name,
        'name': f'{name.capitalize()} (English, two speakers)',
        'engine': 'piper',
        'licence': 'CMU (as flite, see LICENSE beside the model)',
        'source': 'models/recipe',
        'files': [{'path': file.name, 'sha256': hashlib.sha256(file.read_bytes()).hexdigest(), 'bytes': file.stat().st_size}
                  for file in (path, config_path)],
    }
    (path.parent / 'voice.json').write_text(json.dumps(manifest, indent=2) + '\n')

"""Text to phoneme ids, by the product's own espeak-ng program (packages/espeak) and Piper's conventions."""

import json
import re
import subprocess
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAD, BOS, EOS = '_', '^', '$'
PUNCTUATION = '.,?!:;'
# Piper's order: pad, start, end, space, punctuation, then sounds. Ids only have to agree with the voice's own JSON.
SOUNDS = ("'()- abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʲˈˌːˑ˞"
          "βθχᵻⱱ\u0303\u0329\u032a\u0306g")
SYMBOLS = [PAD, BOS, EOS, ' ', '!', ',', '.', ':', ';', '?'] + [s for s in dict.fromkeys(SOUNDS) if s != ' ']
IDS = {s: i for i, s in enumerate(SYMBOLS)}
# Marks that have no length of their own.
MARKS = set("ˈˌːˑ˞'()-\u0303\u0329\u032a\u0306")


def clauses(text):
    """[(words, sign that ends them)]; several signs in a row count as the first."""
    found = re.findall(r'([^.,?!:;]*(?:[.,?!:;](?=\S)(?![.,?!:;"\')\]])[^.,?!:;]*)*)([.,?!:;]*)', text)
    return [(words.strip(), (sign or '.')[0]) for words, sign in found if words.strip(' "\')]')]


class Phonemizer:
    def __init__(self, root=ROOT, language='en-us'):
        node = root / 'node_modules/.bin/node'
        self.language = language
        self.process = subprocess.Popen([str(node), 'packages/espeak/src/main.ts'], cwd=root, text=True, encoding='utf8',
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.version = self._ask(op='hello')['version']

    def _ask(self, **request):
        self.process.stdin.write(json.dumps({'id': 1, **request}) + '\n')
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if 'error' in answer:
            raise RuntimeError(answer)
        return answer

    def __call__(self, text):
        """IPA as Piper writes it: clauses with their sign, a space after `, : ;` and between sentences."""
        parts = clauses(text)
        if not parts:
            return ''
        answers = self._ask(op='phonemes', voice=self.language, texts=[words for words, _ in parts])['phonemes']
        out = []
        for (_, sign), inner in zip(parts, answers):
            spoken = ', '.join(tidy(p) for p in inner if tidy(p))
            if spoken:
                out.append(spoken + sign)
        return unicodedata.normalize('NFD', ' '.join(out))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def tidy(phones):
    return re.sub(r' +', ' ', re.sub(r'\([^)]*\)', '', phones.replace('_', ''))).strip()


def to_ids(ipa):
    """`^ _ p _ p _ … $`, unknown signs left out."""
    ids = [IDS[BOS], IDS[PAD]]
    for sign in ipa:
        if sign in IDS:
            ids += [IDS[sign], IDS[PAD]]
    return ids + [IDS[EOS]]

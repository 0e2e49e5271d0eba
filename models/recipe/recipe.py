"""text → corpus → alignment → training → export → evaluation. Every stage goes on where it was stopped.

    python models/recipe/recipe.py --work DIR [--stage corpus|acoustic|vocoder|export|evaluate|all]
"""

import argparse
import json
import time
from pathlib import Path

import corpus
from phonemes import ROOT

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work', type=Path, required=True, help='corpus and checkpoints; about 1 GB')
    parser.add_argument('--stage', default='all', choices=['all', 'corpus', 'acoustic', 'vocoder', 'export', 'evaluate'])
    parser.add_argument('--voice', type=Path, default=ROOT / 'models/calliope')
    parser.add_argument('--wordnet', default='/usr/share/wordnet')
    parser.add_argument('--sentences', type=int, default=2600, help='per speaker')
    parser.add_argument('--acoustic-steps', type=int, default=2300)
    parser.add_argument('--vocoder-steps', type=int, default=200)
    parser.add_argument('--seed', type=int, default=7)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)

    def log(line):
        line = f'{time.strftime("%H:%M:%S")} {line}'
        print(line, flush=True)
        with open(args.work / 'log.txt', 'a') as file:
            file.write(line + '\n')

    def wanted(stage):
        return args.stage in ('all', stage)

    if wanted('corpus'):
        corpus.build(args.work, ROOT, args.wordnet, args.sentences, args.seed, log)
    # Torch is loaded where it is needed, so that the corpus can be made without it.
    if args.stage == 'corpus':
        return
    import train
    from teacher import Teacher

    acoustic = vocoder = None
    if wanted('acoustic'):
        acoustic = train.train_acoustic(args.work, args.acoustic_steps, args.seed, log, args.threads)
    if args.stage == 'acoustic':
        return
    teacher = Teacher(corpus.SPEAKERS[0])
    teacher.speak('Yes.')
    me_h = teacher.db['me_h']
    acoustic = acoustic or train.load_acoustic(args.work)
    if wanted('vocoder'):
        vocoder = train.train_vocoder(args.work, me_h, acoustic, args.vocoder_steps, args.seed, log, args.threads)
    vocoder = vocoder or train.load_vocoder(args.work, me_h)
    acoustic, vocoder = acoustic.eval(), vocoder.eval()
    path = args.voice / f'{args.voice.name}.onnx'
    if wanted('export'):
        from export import export

        args.voice.mkdir(parents=True, exist_ok=True)
        seen = {sign for m in corpus.load(args.work) for sign in m['ipa']}
        export(path, acoustic, vocoder, seen, args.voice.name)
        log(f'{path.name}: {path.stat().st_size / 1e6:.2f} MB')
    if wanted('evaluate'):
        from evaluate import evaluate
        from picture import draw

        found = evaluate(path, args.work, ROOT, args.wordnet, args.seed, acoustic, vocoder, log)
        (args.voice / 'evaluation.json').write_text(json.dumps(found, indent=1) + '\n')
        draw(args.voice / 'spectrograms.png', path, ROOT)
        log(json.dumps(found))

if __name__ == '__main__':
    main()

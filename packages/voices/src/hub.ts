import { RhapsodeError } from '@rhapsode/contracts';
import type { Manifest } from './manifest.ts';

export const defaultHub = 'https://huggingface.co';

/** Where the files of a public voice are. */
export interface HubVoice {
  readonly engine: Manifest['engine'];
  readonly licence?: string;
  readonly files: readonly { readonly path: string; readonly url: string }[];
}

/** Speakers of Kokoro v1.0 in the languages whose phonemes espeak-ng gives as Kokoro was trained on them. */
const kokoroSpeakers =
  `af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_nova af_river af_sarah af_sky
  am_adam am_echo am_eric am_fenrir am_liam am_michael am_onyx am_puck am_santa bf_alice bf_emma bf_isabella bf_lily
  bm_daniel bm_fable bm_george bm_lewis ef_dora em_alex em_santa ff_siwis hf_alpha hf_beta hm_omega hm_psi if_sara im_nicola
  pf_dora pm_alex pm_santa`.split(/\s+/);

/**
 * The files of a voice by its public name, in a hub laid out as Hugging Face: Piper's names say where they are
 * (`en_US-lessac-medium` is `en/en_US/lessac/medium/en_US-lessac-medium.onnx`), Kokoro's are few.
 */
export function findInHub(hub: string, name: string): HubVoice {
  const at = (repository: string, path: string) =>
    `${hub.replace(/\/$/, '')}/${repository}/resolve/main/${path}`;
  const piper = /^([a-z]{2,3})_([A-Z]{2,3})-([\w+]+)-(x_low|low|medium|high)$/.exec(name);
  if (piper !== null) {
    const [, language, country, speaker, quality] = piper;
    const folder = `${language}/${language}_${country}/${speaker}/${quality}`;
    const files = [`${name}.onnx.json`, `${name}.onnx`].map((path) => ({
      path,
      url: at('rhasspy/piper-voices', `${folder}/${path}`),
    }));
    return { engine: 'piper', files };
  }
  if (/^kokoro-82m-v1\.0$/i.test(name)) {
    const paths = [
      'tokenizer.json',
      ...kokoroSpeakers.map((speaker) => `voices/${speaker}.bin`),
      'onnx/model.onnx',
    ];
    const files = paths.map((path) => ({ path, url: at('onnx-community/Kokoro-82M-v1.0-ONNX', path) }));
    return { engine: 'kokoro', licence: 'Apache-2.0', files };
  }
  throw new RhapsodeError('voice_not_found', {
    message: `"${name.slice(0, 100)}" is no file, no URL and no public name such as en_US-lessac-medium (Piper) or kokoro-82m-v1.0`,
  });
}

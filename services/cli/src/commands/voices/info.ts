import { catalogueOptions, openVoices } from '../../open-voices.ts';
import type { VoicesContext } from '../voices.ts';
import { aligned } from './list.ts';

/** All that is known of a voice without loading it. */
export async function info([name]: readonly string[], context: VoicesContext): Promise<void> {
  const { config, stdout, json } = context;
  const options = catalogueOptions(config);
  const voice = (await openVoices(config)).get(name!);
  const aliases = Object.keys(options.aliases).filter((alias) => options.aliases[alias] === voice.id);
  if (json) {
    stdout.write(`${JSON.stringify({ ...voice, aliases })}\n`);
    return;
  }
  const { speed, marks, streaming, ...more } = voice.capabilities;
  const rows = [
    ['voice', voice.id],
    ['name', voice.name],
    ['other names', aliases.join(', ') || 'none'],
    ['language', voice.language],
    ['sample rate', `${voice.sampleRateHz} Hz`],
    ['speakers', voice.speakers.join(', ') || 'one'],
    ['engine', voice.engine],
    ['speed', speed ? `${speed.min} to ${speed.max}` : 'its own only'],
    [
      'delivery',
      `${streaming ? 'while a sentence is made' : 'a sentence at a time'}${voice.note ? ` (${voice.note})` : ''}`,
    ],
    ['repeats itself', voice.deterministic ? 'exactly' : 'no'],
    ['word times', marks],
    ...Object.entries(more).map(([key, value]) => [key, JSON.stringify(value)]),
    ['licence', voice.licence ?? 'not stated'],
    ['digest', voice.digest],
  ] as [string, string][];
  for (const row of aligned(rows)) stdout.write(`${row}\n`);
}

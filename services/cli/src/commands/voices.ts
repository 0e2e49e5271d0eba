import { RhapsodeError } from '@rhapsode/contracts';
import { parse, type Usage } from '../args.ts';
import type { Command, CommandContext } from '../command.ts';
import { add } from './voices/add.ts';
import { info } from './voices/info.ts';
import { list } from './voices/list.ts';
import { remove } from './voices/remove.ts';
import { verify } from './voices/verify.ts';

const usage = {
  synopsis: 'rhapsode voices [list | info VOICE | add SOURCE | remove VOICE | verify [VOICE …]]',
  about: [
    'Lists the voices of this machine, and what is wrong with those that can’t be used; tells all about one; adds one from a',
    'file, a folder, a URL or by its public name (en_US-lessac-medium, kokoro-82m-v1.0); removes one; reads every file again.',
  ].join('\n'),
  options: {
    json: { type: 'boolean' },
    hub: { type: 'string' },
    licence: { type: 'string' },
    quiet: { type: 'boolean', short: 'q' },
  },
  help: {
    json: 'print JSON',
    hub: 'where public names are looked up (default RHAPSODE_VOICES_HUB)',
    licence: 'of the voice that is added, where its files do not say',
    quiet: 'no progress',
  },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

export interface VoicesContext extends CommandContext {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly hub: string;
  readonly licence: string | undefined;
}

const actions = { list, info, add, remove, verify } as const;
const operands = { list: [0, 0], info: [1, 1], add: [1, 1], remove: [1, 1], verify: [0, 1000] } as const;
const isAction = (name: string): name is keyof typeof actions => Object.hasOwn(actions, name);

export const voices: Command = {
  usage,
  async run(args, context) {
    const { values, positionals } = parse(usage, args);
    const [name = 'list', ...names] = positionals;
    if (!isAction(name)) throw wrong(`voices can't ${name}`);
    const [least, most] = operands[name];
    if (names.length < least) throw wrong(`voices ${name} needs ${name === 'add' ? 'a source' : 'a voice'}`);
    if (names.length > most) throw wrong(`voices ${name} does not take '${names[most]}'`);
    const { json = false, quiet = false, hub = context.config.voicesHub, licence } = values;
    if (!URL.canParse(hub)) throw wrong(`--hub must be a URL, not '${hub}'`);
    await actions[name](names, { ...context, json, quiet, hub, licence });
  },
};

const wrong = (problem: string) =>
  new RhapsodeError('invalid_request', { message: `${problem}\nusage: ${usage.synopsis}` });

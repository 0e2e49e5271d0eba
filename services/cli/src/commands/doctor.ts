import { connect } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { parse, type Usage } from '../args.ts';
import type { Command } from '../command.ts';
import type { CliConfig } from '../config.ts';
import { openVoices } from '../open-voices.ts';
import { speakEmbedded } from '../speak-embedded.ts';
import { createSpeaker } from '../speaker.ts';

const usage = {
  synopsis: 'rhapsode doctor [--json]',
  about: 'Checks what is there for speaking, here and on servers, and says what to do about what is not.',
  options: { json: { type: 'boolean' } },
  help: { json: 'print JSON' },
} satisfies Usage<Record<string, { type: 'string' | 'boolean' }>>;

interface Finding {
  readonly what: string;
  /** `optional`: only servers need it. */
  readonly state: 'ok' | 'missing' | 'optional';
  readonly detail: string;
}

export const doctor: Command = {
  usage,
  async run(args, { config, signal, stdout }) {
    const { values } = parse(usage, args);
    const findings = [
      node(),
      machine(config),
      ...(await voices(config)),
      await speech(config, signal),
      await server('Redis', config.redisUrl, 6379, 'redis-server deploy/redis/redis.conf'),
      await server(
        'NATS',
        config.natsUrl[0] ?? 'nats://127.0.0.1',
        4222,
        'nats-server -c deploy/nats/nats.conf',
      ),
    ];
    const healthy = findings.every(({ state }) => state !== 'missing');
    if (values.json) stdout.write(`${JSON.stringify({ healthy, findings })}\n`);
    else
      for (const { what, state, detail } of findings)
        stdout.write(`${{ ok: '✓', missing: '✗', optional: '–' }[state]} ${what}: ${detail}\n`);
    if (!healthy) process.exitCode = 1;
  },
};

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 22 || (major === 22 && minor >= 18);
  return {
    what: 'Node',
    state: good ? 'ok' : 'missing',
    detail: good
      ? process.versions.node
      : `${process.versions.node} is too old; 22.18 or newer is needed (pnpm scripts bring one)`,
  };
}

const machine = ({ slots }: CliConfig): Finding => ({
  what: 'machine',
  state: 'ok',
  detail: `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${slots} sentences at once`,
});

async function voices(config: CliConfig): Promise<Finding[]> {
  const catalogue = await openVoices(config);
  const broken = catalogue.problems.map(
    ({ id, error }): Finding => ({
      what: `voice ${id}`,
      state: 'missing',
      detail: `${error.message} (${error.code})`,
    }),
  );
  return [
    { what: 'voices', state: 'ok', detail: `${catalogue.voices.length} in ${config.modelsDir} and built in` },
    ...broken,
  ];
}

async function speech(config: CliConfig, signal: AbortSignal): Promise<Finding> {
  try {
    const speaker = await createSpeaker({ ...config, slots: 1 }, { warm: ['default'] });
    try {
      const voice = speaker.catalogue.get('default');
      const { audioSeconds, rtf } = await speakEmbedded('All is well.', speaker, {
        voice,
        signal,
        write: async () => {},
        endSentence: async () => {},
        onProgress: () => {},
      });
      return {
        what: 'speech',
        state: 'ok',
        detail: `${voice.id} speaks: ${audioSeconds.toFixed(2)} s at RTF ${rtf.toFixed(3)}`,
      };
    } finally {
      await speaker.close();
    }
  } catch (error) {
    return {
      what: 'speech',
      state: 'missing',
      detail: `the voice 'default' does not speak: ${(error as Error).message}`,
    };
  }
}

/** Whether something listens there. Only the three services need it. */
async function server(what: string, url: string, defaultPort: number, command: string): Promise<Finding> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const there = await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port: Number(port || defaultPort), timeout: 1_000 });
    const answer = (found: boolean) => () => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });
  return there
    ? { what, state: 'ok', detail: `listens at ${host}:${port || defaultPort}` }
    : {
        what,
        state: 'optional',
        detail: `nothing listens at ${host}:${port || defaultPort}; only the separate services need it (${command})`,
      };
}

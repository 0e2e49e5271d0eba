import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { planText } from '@rhapsode/text';
import { openCatalogue } from '@rhapsode/voices';
import { writeFixture } from '../../models/fixtures/make.ts';
import { medium } from '../../models/fixtures/vits.ts';
import { keepOnCores } from '../support/cores.ts';
import { startFleet } from '../support/fleet.ts';
import { plainText } from '../support/texts.ts';
import { measureBacklog } from './backlog.ts';
import { measureBook } from './book.ts';
import { measureBookMemory, measureBookSpeed, measureBooks } from './books.ts';
import { measureEncoders } from './encoders.ts';
import { measureFirstAudio } from './first-audio.ts';
import { measureSessions } from './session.ts';
import { printTable, type Row } from './table.ts';
import { measureThroughput } from './throughput.ts';
import { measureVoices } from './voices.ts';

/** Each starts real servers and services of its own. `pnpm bench first-audio` runs one of them. */
const benches: Record<string, () => Promise<Row[]>> = {
  async 'first-audio'() {
    const fleet = await startFleet({ workers: 1, slots: 1 });
    try {
      return await measureFirstAudio(fleet);
    } finally {
      await fleet.stop();
    }
  },

  backlog: measureBacklog,

  books: measureBooks,

  'book-speed': measureBookSpeed,

  'book-memory': measureBookMemory,

  voices: measureVoices,

  async session() {
    const fleet = await startFleet({ workers: 2, slots: 1 });
    try {
      return await measureSessions(fleet);
    } finally {
      await fleet.stop();
    }
  },

  encoders: measureEncoders,

  /** On a voice of the usual size, as below. */
  async book() {
    const modelsDir = await mkdtemp(join(tmpdir(), 'rhapsode-bench-'));
    writeFixture(modelsDir, 'medium', medium);
    const catalogue = { modelsDir, espeak: false } as const;
    try {
      return await measureBook({ catalogue, voice: 'medium', slots: availableParallelism(), rounds: 3 });
    } finally {
      await rm(modelsDir, { recursive: true, force: true });
    }
  },

  /**
   * A Piper voice of the usual size, with random weights: it costs what a real one does. First with Redis, NATS, gateway, collector
   * and client on the engine's own cores; then with the worker on cores of its own, as workers have machines of their own.
   */
  async throughput() {
    const modelsDir = await mkdtemp(join(tmpdir(), 'rhapsode-bench-'));
    const voice = 'medium';
    writeFixture(modelsDir, voice, medium);
    const cores = [...Array(availableParallelism()).keys()];
    const text = plainText(64, 70);
    const catalogue = { modelsDir, espeak: false };
    const { language } = (await openCatalogue(catalogue)).get(voice);
    const sentences = planText(text, { locale: language }).map(({ spoken }) => spoken);
    const rows: Row[] = [];
    try {
      for (const apart of [undefined, { engine: cores.slice(1), others: cores.slice(0, 1) }]) {
        const slots = apart === undefined ? cores.length : apart.engine.length;
        if (slots === 0) continue;
        const fleet = await startFleet({
          workers: 1,
          slots,
          env: { RHAPSODE_MODELS_DIR: modelsDir, RHAPSODE_DEFAULT_VOICE: voice },
        });
        try {
          // What tests listen with is no part of the services, and costs as much as a listener.
          await fleet.live.close();
          const options = { voice, catalogue, text, sentences, slots, rounds: 5 };
          rows.push(...(await measureThroughput(fleet, apart ? { ...options, apart } : options)));
        } finally {
          await fleet.stop();
        }
      }
      return rows;
    } finally {
      keepOnCores(process.pid, cores);
      await rm(modelsDir, { recursive: true, force: true });
    }
  },
};

/** How much of a core the machine gives: on a busy one the times below are longer by that, the ratios are not. */
function shareOfCore(): number {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  while (performance.now() - startedMs < 300);
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000 / (performance.now() - startedMs);
}

const shares: number[] = [];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0)
  throw new Error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches))
  if (asked.length === 0 || asked.includes(name)) {
    console.error(`${name} …`);
    shares.push(shareOfCore());
    rows.push(...(await bench()));
    shares.push(shareOfCore());
  }
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
console.log(
  `pnpm bench ${asked.join(' ')}: ${availableParallelism()} cores, of which a busy loop gets ` +
    `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} of one; ` +
    `load average ${loadavg()[0]!.toFixed(1)}\n`,
);
printTable(rows);
if (rows.some(({ met }) => !met)) process.exitCode = 1;

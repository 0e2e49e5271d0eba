import { describe, expect, it } from 'vitest';
import {
  definePlayerProcessor,
  type ProcessorCommand,
  type ProcessorReport,
  type ProcessorScope,
} from '../src/web-audio/processor.ts';

const sampleRate = 16_000;
const quantum = 128;

/** The audio thread, whose clock goes on when the test says so. */
function audioThread({ prebufferSamples = 0, reportSamples = 800 } = {}) {
  const reports: ProcessorReport[] = [];
  const port = {
    onmessage: null as ((event: { data: ProcessorCommand }) => void) | null,
    postMessage: (report: ProcessorReport) => void reports.push(report),
  };
  let Processor: new (options: object) => { process(inputs: unknown, outputs: Float32Array[][]): boolean };
  const scope = {
    currentFrame: 0,
    sampleRate,
    AudioWorkletProcessor: class {
      readonly port = port;
    },
    registerProcessor(_: string, processor: never) {
      Processor = processor;
    },
  };
  definePlayerProcessor(scope as unknown as ProcessorScope, 'player');
  const processor = new Processor!({ processorOptions: { prebufferSamples, reportSamples } });
  const heard: number[] = [];
  let isAlive = true;
  return {
    reports,
    heard,
    get isAlive() {
      return isAlive;
    },
    get playedSamples() {
      return reports.reduce((last, report) => (report.type === 'played' ? report.sample : last), 0);
    },
    send: (command: ProcessorCommand) => port.onmessage!({ data: command }),
    render(quanta = 1) {
      for (let i = 0; i < quanta && isAlive; i++) {
        const output = new Float32Array(quantum);
        isAlive = processor.process([], [[output]]);
        heard.push(...output);
        scope.currentFrame += quantum;
      }
    },
    of: <T extends ProcessorReport['type']>(type: T) =>
      reports.filter((report): report is Extract<ProcessorReport, { type: T }> => report.type === type),
  };
}

const pcmOf = (length: number, from = 0) =>
  Int16Array.from({ length }, (_, i) => (((from + i) * 7_919) % 65_535) - 32_767 || 1);
const audio = (samples: Int16Array): ProcessorCommand => ({ type: 'audio', samples: samples.slice() });
const asFloats = (pcm: Int16Array) => [...Float32Array.from(pcm, (sample) => sample / 32_768)];

describe('the audio processor', () => {
  it('plays a minute exactly, from a queue of a second, without an underrun', () => {
    const thread = audioThread({ prebufferSamples: 3_200 });
    const whole = pcmOf(60 * sampleRate + 77);
    let written = 0;
    for (let piece = 0; thread.isAlive; piece++) {
      while (written < whole.length && written - thread.playedSamples < sampleRate) {
        const length = [1, 127, 128, 129, 4_000, 333][piece++ % 6]!;
        thread.send(audio(whole.subarray(written, written + length)));
        written = Math.min(whole.length, written + length);
      }
      if (written === whole.length) thread.send({ type: 'end' });
      thread.render(10);
    }
    const at = thread.heard.findIndex((sample) => sample !== 0);
    const difference = asFloats(whole).findIndex((sample, i) => thread.heard[at + i] !== sample);
    expect(difference).toBe(-1);
    expect(thread.heard.slice(at + whole.length).every((sample) => sample === 0)).toBe(true);
    expect(thread.of('underrun')).toEqual([]);
    expect(thread.of('ended')[0]!.atSeconds).toBeCloseTo((at + whole.length) / sampleRate, 9);
  });

  it('tells a mark at the very sample that is rendered, across pauses, and one that comes late at once', () => {
    const thread = audioThread();
    thread.send(audio(pcmOf(1_000)));
    thread.send({
      type: 'marks',
      marks: [
        { id: 1, sample: 0 },
        { id: 2, sample: 200 },
        { id: 3, sample: 999 },
      ],
    });
    thread.render(1);
    thread.send({ type: 'pause' });
    thread.render(50);
    thread.send({ type: 'resume' });
    thread.render(2);
    thread.send({ type: 'marks', marks: [{ id: 4, sample: 10 }] });
    thread.send({ type: 'end' });
    thread.render(20);
    expect(thread.of('mark').map(({ id, atSeconds }) => [id, Math.round(atSeconds * sampleRate)])).toEqual([
      [1, 0],
      [2, 200 + 50 * quantum],
      [4, 53 * quantum],
      [3, 999 + 50 * quantum],
    ]);
    expect(thread.of('underrun')).toEqual([]);
  });

  it('counts an underrun when a sentence stops in its middle, and goes on at the next sample', () => {
    const thread = audioThread({ prebufferSamples: 300 });
    thread.send(audio(pcmOf(500)));
    thread.render(10);
    thread.send(audio(pcmOf(200, 500)));
    thread.render(10);
    expect(thread.of('underrun')).toEqual([{ type: 'underrun', sample: 500 }]);
    expect(thread.heard.filter((sample) => sample !== 0)).toHaveLength(500);
    thread.send(audio(pcmOf(100, 700)));
    thread.send({ type: 'end' });
    thread.render(10);
    expect(thread.heard.filter((sample) => sample !== 0)).toEqual(asFloats(pcmOf(800)));
    expect(thread.of('underrun')).toHaveLength(1);
  });

  it('counts no underrun while a text that is still written has no next sentence, and one when it was complete', () => {
    for (const isTextComplete of [false, true]) {
      const thread = audioThread();
      thread.send(audio(pcmOf(300)));
      thread.send({ type: 'sentence', isTextComplete });
      thread.render(10);
      expect(thread.of('underrun')).toHaveLength(isTextComplete ? 1 : 0);
      thread.send({ type: 'end' });
      thread.render(1);
      expect(thread.isAlive).toBe(false);
    }
  });

  it('begins with a whole sentence although it is shorter than what is waited for, and is silent after stop', () => {
    const thread = audioThread({ prebufferSamples: 10_000 });
    thread.send(audio(pcmOf(300)));
    thread.render(5);
    expect(thread.heard.every((sample) => sample === 0)).toBe(true);
    thread.send({ type: 'sentence', isTextComplete: false });
    thread.render(1);
    expect(thread.heard.slice(-quantum)).toEqual(asFloats(pcmOf(quantum)));
    thread.send({ type: 'stop' });
    thread.render(5);
    expect(thread.isAlive).toBe(false);
    expect(thread.heard.slice(-quantum).every((sample) => sample === 0)).toBe(true);
  });

  it('needs nothing from outside: its source text is what the audio thread gets', () => {
    const source = definePlayerProcessor.toString();
    const registered: string[] = [];
    const scope = {
      AudioWorkletProcessor: class {},
      registerProcessor: (name: string) => registered.push(name),
    };
    new Function('scope', `(${source})(scope, 'from text')`)(scope);
    expect(registered).toEqual(['from text']);
  });
});

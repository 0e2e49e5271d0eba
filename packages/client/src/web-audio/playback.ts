import type { Boundary } from '../boundaries.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { StreamError } from '../errors.ts';
import type { Playback } from '../player.ts';
import type { ProcessorCommand, ProcessorReport } from './processor.ts';
import type { WebAudioContext, WorkletNode } from './types.ts';

export interface PlaybackOptions {
  readonly context: WebAudioContext;
  readonly node: WorkletNode;
  readonly maxQueueSamples: number;
  readonly onBoundary: (boundary: Boundary) => void;
}

/**
 * The page's side of one processor. It keeps the processor's queue short by waiting for its reports, and tells a boundary when
 * the sample leaves the loudspeaker: when it was rendered, and the device's latency later.
 */
export function createPlayback({ context, node, maxQueueSamples, onBoundary }: PlaybackOptions): Playback {
  const marks = new Map<number, Boundary>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const ended = deferred<void>();
  ended.promise.catch(() => {});
  let ids = 0;
  let written = 0;
  let played = 0;
  let underruns = 0;
  let isOver = false;
  let room: Deferred<void> | undefined;

  const send = (command: ProcessorCommand, transfer: readonly ArrayBuffer[] = []) =>
    node.port.postMessage(command, transfer);

  /** Does it when what was rendered at that time of the context is heard. */
  function whenHeard(atSeconds: number, work: () => void): void {
    const latencySeconds = context.outputLatency || context.baseLatency || 0;
    const waitMs = (atSeconds + latencySeconds - context.currentTime) * 1000;
    if (waitMs < 4) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, waitMs);
    timers.add(timer);
  }

  function makeRoom(): void {
    if (!isOver && written - played > maxQueueSamples) return;
    room?.resolve();
    room = undefined;
  }

  function close(): void {
    isOver = true;
    node.port.onmessage = null;
    node.disconnect();
    makeRoom();
  }

  function onReport(report: ProcessorReport): void {
    switch (report.type) {
      case 'played':
        played = report.sample;
        makeRoom();
        break;
      case 'mark': {
        const boundary = marks.get(report.id)!;
        marks.delete(report.id);
        whenHeard(report.atSeconds, () => onBoundary(boundary));
        break;
      }
      case 'underrun':
        underruns += 1;
        break;
      case 'ended':
        whenHeard(report.atSeconds, () => {
          close();
          ended.resolve();
        });
    }
  }
  node.port.onmessage = ({ data }) => onReport(data);
  node.onprocessorerror = () => {
    close();
    ended.reject(new StreamError('internal_error', { message: 'the audio processor failed' }));
  };

  return {
    async write({ pcm }) {
      if (isOver) return;
      const samples = pcm.slice();
      written += samples.length;
      send({ type: 'audio', samples }, [samples.buffer]);
      if (written - played <= maxQueueSamples) return;
      room = deferred<void>();
      await room.promise;
    },
    mark(boundaries) {
      const numbered = boundaries.map((boundary) => {
        marks.set(++ids, boundary);
        return { id: ids, sample: boundary.sample };
      });
      send({ type: 'marks', marks: numbered });
    },
    sentenceEnd: (isTextComplete) => send({ type: 'sentence', isTextComplete }),
    end() {
      if (!isOver) send({ type: 'end' });
      return ended.promise;
    },
    pause: () => send({ type: 'pause' }),
    resume: () => send({ type: 'resume' }),
    stop() {
      if (isOver) return;
      send({ type: 'stop' });
      for (const timer of timers) clearTimeout(timer);
      close();
      ended.resolve();
    },
    get underruns() {
      return underruns;
    },
  };
}

import { Agent, request } from 'node:http';
import type { Fleet } from '../support/fleet.ts';
import { quantile } from '../support/quantile.ts';
import { ms, type Row } from './table.ts';

const warmUp = 50;
const requests = 500;

/** What the pipeline adds to the time to first audio: one request after the other, with an engine that takes no time. */
export async function measureFirstAudio(fleet: Fleet): Promise<Row[]> {
  const agent = new Agent({ keepAlive: true });
  const took: number[] = [];
  for (let i = 0; i < warmUp + requests; i++) {
    const milliseconds = await firstAudio(fleet.gateway.url, agent);
    if (i >= warmUp) took.push(milliseconds);
  }
  agent.destroy();
  return [
    {
      what: `first audio of ${requests} requests, null engine: p50`,
      got: ms(quantile(took, 0.5)),
      target: '15 ms',
      met: quantile(took, 0.5) <= 15,
    },
    {
      what: `first audio of ${requests} requests, null engine: p99`,
      got: ms(quantile(took, 0.99)),
      target: '50 ms',
      met: quantile(took, 0.99) <= 50,
    },
  ];
}

/** From the request's last byte to the answer's first byte of audio: PCM has no header that could come before. */
function firstAudio(gateway: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${gateway}/v1/audio/speech`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`the gateway answered ${response.statusCode}`));
        response.once('data', () => {
          const milliseconds = performance.now() - startedMs;
          response.resume();
          response.once('end', () => resolve(milliseconds));
        });
        response.once('error', reject);
      },
    );
    sent.once('error', reject);
    const startedMs = performance.now();
    sent.end(
      JSON.stringify({
        model: 'tts-1',
        voice: 'tone',
        input: 'The river sleeps. The wind does not.',
        response_format: 'pcm',
      }),
    );
  });
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet } from '../support/fleet.ts';
import { freePort } from '../support/ports.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';
import { lmntSuite, streamLmnt } from './protocols/lmnt.ts';
import { lunaSuite, streamLuna } from './protocols/luna.ts';
import { type Scene, slowly } from './protocols/scene.ts';
import { streamWyoming, wyomingSuite } from './protocols/wyoming.ts';

/** Clients of other people's protocols, against the three services on a real Redis and a real NATS. */
let scene: Scene;
const theScene = () => scene;
beforeAll(async () => {
  const [grpcPort, wyomingPort] = (await Promise.all([freePort(), freePort()])) as [number, number];
  const env = { RHAPSODE_GRPC_PORT: String(grpcPort), RHAPSODE_WYOMING_PORT: String(wyomingPort) };
  scene = { fleet: await startFleet({ env }), grpcPort, wyomingPort };
});
afterAll(() => scene?.fleet.stop());

describe('LMNT', () => lmntSuite(theScene));
describe('Luna’s gRPC', () => lunaSuite(theScene));
describe('Wyoming', () => wyomingSuite(theScene));

describe('all of them', () => {
  it('give every sample while all workers and the collector are killed', { timeout: 120_000 }, async () => {
    const { fleet } = scene;
    const text = plainText(4);
    const listeners = [streamLmnt, streamLuna, streamWyoming].map((stream) => {
      const begun = Promise.withResolvers<void>();
      const heard = stream(scene, slowly(text), begun.resolve);
      heard.catch(begun.reject);
      return { begun: begun.promise, heard };
    });
    await Promise.all(listeners.map(({ begun }) => begun));
    const killed = [...fleet.workers, ...fleet.collectors];
    await Promise.all(killed.map((service) => service.kill()));
    await Promise.all(killed.map((service) => service.restart()));
    const reference = await speakEmbedded(slowly(text, 0));
    for (const { heard } of listeners) expect(firstDifference(await heard, reference)).toBeUndefined();
  });
});

import type { FastifyInstance } from 'fastify';
import type { GatewayDeps } from '../deps.ts';

/** What can be spoken with. */
export function voiceRoutes(app: FastifyInstance, { voices }: GatewayDeps): void {
  app.get('/v1/audio/voices', async () => {
    const listed = await voices.list();
    return {
      voices: listed.map(({ voice, pool }) => ({
        id: voice.id,
        name: voice.name,
        language: voice.language,
        sample_rate_hz: voice.sampleRateHz,
        speakers: voice.speakers,
        engine: voice.engine,
        deterministic: voice.deterministic,
        capabilities: voice.capabilities,
        digest: voice.digest,
        pool,
        aliases: Object.keys(voices.aliases).filter((alias) => voices.aliases[alias] === voice.id),
        ...(voice.licence === undefined ? {} : { licence: voice.licence }),
      })),
    };
  });
}

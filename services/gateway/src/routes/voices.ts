import { parseRequest } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import type { FoundVoice } from '../voice-directory.ts';

const query = z.strictObject({
  legacy: z.enum(['true', 'false']).optional().describe('`true`: names only, as old clients expect them.'),
});

/** What can be spoken with, in one shape that holds what the clients of other servers look for. */
export function voiceRoutes(app: FastifyInstance, { voices }: GatewayDeps): void {
  const describe = ({ voice, pool }: FoundVoice) => ({
    id: voice.id,
    voice_id: voice.id,
    object: 'voice',
    name: voice.name,
    model: 'rhapsode',
    language: voice.language,
    sample_rate: voice.sampleRateHz,
    sample_rate_hz: voice.sampleRateHz,
    speakers: voice.speakers,
    engine: voice.engine,
    deterministic: voice.deterministic,
    capabilities: voice.capabilities,
    digest: voice.digest,
    pool,
    aliases: Object.keys(voices.aliases).filter((alias) => voices.resolves(alias, voice.id)),
    ...(voice.licence === undefined ? {} : { licence: voice.licence }),
  });

  for (const path of ['/v1/audio/voices', '/v1/voices'])
    app.get(path, async (request) => {
      const { legacy } = parseRequest(query, request.query);
      const listed = await voices.list();
      return { voices: legacy === 'true' ? listed.map(({ voice }) => voice.id) : listed.map(describe) };
    });
}

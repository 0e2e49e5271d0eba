import { voiceInfo } from '@rhapsode/contracts';
import { type ApiRoute, parseRequest } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import type { FoundVoice } from '../voice-directory.ts';

const query = z.strictObject({
  legacy: z.enum(['true', 'false']).optional().describe('`true`: names only, as old clients expect them.'),
});

const voice = voiceInfo.omit({ sampleRateHz: true, note: true }).extend({
  voice_id: z.string(),
  object: z.literal('voice'),
  model: z.string(),
  sample_rate: z.int(),
  sample_rate_hz: z.int(),
  pool: z.string(),
  aliases: z.array(z.string()),
});
const api: ApiRoute = {
  summary: 'Voices that workers have announced',
  query,
  answers: {
    200: {
      description: 'All of them, ordered by id.',
      schema: z.object({ voices: z.union([z.array(voice), z.array(z.string())]) }),
    },
  },
};

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
    app.get(path, { config: { api } }, async (request) => {
      const { legacy } = parseRequest(query, request.query);
      const listed = await voices.list();
      return { voices: legacy === 'true' ? listed.map(({ voice }) => voice.id) : listed.map(describe) };
    });
}

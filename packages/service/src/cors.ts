import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** What a page may read of an answer, besides its body. */
const exposed = [
  'content-range',
  'retry-after',
  'server-timing',
  'x-request-id',
  'x-rhapsode-warning',
].concat(['utterance', 'sample-rate', 'voice-digest'].map((name) => `x-rhapsode-${name}`));

/** Lets pages of these origins call from a browser; `*` is any. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  void app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: exposed,
    maxAge: 600,
  });
}

import { RhapsodeError } from '@rhapsode/contracts';
import { type ApiRoute, anyQuery } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { openAiModels } from '../openai-names.ts';

const models = ['rhapsode', ...openAiModels].map((id) => ({
  id,
  object: 'model',
  created: Date.UTC(2026, 10, 21) / 1000,
  owned_by: 'rhapsode',
}));

export function findModel(id: string) {
  const model = models.find((one) => one.id === id);
  if (model) return model;
  throw new RhapsodeError('model_not_found', {
    message: `there is no model '${id.slice(0, 100)}'; use one of ${models.map((one) => one.id).join(', ')} (the voice decides what speaks)`,
    param: 'model',
  });
}

const model = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
});
const list = z.object({ object: z.literal('list'), data: z.array(model) });
const answering = (summary: string, schema: z.ZodType): { config: { api: ApiRoute } } => ({
  config: { api: { summary, query: anyQuery, answers: { 200: { description: 'OpenAI’s shape.', schema } } } },
});

/** OpenAI's list of models. All are the same: the voice decides. */
export function modelRoutes(app: FastifyInstance): void {
  app.get('/v1/models', answering('All models; the voice decides what speaks', list), async () => ({
    object: 'list',
    data: models,
  }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', answering('One model', model), async (request) =>
    findModel(request.params.id),
  );
  // Open WebUI looks here first, and for this name.
  app.get(
    '/v1/audio/models',
    answering('The models again', list.extend({ models: z.array(model) })),
    async () => ({ object: 'list', data: models, models }),
  );
}

import { RhapsodeError } from '@rhapsode/contracts';
import type { FastifyInstance } from 'fastify';
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

/** OpenAI's list of models. All are the same: the voice decides. */
export function modelRoutes(app: FastifyInstance): void {
  app.get('/v1/models', async () => ({ object: 'list', data: models }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', async (request) => findModel(request.params.id));
  // Open WebUI looks here first, and for this name.
  app.get('/v1/audio/models', async () => ({ object: 'list', data: models, models }));
}

import type { Health, HealthReport, Metrics } from '@rhapsode/telemetry';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { type ApiRoute, anyQuery } from './api-routes.ts';

const report = z.looseObject({ ok: z.boolean() });
const probe = (summary: string): ApiRoute => ({
  summary,
  query: anyQuery,
  answers: {
    200: { description: 'Yes, with the checks that were made.', schema: report },
    503: { description: 'No, and why.', schema: report },
  },
});
const metricsApi: ApiRoute = {
  summary: 'Metrics for Prometheus',
  query: anyQuery,
  answers: { 200: { description: 'Text.', types: ['text/plain'] } },
};

export interface OpsDeps {
  readonly health: Health;
  readonly metrics: Metrics;
}

/** `/healthz`: would a restart help? `/readyz`: may work be sent here? `/metrics`: for Prometheus. */
export function opsRoutes(app: FastifyInstance, { health, metrics }: OpsDeps): void {
  const answer = (reply: FastifyReply, report: HealthReport) =>
    reply.code(report.ok ? 200 : 503).send(report);
  app.get('/healthz', { config: { api: probe('Would a restart help?') } }, async (_, reply) =>
    answer(reply, await health.live()),
  );
  app.get('/readyz', { config: { api: probe('May work be sent here?') } }, async (_, reply) =>
    answer(reply, await health.ready()),
  );
  metrics.beforeRender(async () => metrics.ready.set((await health.ready()).ok ? 1 : 0));
  app.get('/metrics', { config: { api: metricsApi } }, async (_, reply) => {
    const { contentType, body } = await metrics.render();
    return reply.type(contentType).send(body);
  });
}

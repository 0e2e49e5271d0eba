import type { Health, HealthReport, Metrics } from '@rhapsode/telemetry';
import type { FastifyInstance, FastifyReply } from 'fastify';

export interface OpsDeps {
  readonly health: Health;
  readonly metrics: Metrics;
}

/** `/healthz`: would a restart help? `/readyz`: may work be sent here? `/metrics`: for Prometheus. */
export function opsRoutes(app: FastifyInstance, { health, metrics }: OpsDeps): void {
  const answer = (reply: FastifyReply, report: HealthReport) =>
    reply.code(report.ok ? 200 : 503).send(report);
  app.get('/healthz', async (_, reply) => answer(reply, await health.live()));
  app.get('/readyz', async (_, reply) => answer(reply, await health.ready()));
  metrics.beforeRender(async () => metrics.ready.set((await health.ready()).ok ? 1 : 0));
  app.get('/metrics', async (_, reply) => {
    const { contentType, body } = await metrics.render();
    return reply.type(contentType).send(body);
  });
}

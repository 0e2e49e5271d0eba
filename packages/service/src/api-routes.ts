import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseRequest } from './parse-request.ts';

/** What a route tells of itself in the API's document: the schemas are those that it parses with. */
export interface ApiRoute {
  readonly summary: string;
  readonly description?: string;
  /** Of the JSON body. */
  readonly body?: z.ZodType;
  /** What may stand behind the `?`; nothing if not given. */
  readonly query?: z.ZodObject;
  /** Bodies that are good, by what they show. */
  readonly examples?: Readonly<Record<string, unknown>>;
  /** By status. Errors need not be named: they look alike everywhere. */
  readonly answers: Readonly<Record<number, ApiAnswer>>;
}

/** Of routes that clients of others, probes and browsers call, who add what they are used to add. */
export const anyQuery = z.looseObject({});
const noQuery = z.strictObject({});

export interface ApiAnswer {
  readonly description: string;
  /** Of a JSON answer. */
  readonly schema?: z.ZodType;
  /** Of any other: its media types. */
  readonly types?: readonly string[];
  /** Schemas of what a media type is made of, such as events. */
  readonly itemsOf?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: Readonly<Record<string, string>>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    api?: ApiRoute;
  }
}

export interface KnownRoute {
  readonly method: string;
  /** As OpenAPI writes it: `/v1/models/{id}`. */
  readonly path: string;
  readonly api: ApiRoute | undefined;
}

const tables = new WeakMap<FastifyInstance, KnownRoute[]>();

/** Remembers every route that is registered from now on. */
export function watchRoutes(app: FastifyInstance): void {
  const routes: KnownRoute[] = [];
  tables.set(app, routes);
  app.addHook('onRoute', ({ url, method, config }) => {
    for (const one of [method].flat())
      if (one !== 'OPTIONS')
        routes.push({
          method: one,
          path: url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}'),
          api: config?.api,
        });
  });
}

/** Refuses what stands behind the `?` and means nothing to a route, before the body is read. */
export function checkQueries(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ query, routeOptions: { config } }) => {
    if (config?.api) parseRequest(config.api.query ?? noQuery, query);
  });
}

/** Of an application made by `createHttpApp`: its routes so far, in their order. */
export const knownRoutes = (app: FastifyInstance): readonly KnownRoute[] => tables.get(app) ?? [];

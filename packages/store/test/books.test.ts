import { afterAll, beforeAll } from 'vitest';
import { type RedisServer, startRedis } from '../../../test/support/redis.ts';
import { bookConformance } from '../src/books/conformance.ts';
import { createMemoryBooks } from '../src/books/memory.ts';
import { createRedisBooks } from '../src/redis/books.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let prefixes = 0;
bookConformance('memory', (options) => createMemoryBooks(options));
bookConformance('redis', (options) =>
  createRedisBooks({ ...options, url: server.url, prefix: `{books${prefixes++}}:` }),
);

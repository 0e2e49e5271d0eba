import { readFileSync } from 'node:fs';

/** A block of a page, under a comment that names it. */
export interface Example {
  readonly name: string;
  readonly language: string;
  readonly code: string;
  /** The file that it leaves behind. */
  readonly makes: string | undefined;
}

export const readExamples = (page = 'examples.md'): Example[] =>
  [
    ...readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8').matchAll(
      /<!-- example: ([\w-]+)(?:, makes ([\w.-]+))? -->\n```(\w+)\n(.*?)\n```/gs,
    ),
  ].map(([, name, makes, language, code]) => ({ name: name!, makes, language: language!, code: code! }));

export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly wyoming: number;
}

/** The example's usual ports are somebody else's while tests run. */
export const withPorts = ({ code }: Example, { http, grpc, wyoming }: Ports): string =>
  code
    .replaceAll('localhost:8080', `127.0.0.1:${http}`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${http}`)
    .replaceAll('localhost:50051', `127.0.0.1:${grpc}`)
    .replaceAll("10200, 'localhost'", `${wyoming}, '127.0.0.1'`);

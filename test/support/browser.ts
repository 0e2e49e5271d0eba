import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { needExecutable } from './executables.ts';

export interface BrowserPage {
  readonly page: Page;
  /** Of the page, for a server to let in. */
  readonly origin: string;
  close(): Promise<void>;
}

export interface PageOptions {
  /** TypeScript that runs in the page, with what it imports. */
  readonly entry: string;
}

/** A page of its own origin, in the machine's Chromium, without a window. */
export async function openPage({ entry }: PageOptions): Promise<BrowserPage> {
  const script = await bundle(entry);
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' });
    response.end(
      isScript ? script : '<!doctype html><title>Test</title><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let browser: Browser | undefined;
  async function close(): Promise<void> {
    await browser?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  try {
    browser = await chromium.launch({
      executablePath: needExecutable('chromium'),
      args: [
        // Its sandbox refuses to run as root, and containers are often that.
        '--no-sandbox',
        '--disable-dev-shm-usage',
        // What its users have: no sound before the page was touched.
        '--autoplay-policy=document-user-activation-required',
      ],
    });
    const page = await browser.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(origin);
    return { page, origin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function bundle(entry: string): Promise<string> {
  const build = await rolldown({
    input: entry,
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    platform: 'browser',
    logLevel: 'silent',
  });
  try {
    const { output } = await build.generate({ format: 'esm', minify: true });
    return output[0].code;
  } finally {
    await build.close();
  }
}

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BrowserPage, openPage } from '../support/browser.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../support/embedded-server.ts';
import type { Heard, Listener } from '../support/listener-page.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';

declare const listener: Listener;

const entry = fileURLToPath(new URL('../support/listener-page.ts', import.meta.url));
const sampleRate = 16_000;
let server: EmbeddedServer;
let browser: BrowserPage;

beforeAll(async () => {
  browser = await openPage({ entry });
  server = await startEmbeddedServer({ RHAPSODE_CORS_ORIGINS: browser.origin });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const pcmOf = ({ pcm }: Heard): Int16Array => {
  const bytes = Buffer.from(pcm, 'base64');
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

/** Words are told in the order and the text of the speech, and never before they are heard. */
function checkWords({ words, startedAtSeconds }: Heard, text: string): void {
  expect(words.map((word) => word.text)).toEqual(text.match(/\S+/g));
  expect(words.map(({ sample }) => sample)).toEqual(
    words.map(({ sample }) => sample).toSorted((a, b) => a - b),
  );
  // A clock of the page and one of the audio thread, told to each other in steps of some milliseconds.
  const early = words.filter(
    ({ sample, toldAtSeconds }) => toldAtSeconds < startedAtSeconds + sample / sampleRate - 0.05,
  );
  expect(early).toEqual([]);
}

/** Without the silence behind the end. */
const spoken = (pcm: Int16Array, { pcm: expected }: Reference) =>
  pcm.subarray(expected.length).some((sample) => sample !== 0) ? pcm : pcm.subarray(0, expected.length);

test('a page that was not touched yet is told so, and is heard from its first touch on', async () => {
  const { page, origin } = browser;
  const says = (what: RegExp) =>
    page.waitForEvent('console', (message) => what.test(message.text())).then((message) => message.text());
  const heard = says(/^heard/);
  await Promise.all([says(/^blocked$/), page.goto(`${origin}/?speak=${server.url}`)]);
  await page.mouse.click(1, 1);
  const { pcm } = await speakEmbedded('Not before I am touched.');
  expect(await heard).toBe(`heard ${pcm.length}`);
});

test.concurrent('Chromium plays a minute sample by sample without an underrun, and tells each word when it is heard', {
  timeout: 180_000,
}, async () => {
  const text = plainText(14, 75);
  const reference = await speakEmbedded(text);
  expect(reference.pcm.length / sampleRate).toBeGreaterThan(60);
  const heard = await browser.page.evaluate(([url, words, rate]) => listener.hear({ url }, words, rate), [
    server.url,
    text,
    sampleRate,
  ] as const);
  expect(firstDifference(spoken(pcmOf(heard), reference), reference)).toBeUndefined();
  expect(heard.underruns).toBe(0);
  checkWords(heard, text);
  const lateness = heard.words.map(
    ({ sample, toldAtSeconds }) => toldAtSeconds - heard.startedAtSeconds - sample / sampleRate,
  );
  expect(lateness.toSorted((a, b) => a - b)[lateness.length >> 1]).toBeLessThan(2);
});

test.concurrent('a pause loses no sample, and the words wait with it', { timeout: 90_000 }, async () => {
  const text = plainText(3, 60);
  const reference = await speakEmbedded(text);
  const heard = await browser.page.evaluate(
    ([url, words, rate]) => listener.hear({ url }, words, rate, 'pauses once'),
    [server.url, text, sampleRate] as const,
  );
  const recorded = pcmOf(heard);
  const pause = recorded.findIndex((sample, at) => sample !== reference.pcm[at]);
  const length = recorded.subarray(pause).findIndex((sample) => sample !== 0);
  expect(pause).toBeGreaterThan(0);
  expect(length).toBeGreaterThanOrEqual(90 * 128);
  const without = Int16Array.from([...recorded.subarray(0, pause), ...recorded.subarray(pause + length)]);
  expect(firstDifference(spoken(without, reference), reference)).toBeUndefined();
  expect(heard.underruns).toBe(0);
  checkWords(heard, text);
});

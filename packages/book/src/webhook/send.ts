import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { RhapsodeError } from '@rhapsode/contracts';
import { isPublicAddress, isPublicName } from './public-address.ts';
import { signedHeaders } from './sign.ts';

export interface WebhookSettings {
  readonly secret: string;
  /** Plain HTTP, and addresses of private networks: for receivers beside us. */
  readonly allowPrivate: boolean;
  readonly timeoutMs?: number;
  readonly resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>;
  /** Of the receivers' certificates, where it is not one of the usual. */
  readonly ca?: string;
}

/** From the settings of a service; undefined: webhooks are off. */
export const webhookSettings = ({
  webhookSecret: secret,
  webhookPrivate: allowPrivate,
}: {
  readonly webhookSecret?: string | undefined;
  readonly webhookPrivate: boolean;
}): WebhookSettings | undefined => (secret === undefined ? undefined : { secret, allowPrivate });

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface WebhookMessage {
  readonly url: string;
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

/** `again`: it may go better later. */
export type Sent =
  | { readonly ok: true }
  | { readonly ok: false; readonly again: boolean; readonly reason: string };

const resolveAll = (hostname: string) => lookup(hostname, { all: true, order: 'verbatim' });

/** Checks what can be said of an address before anybody is asked; refused with the reason. */
export function parseWebhookUrl(
  text: string,
  { allowPrivate }: Pick<WebhookSettings, 'allowPrivate'>,
  param: string,
): URL {
  const refused = (why: string) =>
    new RhapsodeError('invalid_request', { message: `'${param}' can't be called: ${why}`, param });
  if (!URL.canParse(text)) throw refused('it is no URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) throw refused('use https');
  if (url.username !== '' || url.password !== '') throw refused('it must not hold a name or a password');
  const host = hostOf(url);
  if (allowPrivate) return url;
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw refused('its address is not public');
  if (isIP(host) === 0 && !isPublicName(host)) throw refused(`the name ${host} is not public`);
  return url;
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/**
 * Sends one message. The name is resolved once, every address is looked at, and the connection goes to the very address that
 * was looked at, whatever the name means a moment later. Redirects are not followed, and nothing of an answer is kept.
 */
export async function sendWebhook(
  message: WebhookMessage,
  settings: WebhookSettings,
  signal?: AbortSignal,
): Promise<Sent> {
  const { allowPrivate, resolve = resolveAll, timeoutMs = 15_000 } = settings;
  const never = (reason: string): Sent => ({ ok: false, again: false, reason });
  let url: URL;
  try {
    url = parseWebhookUrl(message.url, settings, 'webhook');
  } catch (error) {
    return never((error as Error).message);
  }
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    const host = hostOf(url);
    const addresses =
      isIP(host) !== 0 ? [{ address: host, family: isIP(host) }] : await inTime(resolve(host), either);
    const [first] = addresses;
    if (!first) return { ok: false, again: true, reason: `${host} has no address` };
    // One that is private among public ones is a trap or a mistake.
    if (!allowPrivate && !addresses.every(({ address }) => isPublicAddress(address)))
      return { ok: false, again: true, reason: `${host} has an address that is not public` };
    const status = await post(url, first, message, settings, either);
    if (status >= 200 && status < 300) return { ok: true };
    // Gone: the receiver wants no more.
    return { ok: false, again: status !== 410, reason: `it answered ${status}` };
  } catch (error) {
    signal?.throwIfAborted();
    return {
      ok: false,
      again: true,
      reason: timeout.aborted ? `no answer within ${timeoutMs} ms` : (error as Error).message,
    };
  }
}

function post(
  url: URL,
  { address, family }: ResolvedAddress,
  message: WebhookMessage,
  { secret, ca }: WebhookSettings,
  signal: AbortSignal,
): Promise<number> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        // A connection of its own, to the address that was looked at.
        agent: false,
        lookup: (_host, options, done) => {
          if (options.all) done(null, [{ address, family }]);
          else done(null, address, family);
        },
        signal,
        ...(ca === undefined ? {} : { ca }),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(message.body),
          'user-agent': 'rhapsode',
          ...signedHeaders(message, secret),
        },
      },
      (answer) => {
        resolve(answer.statusCode ?? 0);
        answer.destroy();
      },
    );
    request.on('error', reject);
    request.end(message.body);
  });
}

const inTime = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { RhapsodeError } from '@rhapsode/contracts';
import { backoffMs, isTransient, pause, unlessAborted } from '../retry.ts';
import { asLogError } from './errors.ts';

/** From one connection, once the streams were found right, to its end. */
export interface Session {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Aborted when the connection breaks: no answer will come any more. */
  readonly signal: AbortSignal;
}

export interface LinkOptions {
  /** One or more nats:// or tls:// URLs, comma separated. */
  readonly url: string;
  readonly name: string;
  readonly requestTimeoutMs: number;
  readonly closing: AbortSignal;
  /** Makes sure that all is as it must be, once per connection; repeated until it is. */
  prepare(session: Session): Promise<void>;
  onSession(): void;
  onTrouble(what: string, error: unknown): void;
}

export interface Link {
  /** The session, if there is one now. */
  readonly session: Session | undefined;
  /** Waits for a session; rejects when the streams are not as they must be, and when the signal is aborted. */
  ready(signal: AbortSignal): Promise<Session>;
  /** Lasts over all connections, from the first one on. */
  subscribe(subject: string, callback: (message: Msg) => void): () => void;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

const reconnectMs = 250;
const reconnectJitterMs = 100;
/** How often streams are looked at again that were found wrong. */
const refusedPauseMs = 2_000;

/**
 * A connection that comes, goes and comes again. *Away*: no connection; calls wait in `ready`. *Preparing*: connected, the
 * streams are being looked at; calls still wait. *In session*: `ready` resolves. *Refused*: connected, but the streams are
 * wrong; `ready` rejects, and they are looked at again every two seconds. A break leads from anywhere to away.
 */
export function createLink(options: LinkOptions): Link {
  const { closing, prepare, onSession, requestTimeoutMs } = options;
  const connection = connectOptions(options);
  const subscriptions = new Set<(nc: NatsConnection) => void>();
  const waiting = new Set<() => void>();
  let connected: NatsConnection | undefined;
  let session: Session | undefined;
  let refused: RhapsodeError | undefined;
  let over = new AbortController();
  let why: unknown;

  /** Once is news; every attempt of a long outage is not. */
  function report(what: string, error: unknown): void {
    if (String(error) !== String(why)) options.onTrouble(what, error);
    why = error;
  }

  function wake(): void {
    for (const each of waiting) each();
    waiting.clear();
  }

  function end(): void {
    session = undefined;
    refused = undefined;
    over.abort(new RhapsodeError('log_unavailable', { cause: why }));
  }

  async function begin(nc: NatsConnection): Promise<void> {
    end();
    over = new AbortController();
    const { signal } = over;
    const js = jetstream(nc, { timeout: requestTimeoutMs });
    const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: requestTimeoutMs });
    const next: Session = { nc, js, jsm, signal };
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await unlessAborted(prepare(next), signal);
        session = next;
        refused = undefined;
        why = undefined;
        wake();
        onSession();
        return;
      } catch (error) {
        if (signal.aborted) return;
        report('prepare', error);
        if (isTransient(error)) {
          await pause(backoffMs(failures), signal);
        } else {
          refused = asLogError(error);
          wake();
          await pause(refusedPauseMs, signal);
        }
      }
    }
  }

  async function serve(nc: NatsConnection): Promise<void> {
    connected = nc;
    for (const subscribe of subscriptions) subscribe(nc);
    void begin(nc);
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') end();
      else if (status.type === 'reconnect') void begin(nc);
      else if (status.type === 'error') report('connection', status.error);
    }
    end();
    connected = undefined;
  }

  async function run(): Promise<void> {
    while (!closing.aborted) {
      try {
        const nc = await connect(connection);
        const close = () => void nc.close();
        closing.addEventListener('abort', close);
        if (closing.aborted) close();
        else await serve(nc);
        closing.removeEventListener('abort', close);
        await nc.closed();
      } catch (error) {
        report('connect', error);
      }
      await pause(reconnectMs + reconnectJitterMs * Math.random(), closing);
    }
  }
  const running = run();
  closing.addEventListener('abort', wake);

  return {
    get session() {
      return session;
    },

    async ready(signal) {
      for (;;) {
        closing.throwIfAborted();
        signal.throwIfAborted();
        if (session) return session;
        if (refused) throw refused;
        await new Promise<void>((resolve) => {
          const done = () => {
            waiting.delete(done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          waiting.add(done);
          signal.addEventListener('abort', done);
        });
      }
    },

    subscribe(subject, callback) {
      let stop = () => {};
      const subscribe = (nc: NatsConnection) => {
        const subscription = nc.subscribe(subject, {
          callback: (error, message) => {
            if (error) report(`subscribe ${subject}`, error);
            else callback(message);
          },
        });
        stop = () => subscription.unsubscribe();
      };
      subscriptions.add(subscribe);
      if (connected && !connected.isClosed()) subscribe(connected);
      return () => {
        subscriptions.delete(subscribe);
        stop();
      };
    },

    closed: running,
  };
}

function connectOptions({ url, name }: LinkOptions): NodeConnectionOptions {
  const urls = url.split(',').map(parseUrl);
  const { username, password, protocol } = urls[0]!;
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || 4222}`),
    name,
    timeout: 5_000,
    // The default gives up after ten attempts.
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectMs,
    reconnectJitter: reconnectJitterMs,
    // Wrong credentials may be put right while we try.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    // A stack trace for each request costs more than the request.
    noAsyncTraces: true,
    ...(user && pass ? { user, pass } : user ? { token: user } : {}),
    ...(protocol === 'tls:' ? { tls: {} } : {}),
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text.trim() : `nats://${text.trim()}`);
  // The text is not shown: it may hold a password.
  if (!url?.hostname || !['nats:', 'tls:'].includes(url.protocol))
    throw new RhapsodeError('config_invalid', {
      message:
        'the URL of the NATS server is not valid: write nats://host:4222, or several with commas between',
    });
  return url;
}

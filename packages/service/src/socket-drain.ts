import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTcpTableReader, type ReadTcpTable, tcpKey } from './tcp-table.ts';

/**
 * Keeps what was sent near to what was taken. A kernel accepts megabytes for a reader that takes nothing (4 MB on Linux'
 * loopback), which is a minute of audio that would be made, and counted as heard, for nobody.
 *
 * `settle` resolves when what was written to the socket and not acknowledged by the other side is at most `limitBytes`, or
 * twice what the other side took in the last quarter of a second if that is more: so a fast download, or one over a long
 * way, is not held up. It costs nothing until that much was written since it last looked. Where the system does not tell
 * (other than Linux) `settle` resolves at once: there only the socket's own buffer holds the writer back.
 */
export interface SocketDrain {
  settle(socket: Socket, signal: AbortSignal): Promise<void>;
}

export interface SocketDrainOptions {
  readonly limitBytes?: number;
  readonly fastBytes?: number;
  /** Replaces the kernel's list in tests. */
  readonly readTable?: ReadTcpTable;
}

/**
 * The list is read for all sockets at once, and then not again for this many times as long as reading took; but a process that
 * stood still meanwhile, or waited for a busy machine, took long without reading.
 */
const rest = 8;
const shortestRestMs = 1;
/** While looking brings no news, rests double up to this, until somebody else begins to wait. */
const longestRestMs = 250;
const momentMs = 250;

export function createSocketDrain(options: SocketDrainOptions = {}): SocketDrain {
  const {
    limitBytes = 256 * 1024,
    fastBytes = 16 * 1024 * 1024,
    readTable = createTcpTableReader(),
  } = options;
  const accounts = new WeakMap<Socket, Account>();
  /** Answers of one connection may wait together: the client asks for the next when it has all bytes of the one before. */
  const waiting = new Map<Socket, Set<() => void>>();
  let watching = false;
  /** Aborted when somebody begins to wait. */
  let newcomer = new AbortController();

  function accountOf(socket: Socket): Account {
    const known = accounts.get(socket);
    if (known) return known;
    const key = tcpKey(socket) ?? '';
    const account = { key, acknowledged: 0, allowance: limitBytes, lookedAt: performance.now() };
    accounts.set(socket, account);
    return account;
  }

  const maySend = (socket: Socket) => {
    const { acknowledged, allowance } = accountOf(socket);
    return socket.bytesWritten - acknowledged <= allowance;
  };

  function renew(account: Account, acknowledged: number): void {
    const now = performance.now();
    const taken = (acknowledged - account.acknowledged) * Math.min(1, momentMs / (now - account.lookedAt));
    account.allowance = Math.min(Math.max(limitBytes, 2 * taken), fastBytes);
    account.acknowledged = acknowledged;
    account.lookedAt = now;
  }

  /** One look at all waiting sockets; true if one of them may go on. */
  async function look(): Promise<boolean> {
    const sockets = [...waiting.keys()];
    const table = await readTable(new Set(sockets.map((socket) => accountOf(socket).key)));
    let news = false;
    for (const socket of sockets) {
      const resolves = waiting.get(socket);
      if (!resolves) continue;
      const queued = table?.get(accountOf(socket).key);
      // Not in the list: closed, or a system that does not tell. Nothing to wait for.
      const unacknowledged = queued === undefined ? 0 : queued + socket.writableLength;
      renew(accountOf(socket), socket.bytesWritten - unacknowledged);
      if (!maySend(socket)) continue;
      waiting.delete(socket);
      for (const resolve of resolves) resolve();
      news = true;
    }
    return news;
  }

  async function watch(): Promise<void> {
    let restMs = shortestRestMs;
    while (waiting.size > 0) {
      newcomer = new AbortController();
      const startedAt = performance.now();
      const news = await look();
      const tookMs = performance.now() - startedAt;
      const least = Math.min(Math.max(shortestRestMs, rest * tookMs), longestRestMs);
      restMs = news ? least : Math.max(least, Math.min(2 * restMs, longestRestMs));
      await sleep(least);
      if (restMs > least)
        await sleep(restMs - least, undefined, { signal: newcomer.signal }).catch(() => {
          restMs = least;
        });
    }
    watching = false;
  }

  return {
    async settle(socket, signal) {
      if (maySend(socket) || signal.aborted || socket.destroyed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const giveUp = () => {
        const others = waiting.get(socket);
        others?.delete(resolve);
        if (others?.size === 0) waiting.delete(socket);
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      socket.once('close', giveUp);
      const resolves = waiting.get(socket) ?? new Set();
      waiting.set(socket, resolves.add(resolve));
      newcomer.abort();
      if (!watching) {
        watching = true;
        void watch();
      }
      await promise;
      signal.removeEventListener('abort', giveUp);
      socket.removeListener('close', giveUp);
    },
  };
}

/** As of the last look. */
interface Account {
  /** In the kernel's list; empty when it was not connected any more. */
  readonly key: string;
  acknowledged: number;
  /** What may be written beyond that before it is looked at again. */
  allowance: number;
  lookedAt: number;
}

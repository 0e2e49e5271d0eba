/**
 * Renews the lock of one run until it is released. BullMQ's own renewal knows its jobs by id: when a job comes back to the
 * process that lost it, the end of the older run would stop the renewal for the newer one. This one belongs to the run.
 *
 * No answer is no reason to stop: while the server is away nobody else can take the job either. Only its word counts.
 */
export function keepLock(lock: {
  readonly durationMs: number;
  /** Whether the lock was still held. */
  renew(): Promise<boolean>;
  onLost(): void;
  onError(error: unknown): void;
}): { release(): void } {
  let asking = false;
  let released = false;
  async function renew(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      const held = await lock.renew();
      if (held || released) return;
      release();
      lock.onLost();
    } catch (error) {
      if (!released) lock.onError(error);
    } finally {
      asking = false;
    }
  }
  const timer = setInterval(renew, lock.durationMs / 3);
  function release() {
    released = true;
    clearInterval(timer);
  }
  return { release };
}

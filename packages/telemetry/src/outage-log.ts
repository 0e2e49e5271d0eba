import type { RhapsodeError } from '@rhapsode/contracts';
import type { Log } from './log.ts';

/** Whether something was not told for a minute: what happens again and again is told once, and not for ever only once. */
export function createNews(forgetMs = 60_000): (what: string) => boolean {
  const toldAtMs = new Map<string, number>();
  return (what) => {
    const now = performance.now();
    for (const [other, at] of toldAtMs) if (now - at > forgetMs) toldAtMs.delete(other);
    if (toldAtMs.has(what)) return false;
    toldAtMs.set(what, now);
    return true;
  };
}

/**
 * Told after each call to a part of ours (a store, a queue) what is wrong with it, if anything, logs that it does not serve and
 * that it serves again: once each, however many calls fail. A part that comes and goes is told of once a minute.
 */
export function createOutageLog(log: Log, part: string): (problem: RhapsodeError | undefined) => void {
  const isNews = createNews();
  let told: string | undefined;
  return (problem) => {
    if (problem?.message === told) return;
    if (problem && !isNews(problem.message)) return;
    told = problem?.message;
    if (problem) log.warn({ part, code: problem.code, error: problem }, 'a part does not serve');
    else log.info({ part }, 'serves again');
  };
}

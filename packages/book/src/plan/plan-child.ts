import { once } from 'node:events';
import { asRhapsodeError } from '@rhapsode/contracts';
import { planManuscript } from './plan-document.ts';
import type { PlanLine, PlanTask } from './plan-task.ts';

/**
 * The planning process: reads what others wrote, which may be made to do harm, and holds as much of it as it must, so it is a
 * process of its own that may be killed. Told a task, it writes lines to its standard output and ends.
 */
async function say(line: PlanLine): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain');
}

// Whoever asked is gone: nobody reads any more.
process.on('disconnect', () => process.exit(1));
process.once('message', async (task) => {
  try {
    for await (const line of planManuscript(task as PlanTask)) await say(line);
  } catch (thrown) {
    const { code, message, param } = asRhapsodeError(thrown);
    await say({ type: 'failed', code, message, ...(param === undefined ? {} : { param }) });
  }
  process.stdout.end(() => process.disconnect());
});

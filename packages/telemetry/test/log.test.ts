import { RhapsodeError } from '@rhapsode/contracts';
import { describe, expect, it } from 'vitest';
import { createTestLog } from './lines.ts';

describe('log', () => {
  it('drops text and secrets at any of the first three levels', () => {
    const { log, lines } = createTestLog();
    log.info(
      {
        text: 'secret sentence',
        job: { text: 'secret sentence', segment: 3 },
        request: { headers: { authorization: 'secret' }, body: { input: 'secret sentence' }, id: 'kept' },
        input: 'secret sentence',
      },
      'a job',
    );
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(lines[0]).toMatchObject({
      service: 'test',
      level: 'info',
      job: { segment: 3 },
      request: { id: 'kept' },
    });
  });

  it('keeps the code of an error and the chain of its causes', () => {
    const { log, lines } = createTestLog();
    log.error(
      { error: new RhapsodeError('store_unavailable', { cause: new Error('ECONNREFUSED') }) },
      'failed',
    );
    expect(lines[0]!.error).toMatchObject({
      type: 'RhapsodeError',
      code: 'store_unavailable',
      stack: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('does not log the fields of an error, which may hold text', () => {
    const { log, lines } = createTestLog();
    log.error({ error: Object.assign(new Error('x'), { request: { words: 'secret' } }) }, 'failed');
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});

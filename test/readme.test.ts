import { existsSync, readFileSync } from 'node:fs';
import { settingNames } from '@rhapsode/service';
import { describe, expect, it } from 'vitest';
import { readReadme, tableNames, withTable } from './support/settings-table.ts';

const root = new URL('..', import.meta.url);

describe('the README', () => {
  it('lists every setting as the programs read it (node test/support/settings-table.ts writes the table)', () => {
    expect(readReadme()).toBe(withTable(readReadme()));
  });

  it('is read by programs that know all settings of each other (setting-names.ts)', () => {
    expect(settingNames).toEqual(tableNames());
  });

  it('names only scripts and files that are there', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    const called = [...readReadme().matchAll(/pnpm(?:@12)? ([a-z:]+)/g)].map(([, script]) => script!);
    expect(called.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
    const links = [...readReadme().matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(([, path]) => path!);
    const files = [...readReadme().matchAll(/\b(?:deploy|docs)\/[\w./-]+\w/g)].map(([path]) => path);
    expect([...links, ...files].filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});

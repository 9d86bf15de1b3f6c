import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaults, type Limits, variables } from './api/limits.js';
import { classes, installationCodes } from './database/sqlstates.js';

const root = join(import.meta.dirname, '../../..');
const readme = readFileSync(join(root, 'libs/runtime/README.md'), 'utf8');

test('the table of limits is that of the code: every variable, with its default, and no other', () => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)]);
  const limits = Object.keys(variables) as (keyof Limits)[];
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(limits.map((name) => [variables[name], defaults[name]])));
});

test('the table of SQLSTATE is that of the code, and the codes that do not follow their class are named', () => {
  const rows = [...readme.matchAll(/^\| `([0-9A-Z]{2})` \| [^|]+ \| (world|installation|event) \|/gm)];
  expect(Object.fromEntries(rows.map(([, name, blame]) => [name, blame]))).toEqual(classes);
  for (const code of installationCodes) expect(readme).toContain(`\`${code}\``);
});

const rules = readme.split(/^(?=\d\. .*'rule )/m).filter((text) => /^\d\. .*'rule /.test(text));

test('there are nine rules', () => {
  expect(rules.map((rule) => rule[0]).join('')).toBe('123456789');
});

test.each(rules.map((rule) => [rule[0], rule] as const))(
  'rule %s has the tests that are named for it',
  (number, rule) => {
    const [, folder = ''] = /`((?:libs|apps)\/[a-z-]+)`: '/.exec(rule) ?? [];
    const specs = globSync(`${folder}/src/**/*.spec.ts`, { cwd: root }).map((path) =>
      readFileSync(join(root, path), 'utf8'),
    );
    const named = [...rule.matchAll(/'(rule [^']+)'/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) {
      expect(name.startsWith(`rule ${number}: `)).toBe(true);
      expect(specs.some((spec) => spec.includes(`test('${name}'`))).toBe(true);
    }
  },
);

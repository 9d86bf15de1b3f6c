import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/* The pages name a rule in words of their own. They do not know the gate, so the compiler does not ask for these words. */

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The names of all rules, as their files give them. */
const rules = globSync('libs/gate/src/{rules/*,judge}.ts', { cwd: root })
  .filter((path) => !path.endsWith('.spec.ts'))
  .flatMap((path) =>
    [...read(path).matchAll(/(?:\bname: |\bthreshold\(|\brule(?: =|:) )'([a-z-]+)'/g)].map(([, name = '']) => name),
  );

test('every rule of the gate has its words for the pages', () => {
  for (const name of ['spend-cap-campaign', 'budget-threshold', 'review', 'reviews-waiting'])
    expect(rules).toContain(name);
  const worded = new Set(
    [...read('apps/console-web/src/parts/rule-words.ts').matchAll(/^ {2}'?([a-z-]+)'?: '/gm)].map(([, name]) => name),
  );
  expect(rules.filter((name) => !worded.has(name))).toEqual([]);
  expect([...worded].filter((name) => !rules.includes(name ?? ''))).toEqual([]);
});

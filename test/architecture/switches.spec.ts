import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/* A `default` takes every type that is added later, in silence. Without one the compiler asks what to do with it. */

const root = join(import.meta.dirname, '../..');

/** Lines of switches over a type of event, signal or action that take unknown ones by `default`. */
function swallowing(text: string): number[] {
  const lines = text.split('\n');
  const found: number[] = [];
  lines.forEach((line, n) => {
    const opened = /^(\s*)switch \((?:\w+\.)*(?:type|kind)\) \{$/.exec(line);
    if (!opened) return;
    const end = lines.indexOf(`${opened[1]}}`, n);
    const at = lines.findIndex((inner, m) => m > n && m < end && inner === `${opened[1]}  default:`);
    const after = lines.slice(at + 1, end).join('\n');
    if (at > 0 && !/\bsatisfies never\b/.test(after)) found.push(at + 1);
  });
  return found;
}

// What an export of another system names is open: there a default refuses the row. A page may be older than the console that it asks.
const sources = globSync('{apps,libs,tools}/*/src/**/*.ts', { cwd: root }).filter(
  (path) => !path.endsWith('.spec.ts') && !path.startsWith('tools/replay/') && !path.startsWith('apps/console-web/'),
);

test('no switch over a type of event or signal has a default that swallows new ones', () => {
  expect(sources.length).toBeGreaterThan(200);
  const found = sources.flatMap((path) =>
    swallowing(readFileSync(join(root, path), 'utf8')).map((line) => `${path}:${line}`),
  );
  expect(found).toEqual([]);
});

test('a planted default is found, and one that the compiler checks is not', () => {
  const planted = (last: string) =>
    ['switch (event.type) {', "  case 'A':", '    return 1;', '  default:', `    ${last}`, '}'].join('\n');
  expect(swallowing(planted('return 0;'))).toEqual([4]);
  expect(swallowing(planted('return event satisfies never;'))).toEqual([]);
  expect(swallowing(planted('return 0;').replace('event.type', 'status'))).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instruments } from './metrics.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the table of metrics in the README is the one that the code has', () => {
  const rows = [
    ...readme.matchAll(/^\| `((?:countersign|messaging|db|http)\.[\w.]+)` +\| (\w+) +\| `?([^`|]+?)`? +\|/gm),
  ];
  const documented = Object.fromEntries(rows.map(([, name, kind, unit]) => [name, { kind, unit }]));
  const known = Object.fromEntries(Object.entries(instruments).map(([name, { kind, unit }]) => [name, { kind, unit }]));
  expect(documented).toEqual(known);
});

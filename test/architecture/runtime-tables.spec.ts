import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = (pattern: string): readonly string[] =>
  globSync(pattern, { cwd: root }).filter((path) => !/node_modules|\/dist\/|\.spec\.ts$/.test(path));

/** What the runtime's migrations make, under the names that it has today: every table, and every view, which others read. */
const made = (what: 'TABLE' | 'VIEW'): readonly string[] => {
  const text = sources('libs/runtime/src/**/*.ts').map(read).join('\n');
  const created = [...text.matchAll(new RegExp(`CREATE ${what} (?:IF NOT EXISTS )?(\\w+)`, 'g'))].map(
    ([, name = '']) => name,
  );
  // A migration is undone in the opposite order, so the first of the two is what was done.
  const renamed = new Map<string, string>();
  for (const [, from = '', to = ''] of text.matchAll(new RegExp(`ALTER ${what} (\\w+) RENAME TO (\\w+)`, 'g')))
    if (created.includes(from)) renamed.set(from, to);
  return created.map((name) => renamed.get(name) ?? name);
};
const tables = made('TABLE');
const views = made('VIEW');

/**
 * Files that may name them, and why. All but the first two are migrations that were released before the rule: their text never changes,
 * and what it did stays as it was done.
 */
const excepted: Readonly<Record<string, string>> = {
  'bench/src/floors/durable-hop.ts': 'makes tables of its own under these names, without the runtime',
  'apps/cli/src/core/gaps-text.ts': 'shows a person the statement of docs/sre.md, and runs none',
  'apps/audit-recorder/src/shell/migrations/ids-of-leaves.ts': 'counts positions of leaves anew',
  'apps/console/src/shell/migrations/own-state-alone.ts': 'puts back what the console had of its own state',
  'apps/console/src/shell/migrations/permits.ts': 'drops confirmations of controls that were never published',
  'apps/guardrail-validator/src/shell/migrations/verdicts.ts':
    'jobs of another name, an index and tasks of an older form',
  'apps/signal-ingestion/src/shell/migrations/renames.ts': 'an index of jobs by their account',
  'libs/agent/src/shell/migrations/agent-tables.ts': 'the first job of a kind',
  'libs/agent/src/shell/migrations/campaigns-of-ad-accounts.ts': 'an index of campaigns by their ad account',
};

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

/** The runtime's tables that a text names where SQL has a table: after a keyword, or further on in its list of tables. */
function named(text: string): readonly string[] {
  const schema = String.raw`(?:[\w"]+\.|\$\{[^}]*\}\.)?"?`;
  const keyword = '(?:from|join|into|update|table|only|truncate|references|using|on)';
  const table = `${schema}(${tables.join('|')})\\b(?![.(])`;
  const first = new RegExp(String.raw`\b${keyword}\s+${table}`, 'gi');
  const further = new RegExp(
    String.raw`\b(?:from|table|truncate)\s+[\w."$\{\}]+(?:\s+(?:as\s+)?\w+)?,\s*${table}`,
    'gi',
  );
  const code = withoutComments(text);
  return [...code.matchAll(first), ...code.matchAll(further)].map(([, name = '']) => name);
}

const outside = sources('{apps,libs,deploy,tools,bench}/**/*.{ts,mjs,js}').filter(
  (path) => !path.startsWith('libs/runtime/'),
);

describe('the runtime’s tables', () => {
  test('are found, with the views that others read', () => {
    expect(tables).toEqual(
      expect.arrayContaining(['inbox', 'jobs', 'state_rows', 'own_state', 'dead_letters', 'turns']),
    );
    expect(views).toEqual(expect.arrayContaining(['followed_state', 'published_state', 'pending_jobs']));
  });

  test('are named by no SQL outside the runtime, but by migrations that were released before', () => {
    const found = outside.filter((path) => named(read(path)).length > 0);
    expect(found.filter((path) => !Object.hasOwn(excepted, path))).toEqual([]);
  });

  test('no file is excepted that names none of them', () => {
    expect(Object.keys(excepted).filter((path) => named(read(path)).length === 0)).toEqual([]);
  });

  test.each([
    ["tx.query('SELECT data FROM state_rows WHERE topic = $1')", ['state_rows']],
    ["tx.write('DELETE FROM jobs WHERE kind = $1')", ['jobs']],
    [`'SELECT key FROM \${schemaOf(writer)}.own_state'`, ['own_state']],
    ['`SELECT 1 FROM guardrail_validator.state_rows s`', ['state_rows']],
    ['`SELECT 1 FROM permits p JOIN inbox i ON i.id = p.id`', ['inbox']],
    ["'update dead_letters set status = $1'", ['dead_letters']],
    ['`SELECT 1\n  FROM permits p, gaps g`', ['gaps']],
    ["'CREATE INDEX of_mine ON outbox (topic)'", ['outbox']],
  ])('a planted %s is found', (text, found) => {
    expect(named(text)).toEqual(found);
  });

  test.each([
    ['// what `FROM state_rows` would read'],
    ['/** It reads FROM jobs. */'],
    ["'SELECT data FROM followed_state'"],
    ["'UPDATE permits SET turns = turns + 1'"],
    ["'SELECT jobs.* FROM unnest($1::text[]) AS jobs(scope)'"],
    ["import { gaps } from './gaps.js';"],
  ])('%s is no violation', (text) => {
    expect(named(text)).toEqual([]);
  });

  test('are written by nobody through a view', () => {
    const writes = new RegExp(`\\b(?:insert into|update|delete from)\\s+(?:[\\w"]+\\.)?(?:${views.join('|')})\\b`, 'i');
    expect(outside.filter((path) => writes.test(withoutComments(read(path))))).toEqual([]);
    for (const planted of ["'UPDATE followed_state SET version = 1'", "'DELETE FROM console.pending_jobs'"])
      expect(planted).toMatch(writes);
  });

  test('and the views are names that AGENTS.md tells the author of a table', () => {
    const line = read('AGENTS.md').match(/The runtime has taken these names: (.*)/)?.[1] ?? '';
    const missing = [...tables, ...views].filter((name) => !new RegExp(`\\b${name}\\b`).test(line));
    expect(missing).toEqual([]);
  });
});

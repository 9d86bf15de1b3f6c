import { readFileSync } from 'node:fs';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaults } from '../api/limits.js';
import { type Database, migrate, openDatabase } from './database.js';
import { ReadViews1764400000071 } from './read-views.js';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, []);
  db = openDatabase(database.url, 'test', defaults);
  await db.read(
    `INSERT INTO state_rows (topic, key, version, data, read_at)
     SELECT t, k || n, 1, '{"content": 1}', now() FROM unnest('{profiles.v1,consents.v1,controls.v1}'::text[]) AS t,
       unnest('{account:,campaign:ad ,all}'::text[]) AS k, generate_series(1, 500) AS n`,
  );
  await db.read(
    "CREATE INDEX campaigns ON state_rows (key text_pattern_ops) WHERE topic = 'profiles.v1' AND key LIKE 'campaign:%'",
  );
  await db.read(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, result_at, created_at)
     SELECT 'rename', n::text, now(), jsonb_build_object('accountId', n), '{}', CASE WHEN n % 2 = 0 THEN now() END, now()
     FROM generate_series(1, 500) AS n`,
  );
  await db.read(`CREATE INDEX of_accounts ON jobs ((payload->>'accountId')) WHERE kind = 'rename'`);
  // As many as make an index worth its while.
  await db.read(
    `INSERT INTO own_state (topic, key, version, data, value)
     SELECT 'controls.v1', 'agent:' || n, 1, '{}', repeat('x', 100) FROM generate_series(1, 2000) AS n`,
  );
  await db.read('ANALYZE');
});
afterAll(async () => {
  await db?.close();
  await database?.close();
});

/** Views and their columns, as the README of the runtime promises them. */
const promised = (): Record<string, string[]> => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, table = ''] = /## What a service may read in its own SQL\n([\s\S]*?)\n## /.exec(readme) ?? [];
  const rows = [...table.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)];
  return Object.fromEntries(
    rows.map(([, view = '', columns = '']) => [
      view,
      [...columns.matchAll(/`(\w+)`/g)].map(([, column = '']) => column),
    ]),
  );
};

test('the views have the columns that the README promises, and no others', async () => {
  const rows = await db.read<{ view: string; columns: string[] }>(
    `SELECT table_name AS view, array_agg(column_name::text ORDER BY ordinal_position) AS columns
     FROM information_schema.columns JOIN information_schema.views USING (table_schema, table_name)
     WHERE table_schema = current_schema() GROUP BY table_name`,
  );
  expect(rows).not.toEqual([]);
  expect(Object.fromEntries(rows.map(({ view, columns }) => [view, columns]))).toEqual(promised());
});

test('`written` is another one whenever the row was written, also with the same version', async () => {
  const written = async () =>
    (
      await db.read<{ written: string }>(
        `SELECT written FROM followed_state WHERE topic = 'controls.v1' AND key = 'all1'`,
      )
    )[0]?.written;
  const before = await written();
  expect(await written()).toBe(before);
  await db.read(`UPDATE state_rows SET data = '{"content": 2}' WHERE topic = 'controls.v1' AND key = 'all1'`);
  expect(await written()).not.toBe(before);
});

test('a row that is read FOR SHARE through the view is held: whoever writes it waits for the transaction', async () => {
  await db.transaction(async (tx) => {
    await tx.query(`SELECT key FROM followed_state WHERE topic = 'controls.v1' AND key = 'all2' FOR SHARE`);
    const other = db.transaction(async (theirs) => {
      await theirs.query(`SET LOCAL lock_timeout = '1ms'`);
      await theirs.query(`UPDATE state_rows SET version = 2 WHERE topic = 'controls.v1' AND key = 'all2'`);
    });
    await expect(other).rejects.toMatchObject({ code: '55P03' });
  });
});

test('a job that has a result is pending no more', async () => {
  const pending = await db.read<{ id: string }>(
    `SELECT id FROM pending_jobs WHERE kind = 'rename' AND id IN ('3', '4')`,
  );
  expect(pending).toEqual([{ id: '3' }]);
});

describe('a view costs nothing: the plan is that of the table', () => {
  const writtenOf = `concat_ws(' ', version, xmin)`;
  test.each([
    [
      'rows by their keys, held',
      `SELECT topic, key, version, written FROM followed_state
       WHERE (topic = 'consents.v1' AND key = ANY($1)) OR (topic = 'controls.v1' AND key = ANY($1)) ORDER BY topic, key FOR SHARE`,
      `SELECT topic, key, version, ${writtenOf} FROM state_rows AS followed_state
       WHERE (topic = 'consents.v1' AND key = ANY($1)) OR (topic = 'controls.v1' AND key = ANY($1)) ORDER BY topic, key FOR SHARE`,
    ],
    [
      'rows by a list of topics and keys',
      `SELECT s.version, s.data::text FROM unnest($1::text[], $1::text[]) AS n(topic, key)
       JOIN followed_state s ON s.topic = n.topic AND s.key = n.key`,
      `SELECT s.version, s.data::text FROM unnest($1::text[], $1::text[]) AS n(topic, key)
       JOIN state_rows s ON s.topic = n.topic AND s.key = n.key`,
    ],
    [
      'a range of keys by a partial index',
      `SELECT c.key FROM unnest($1::text[]) AS a(id) CROSS JOIN LATERAL (
         SELECT key, data FROM followed_state WHERE topic = 'profiles.v1' AND key LIKE 'campaign:%'
           AND key ~>=~ ('campaign:' || a.id || ' ') AND key ~<~ ('campaign:' || a.id || '!') ORDER BY key USING ~<~ LIMIT 3) c`,
      `SELECT c.key FROM unnest($1::text[]) AS a(id) CROSS JOIN LATERAL (
         SELECT key, data FROM state_rows WHERE topic = 'profiles.v1' AND key LIKE 'campaign:%'
           AND key ~>=~ ('campaign:' || a.id || ' ') AND key ~<~ ('campaign:' || a.id || '!') ORDER BY key USING ~<~ LIMIT 3) c`,
    ],
    [
      'pending jobs by an index of their payload',
      `SELECT id FROM pending_jobs WHERE kind = 'rename' AND payload->>'accountId' = ANY($1)`,
      `SELECT id FROM jobs WHERE kind = 'rename' AND payload->>'accountId' = ANY($1) AND result_at IS NULL`,
    ],
    [
      'what is published under a key',
      `SELECT data FROM published_state o WHERE o.topic = 'controls.v1' AND o.data IS NOT NULL AND o.key = ANY($1)`,
      `SELECT data FROM own_state o WHERE o.topic = 'controls.v1' AND o.data IS NOT NULL AND o.key = ANY($1)`,
    ],
  ])('%s', async (_what, ofView, ofTable) => {
    const plan = async (sql: string) => {
      const rows = await db.read<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${sql.replaceAll('$1', `'{all1,7}'`)}`);
      // The alias of a row is the view's or the table's name.
      return rows.map((row) => row['QUERY PLAN'].replaceAll(/ on (state_rows|jobs|own_state)( \w+)?$/g, ' on $1'));
    };
    const found = await plan(ofView);
    expect(found.join('\n')).toMatch(/Index (Only )?Scan/);
    expect(found).toEqual(await plan(ofTable));
  });
});

test('an older release finds its tables without them', async () => {
  const views = async () => db.read(`SELECT FROM information_schema.views WHERE table_schema = current_schema()`);
  const run = { query: (sql: string) => db.read(sql) } as never;
  await new ReadViews1764400000071().down(run);
  expect(await views()).toEqual([]);
  await new ReadViews1764400000071().up(run);
  expect(await views()).toHaveLength(4);
});

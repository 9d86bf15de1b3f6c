import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cut, packed } from './packed.js';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.close();
});

test('texts come out as they went in: of any length and script, with quotes and backslashes, empty, or none', async () => {
  const texts = ['{"a":"b\\"c"}', '', null, 'Größe 🚀 \\', "it's", 'x'.repeat(20_000), null, 'ü'];
  const { bytes, starts, lengths } = packed(texts);
  const { rows } = await client.query<{ text: string | null }>(
    `SELECT ${cut('$1', 'start', 'length')} AS text FROM unnest($2::int[], $3::int[]) WITH ORDINALITY AS n(start, length, place) ORDER BY place`,
    [bytes, starts, lengths],
  );
  expect(rows.map(({ text }) => text)).toEqual(texts);
});

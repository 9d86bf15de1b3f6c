import { randomBytes } from 'node:crypto';
import { append, emptyFrontier } from '@countersign/record';
import { createHarness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leafOf } from '../../core/leaves.js';
import type { KafkaFact } from '../../core/record.js';
import { chain, ids, inboundSignal, kafkaFact } from '../../core/testing.js';
import { AuditRecorderModule, spec } from '../../module.js';
import { findByIds } from '../log.repository.js';
import { recorder, secrets, start } from '../testing.js';
import { IdsOfLeaves1763700008701 } from './ids-of-leaves.js';
import { RecordTables1763700008700 } from './record-tables.js';

const role = `recorder_${randomBytes(6).toString('hex')}`;
let files: ReturnType<typeof secrets>;
let database: TestDatabase;
let owner: pg.Client;

beforeEach(async () => {
  files = secrets();
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  await owner.query(`GRANT CONNECT ON DATABASE ${database.name} TO ${role}`);
});
afterEach(async () => {
  delete process.env.DATABASE_URL;
  await owner.query(`DROP OWNED BY ${role}`);
  await owner.query(`DROP ROLE ${role}`);
  await owner.end();
  await database.close();
  files.remove();
});

const serviceUrl = (): string => {
  const url = new URL(database.url);
  url.username = role;
  url.password = role;
  return url.href;
};

/** The chain as the first migration's tables hold it, with a record at its end that states no id. */
const facts: readonly KafkaFact[] = [
  inboundSignal(ids.signal, 0),
  ...chain.map((event, n) => kafkaFact(event, n)),
  { topic: 'actions.approved.v1', partition: 7, offset: '0', key: null, headers: {}, value: null },
];
const old = facts.map((fact) => leafOf(fact, Buffer.alloc(32, 7)));
async function oldRecord(): Promise<void> {
  process.env.DATABASE_URL = serviceUrl();
  const before = { ...spec, migrations: [RecordTables1763700008700] };
  await (await createHarness(AuditRecorderModule, before, { databaseUrl: database.url, at: start })).close();
  const service = new pg.Client({ connectionString: serviceUrl() });
  await service.connect();
  for (const [index, { leaf, hash, kept, bytes, ids }] of old.entries()) {
    await service.query(
      `INSERT INTO leaves (index, topic, partition, "offset", source, id, sha256, leaf_hash, kept, bytes, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        index,
        ...[leaf.topic, leaf.partition, leaf.offset, leaf.source, leaf.id],
        ...[Buffer.from(leaf.sha256), Buffer.from(hash), kept, Buffer.from(bytes), start],
      ],
    );
    await service.query('INSERT INTO leaf_ids SELECT unnest($1::text[]), $2', [ids, index]);
  }
  const { frontier } = append(
    emptyFrontier,
    old.map(({ hash }) => hash),
  );
  await service.query('UPDATE log_head SET size = $1, frontier = $2', [frontier.size, Buffer.concat(frontier.hashes)]);
  await service.end();
}

/** Every id with the leaves under it. */
const expected = [
  ...Map.groupBy(
    old.flatMap((leaf, index) => leaf.ids.map((id) => ({ id, index }))),
    ({ id }) => id,
  ),
].map(([id, under]) => ({ id, leaves: under.map(({ index }) => index) }));

const step = async (way: 'up' | 'down'): Promise<void> => {
  const source = new DataSource({
    type: 'postgres',
    url: database.url,
    migrationsTableName: 'migrations',
    migrations: [RecordTables1763700008700, IdsOfLeaves1763700008701],
  });
  await source.initialize();
  await (way === 'up' ? source.runMigrations() : source.undoLastMigration());
  await source.destroy();
};

test('what was appended before is found by the same ids after, by who appended it', async () => {
  await oldRecord();
  const log = await recorder(database.url, { DATABASE_URL: serviceUrl() });
  for (const { id, leaves } of expected) {
    const found = await findByIds((sql, params) => log.query(sql, params), [id], 100);
    expect({ id, leaves: found.map(({ index }) => index) }).toEqual({ id, leaves });
  }
  expect(await log.query(`SELECT index FROM leaves WHERE ids = '[]'`)).toEqual([{ index: old.length - 1 }]);
  await log.append([inboundSignal(ids.signal, 1)]);
  const found = await findByIds((sql, params) => log.query(sql, params), [ids.signal], 100);
  expect(found.at(-1)?.index).toBe(old.length);
  await log.close();
});

test('what an older recorder kept at the last moment, after its positions were counted, is not kept again', async () => {
  await oldRecord();
  const log = await recorder(database.url, { DATABASE_URL: serviceUrl() });
  // It was killed before it committed the offsets, so the records come again.
  for (const fact of facts) await log.append([fact]);
  expect(await log.query('SELECT count(*) AS n FROM leaves')).toEqual([{ n: old.length }]);
  await log.close();
});

test('the trigger is on again: nobody changes a leaf, its ids included', async () => {
  await oldRecord();
  await step('up');
  await expect(owner.query(`UPDATE leaves SET ids = '[]'`)).rejects.toThrow('the record is append-only');
  await expect(owner.query('DELETE FROM leaves')).rejects.toThrow('the record is append-only');
});

test("a table that the runtime made since is the service's to use, and the log is not", async () => {
  await oldRecord();
  await owner.query(`REVOKE ALL ON inbox FROM ${role}`);
  await step('up');
  const may = async (table: string) =>
    (
      await owner.query<{ privilege: string }>(
        `SELECT privilege FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS asked(privilege)
         WHERE has_table_privilege($1, $2, privilege)`,
        [role, table],
      )
    ).rows.map(({ privilege }) => privilege);
  expect(await may('inbox')).toEqual(['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
  expect(await may('leaves')).toEqual(['SELECT', 'INSERT']);
  expect(await may('log_head')).toEqual(['SELECT', 'UPDATE']);
  expect(await may('migrations')).toEqual(['SELECT']);
});

test('taken back, the table of ids is as it was, with its trigger and grants', async () => {
  await oldRecord();
  const rows = async (client: pg.Client) =>
    (await client.query('SELECT id, leaf FROM leaf_ids ORDER BY id, leaf')).rows.map(({ id, leaf }) => ({ id, leaf }));
  const before = await rows(owner);
  expect(before.length).toBeGreaterThan(old.length);
  await step('up');
  await step('down');
  const service = new pg.Client({ connectionString: serviceUrl() });
  await service.connect();
  expect(await rows(service)).toEqual(before);
  await service.query(`INSERT INTO leaf_ids VALUES ('new', 0)`);
  await service.end();
  await expect(owner.query('DELETE FROM leaf_ids')).rejects.toThrow('the record is append-only');
  expect((await owner.query('SELECT * FROM leaves LIMIT 1')).fields.map(({ name }) => name)).not.toContain('ids');
});

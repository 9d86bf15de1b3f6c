import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkajs } from '@countersign/kafka';
import {
  type Broker,
  connectionsOf,
  freePort,
  type Postgres,
  removeBroker,
  removePostgres,
  startBroker,
  startPostgres,
  urlFor,
  usersRefused,
  workspaceRoot,
} from '@countersign/servers';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, provisionInstallation, readInstallation } from '../start/installation.js';
import { claimsTopic } from './broker-mark.js';

/* Installations with secrets of their own, on a real broker and a real database server that are anybody's. */

const dir = mkdtempSync(join(tmpdir(), 'countersign-test-claim-'));
const config = join(workspaceRoot, 'deploy/config');
const stops: (() => Promise<unknown>)[] = [];
let postgres: Postgres;
let used: Broker;
let fresh: Broker;
let a: Installation;
let databases = 0;

const installation = (name: string): Installation => readInstallation(config, join(dir, name, 'secrets'));

async function broker(name: string): Promise<Broker> {
  const ports = { client: await freePort(), controller: await freePort() };
  const started = await startBroker({ dir: join(dir, name), ports, shortLived: true });
  stops.push(async () => {
    await started.stop();
    await removeBroker(join(dir, name));
  });
  return started;
}

/** A new database on the one server. */
async function database(): Promise<string> {
  const name = `d${++databases}`;
  await query(postgres.url, `CREATE DATABASE ${name}`);
  return postgres.url.replace(/postgres$/, name);
}

async function query<Row = Record<string, unknown>>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

const setUp = (installed: Installation, on: Broker, superuserUrl: string, adopt: readonly string[] = []) =>
  provisionInstallation(installed, { bootstrap: on.bootstrap, admin: on.admin, superuserUrl, adopt });

async function withAdmin<R>(on: Broker, use: (admin: kafkajs.Admin, kafka: kafkajs.Kafka) => Promise<R>): Promise<R> {
  const sasl = { mechanism: 'scram-sha-256', ...on.admin } as const;
  const kafka = new kafkajs.Kafka({ brokers: [on.bootstrap], sasl, logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin, kafka);
  } finally {
    await admin.disconnect();
  }
}

/** All that a start sets: topics with their settings and ends, ACLs, whose passwords the broker takes, roles with passwords and settings, schemas, the mark. */
async function everything(on: Broker, url: string): Promise<object> {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } =
    kafkajs;
  const ofBroker = await withAdmin(on, async (admin) => {
    const topics = (await admin.listTopics()).filter((t) => !t.startsWith('__')).sort();
    const { resources } =
      topics.length === 0
        ? { resources: [] }
        : await admin.describeConfigs({
            includeSynonyms: false,
            resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
          });
    const acls = await admin.describeAcls({
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    });
    return {
      topics: await Promise.all(topics.map(async (t) => [t, await admin.fetchTopicOffsets(t)])),
      settings: resources
        .map((r) => [r.resourceName, r.configEntries.map((e) => `${e.configName}=${e.configValue}`)])
        .sort(),
      acls: acls.resources.map((r) => JSON.stringify(r)).sort(),
    };
  });
  const mark = await query<{ marked: boolean }>(
    url,
    "SELECT to_regclass('countersign.installation') IS NOT NULL AS marked",
  );
  return {
    ...ofBroker,
    refused: (await usersRefused(on.bootstrap, a.users)).map(({ name }) => name),
    roles: await query(url, 'SELECT rolname, rolpassword FROM pg_authid ORDER BY 1'),
    settingsOfRoles: await query(
      url,
      'SELECT setdatabase, setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2',
    ),
    schemas: await query(url, 'SELECT nspname, nspowner::regrole, nspacl FROM pg_namespace ORDER BY 1'),
    rights: await query(url, 'SELECT datname, datacl FROM pg_database ORDER BY 1'),
    mark: mark[0]?.marked ? await query(url, 'SELECT * FROM countersign.installation') : 'none',
  };
}

let first: string;

beforeAll(async () => {
  postgres = await startPostgres({ dir: join(dir, 'postgres'), port: await freePort() });
  stops.push(async () => {
    await postgres.stop();
    await removePostgres(join(dir, 'postgres'));
  });
  [used, fresh] = await Promise.all([broker('kafka-a'), broker('kafka-b')]);
  a = installation('a');
  first = await database();
  await setUp(a, used, first);
});

afterAll(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  rmSync(dir, { recursive: true, force: true });
});

test('its own installation finds both again, and changes no mark', async () => {
  const before = await everything(used, first);
  const marks = ({ topics, mark }: { topics?: unknown; mark?: unknown }) => ({ topics, mark });
  await setUp(installation('a'), used, first);
  expect(marks(await everything(used, first))).toEqual(marks(before));
});

test.each([
  ['broker and database of another', () => used, async () => first],
  ['the broker of another and a database server that is not its own', () => used, database],
  ['the database of another and a new broker', () => fresh, async () => first],
  ['a new broker, and another database on the server of another', () => fresh, database],
])('an installation that is pointed at %s is refused, told whose it is, and nothing is changed', async (_, on, at) => {
  const url = await at();
  const before = await everything(on(), url);
  const refused = await setUp(installation('b'), on(), url).catch((error: Error) => error);
  expect(await everything(on(), url)).toEqual(before);
  expect(refused).toMatchObject({ name: 'NotOurs', message: expect.stringMatching(/^Nothing was changed/) });
  const detail = (refused as Error).message;
  expect(detail).toMatch(/What to do/);
  if (url === first || on() === used) expect(detail).toContain(`installation ${a.own.id} (${a.own.place}`);
  expect(detail).toContain(`This is installation ${installation('b').own.id}`);
});

test.each([
  ['a new broker', () => fresh, async () => first],
  ['a new database', () => used, database],
])('its own half beside %s is refused until a person says that it may go on', async (_, on, at) => {
  const url = await at();
  const before = await everything(on(), url);
  await expect(setUp(a, on(), url)).rejects.toThrow(new RegExp(`--adopt ${a.own.id}`));
  expect(await everything(on(), url)).toEqual(before);
});

test('its own, with another permit key, is refused until a person says so', async () => {
  const other = { ...a, own: { ...a.own, permitKey: 'another' } };
  const before = await everything(used, first);
  await expect(setUp(other, used, first)).rejects.toThrow(/The permit key is another than before/);
  expect(await everything(used, first)).toEqual(before);
});

test('of first starts at the same time on the same new broker and database one gets both, and the others nothing', async () => {
  // A server of their own: logins belong to a whole server.
  const place = join(dir, 'postgres-race');
  const server = await startPostgres({ dir: place, port: await freePort() });
  try {
    const racing = ['r1', 'r2', 'r3'].map(installation);
    const on = await broker('kafka-race');
    const ended = await Promise.allSettled(racing.map((candidate) => setUp(candidate, on, server.url)));
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = racing[ended.findIndex(({ status }) => status === 'fulfilled')] as Installation;
    for (const end of ended)
      if (end.status === 'rejected')
        expect(end.reason).toMatchObject({ name: 'NotOurs', message: expect.stringContaining(winner.own.id) });
    expect(await usersRefused(on.bootstrap, winner.users)).toEqual([]);
    expect(await query(server.url, 'SELECT id FROM countersign.installation')).toEqual([{ id: winner.own.id }]);
    // All three know it afterwards too, and the winner alone goes on.
    for (const contender of racing)
      if (contender === winner) await setUp(contender, on, server.url);
      else await expect(setUp(contender, on, server.url)).rejects.toThrow(winner.own.id);
  } finally {
    await server.stop();
    await removePostgres(place);
  }
});

test('of first starts at the same time on one new broker, each with a database of its own, the one that loses leaves its database unmarked', async () => {
  const on = await broker('kafka-race-2');
  const places = ['x', 'y'].map((name) => join(dir, `postgres-${name}`));
  const servers = await Promise.all(places.map(async (place) => startPostgres({ dir: place, port: await freePort() })));
  try {
    const racing = ['x', 'y'].map(installation);
    const ended = await Promise.allSettled(
      racing.map((candidate, i) => setUp(candidate, on, servers[i]?.url as string)),
    );
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = ended.findIndex(({ status }) => status === 'rejected');
    const url = servers[lost]?.url as string;
    const markThere = "SELECT to_regclass('countersign.installation') IS NOT NULL AS marked";
    const marked = (await query<{ marked: boolean }>(url, markThere))[0]?.marked
      ? await query(url, 'SELECT id FROM countersign.installation')
      : [];
    expect(marked).toEqual([]);
    expect(await query(url, "SELECT rolname FROM pg_roles WHERE rolname = 'console'")).toEqual([]);
  } finally {
    for (const [i, server] of servers.entries()) {
      await server.stop();
      await removePostgres(places[i] as string);
    }
  }
});

test('what was made before there were marks is marked at the next start, but only by whom it knows', async () => {
  await query(first, 'CREATE TABLE IF NOT EXISTS console.something (id int)');
  await query(first, 'DROP SCHEMA countersign CASCADE');
  await withAdmin(used, (admin) => admin.deleteTopics({ topics: [claimsTopic] }));
  const before = await everything(used, first);
  await expect(setUp(installation('b'), used, first)).rejects.toThrow(/--adopt unmarked/);
  // A server that takes any password proves nothing of b.
  const [{ file } = { file: '' }] = await query<{ file: string }>(first, "SELECT current_setting('hba_file') AS file");
  const hba = (method: string): Promise<unknown> =>
    query(first, `COPY (SELECT 'host all all 127.0.0.1/32 ${method}') TO '${file}'`).then(() =>
      query(first, 'SELECT pg_reload_conf()'),
    );
  await hba('trust');
  const trusting = await setUp(installation('b'), used, first).catch((error: Error) => error.message);
  await hba('scram-sha-256');
  expect(trusting).toContain('The database server of');
  expect(await everything(used, first)).toEqual(before);
  // Its services run on, and one has all the connections that it may have.
  const connectionString = urlFor(first, 'console', a.secrets.databasePasswords.console as string);
  const held = await Promise.all(
    Array.from({ length: connectionsOf(10) }, async () => {
      const client = new pg.Client({ connectionString });
      await client.connect();
      return client;
    }),
  );
  // An earlier version gave it the same password as at the broker.
  await query(first, `ALTER ROLE console PASSWORD '${a.secrets.passwords.console}'`);
  await setUp(a, used, first).finally(() => Promise.all(held.map((client) => client.end())));
  expect(await query(first, 'SELECT id FROM countersign.installation')).toEqual([{ id: a.own.id }]);
  await expect(setUp(installation('b'), used, first)).rejects.toThrow(`--adopt ${a.own.id}`);
});

test('a person can let an installation take over, and the former owner is refused from then on', async () => {
  const c = installation('c');
  await expect(setUp(c, used, first, ['somebody-else'])).rejects.toThrow(a.own.id);
  await setUp(c, used, first, [a.own.id]);
  expect(await usersRefused(used.bootstrap, c.users)).toEqual([]);
  expect(await query(first, 'SELECT id FROM countersign.installation')).toEqual([{ id: c.own.id }]);
  await expect(setUp(a, used, first)).rejects.toThrow(c.own.id);
  await setUp(c, used, first);
  const [{ name } = { name: '' }] = await query<{ name: string }>(
    urlFor(first, 'console', c.secrets.databasePasswords.console as string),
    'SELECT id AS name FROM countersign.installation',
  );
  expect(name).toBe(c.own.id);
});

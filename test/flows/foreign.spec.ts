import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Broker,
  freePort,
  generatePassword,
  type Postgres,
  startBroker,
  startPostgres,
  urlFor,
} from '@countersign/servers';
import { temporaryDirectory } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from './installation.js';
import { begin, type Environment, killAll, ports, serving } from './npm-start.js';
import { remove } from './started.js';

/* A broker and a database that somebody else runs, and two checkouts that are pointed at them. */

let engines: string;
let broker: Broker;
let postgres: Postgres;
const homes: string[] = [];

beforeAll(async () => {
  engines = await temporaryDirectory('engines', remove);
  broker = await startBroker({
    dir: join(engines, 'kafka'),
    ports: { client: await freePort(), controller: await freePort() },
    shortLived: true,
  });
  postgres = await startPostgres({ dir: join(engines, 'postgres'), port: await freePort() });
  const password = generatePassword();
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  // No superuser: who may create roles, and owns the database.
  await client.query(`CREATE ROLE operator LOGIN CREATEROLE PASSWORD '${password}'`);
  await client.query('CREATE DATABASE marketing OWNER operator');
  await client.end();
  database = urlFor(postgres.url.replace(/postgres$/, 'marketing'), 'operator', password);
});
let database: string;

afterAll(async () => {
  await killAll();
  await broker?.stop();
  await postgres?.stop();
  for (const home of [...homes, engines]) if (home) await remove(home);
});

async function checkout(name: string): Promise<{ home: string; env: Environment }> {
  const home = await temporaryDirectory(name, remove);
  homes.push(home);
  const env = {
    COUNTERSIGN_HOME: home,
    KAFKA_BROKERS: broker.bootstrap,
    KAFKA_ADMIN_USERNAME: broker.admin.username,
    KAFKA_ADMIN_PASSWORD: broker.admin.password,
    DATABASE_URL: database,
    ...(await ports()),
  };
  return { home, env };
}

test('on a broker and a database of yours the sample plays to its end, and a second checkout is refused while the first goes on', {
  timeout: 900_000,
}, async () => {
  const first = await checkout('first');
  const played = begin(first.env, '--exit');
  expect(await played.ended, played.output()).toBe(0);
  expect(played.output()).toContain('9 of 9 stories ended as they should');
  for (const engine of ['kafka', 'postgres']) expect(existsSync(join(first.home, engine))).toBe(false);

  const running = await serving(first.env);
  const second = await checkout('second');
  const refused = begin(second.env, '--no-sample');
  expect(await refused.ended).toBe(1);
  const id = readFileSync(join(first.home, 'secrets/installation-id'), 'utf8').trim();
  expect(refused.output()).toMatch(/did not start\. Nothing was changed/);
  expect(refused.output()).toContain(`belongs to installation ${id}`);
  expect(refused.output()).toContain(`npm start -- --adopt ${id}`);
  expect(existsSync(join(second.home, 'run.json'))).toBe(false);

  const cli = join(import.meta.dirname, '../../apps/cli/bin/countersign.mjs');
  const status = await runProgram(cli, ['status'], { COUNTERSIGN_HOME: first.home });
  expect({ code: status.code, err: status.err }).toEqual({ code: 0, err: '' });
  running.child.kill('SIGINT');
  expect(await running.ended).toBe(0);
});

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { credentials } from '@countersign/contracts';
import {
  boundsJar,
  canGetJars,
  findJava,
  freePort,
  kafkaJvm,
  type Postgres,
  removeBroker,
  removePostgres,
  type SupervisedProcess,
  startBroker,
  startPostgres,
  superviseProcess,
  usersRefused,
  workspaceRoot,
} from '@countersign/servers';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunFile } from '../start/installation.js';
import { secretFiles } from '../start/secrets.js';
import { type ServicePlan, serviceArguments, serviceEnvironment, servicePlans } from '../start/services.js';
import { handOverSecrets, setUp } from './setup.js';

/*
 * What `docker compose up` does, but for the containers: the same hand-over, the broker's own start script on Kafka's own
 * programs, the same provisioning over the network, and a service on nothing but what it was handed.
 */
const dir = mkdtempSync(join(tmpdir(), 'countersign-test-compose-'));
const place = {
  home: join(dir, 'home'),
  handover: join(dir, 'handover'),
  config: join(workspaceRoot, 'deploy/config'),
};
const stops: (() => Promise<unknown>)[] = [];
let env: Record<string, string>;
let postgres: Postgres;
let listeners: string[];

beforeAll(async () => {
  const ports = { client: await freePort(), host: await freePort(), controller: await freePort() };
  handOverSecrets(place, {
    clients: [
      { name: 'CLIENT', bind: '127.0.0.1', advertise: '127.0.0.1', port: ports.client },
      { name: 'HOST', bind: '127.0.0.1', advertise: '127.0.0.1', port: ports.host },
    ],
    controller: { bind: '127.0.0.1', port: ports.controller },
    data: join(dir, 'data'),
    shortLived: true,
  });
  postgres = await startPostgres({ dir: join(dir, 'postgres'), port: await freePort() });
  stops.push(() => postgres.stop());
  env = { DATABASE_URL: postgres.url, KAFKA_BROKERS: `127.0.0.1:${ports.client}` };
  const image = await kafkaPrograms();
  listeners = [ports.client, ...(image ? [ports.host] : [])].map((port) => `127.0.0.1:${port}`);
  if (image) {
    // Twice: the second start finds a log that is formatted.
    for (const last of [false, true]) {
      const broker = await startScript(image, ports.client);
      if (last) stops.push(() => broker.stop());
      else await broker.stop();
    }
  } else {
    const broker = await startBroker({ dir: join(dir, 'kafka'), ports, shortLived: true });
    stops.push(() => broker.stop());
    env.KAFKA_ADMIN_PASSWORD = broker.admin.password;
  }
  await setUp(place, env);
});

afterAll(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await removeBroker(join(dir, 'kafka'));
  await removePostgres(join(dir, 'postgres'));
  rmSync(dir, { recursive: true, force: true });
});

/** Stands for the image's /opt/kafka; nothing where Kafka runs on Docker. */
async function kafkaPrograms(): Promise<string | undefined> {
  const java = await findJava();
  if (!java || !(await canGetJars())) return undefined;
  const { command, jvm } = await kafkaJvm(
    java,
    () => undefined,
    async () => undefined,
  );
  const image = join(dir, 'image');
  const bin = join(image, 'bin');
  for (const folder of ['bin', 'config', 'libs']) mkdirSync(join(image, folder), { recursive: true });
  for (const jar of ['kafka-clients-4.3.1.jar', 'snappy-java-1.1.10.7.jar'])
    writeFileSync(join(image, 'libs', jar), '');
  const quoted = [command, '-XX:TieredStopAtLevel=1', ...jvm].map((word) => `'${word}'`).join(' ');
  const program = (name: string, main: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${quoted} ${main} "$@"\n`, { mode: 0o755 });
  program('kafka-storage.sh', 'kafka.tools.StorageTool');
  program('kafka-server-start.sh', 'kafka.Kafka');
  return image;
}

async function startScript(image: string, port: number): Promise<SupervisedProcess> {
  const admin = { name: 'admin', password: readFileSync(join(place.home, 'kafka-admin-password'), 'utf8') };
  const broker = await superviseProcess({
    name: 'kafka.sh',
    command: '/bin/sh',
    args: [join(workspaceRoot, 'deploy/docker/kafka.sh')],
    env: {
      PATH: process.env.PATH,
      KAFKA_HOME: image,
      KAFKA_BOUNDED: join(dir, 'bounded'),
      KAFKA_BOUNDS: boundsJar,
      KAFKA_SETTINGS: join(place.handover, 'kafka'),
    },
    logFile: join(dir, 'kafka.log'),
    pidFile: join(dir, 'kafka.pid.json'),
    readyMs: 60_000,
    probe: () =>
      usersRefused(`127.0.0.1:${port}`, [admin]).then(
        (refused) => refused.length === 0,
        () => false,
      ),
  });
  stops.push(() => broker.stop());
  await broker.ready;
  return broker;
}

test('the broker in a container runs on the programs of its image, with the bounds of batches first and without the jar of Snappy', () => {
  const libs = join(dir, 'bounded', 'libs');
  if (listeners.length === 2) expect(readdirSync(libs).sort()).toEqual(['0-bounds.jar', 'kafka-clients-4.3.1.jar']);
});

const handed = (name: string): NodeJS.Dict<string> => parseEnv(readFileSync(join(place.handover, name, 'env'), 'utf8'));

async function startService(name: string): Promise<{ probe: () => Promise<boolean>; service: SupervisedProcess }> {
  const plan = { ...servicePlans.find((p) => p.name === name), port: await freePort() } as ServicePlan;
  const own = join(place.handover, name);
  const healthScript = join(workspaceRoot, 'deploy/docker/health.mjs');
  const probe = (): Promise<boolean> =>
    new Promise((answer) =>
      execFile(process.execPath, [healthScript], { env: { PORT: String(plan.port) } }, (error) => answer(!error)),
    );
  const service = await superviseProcess({
    name,
    command: process.execPath,
    args: [`--env-file=${join(own, 'env')}`, ...serviceArguments(plan.name, workspaceRoot)],
    env: serviceEnvironment(plan, {
      bootstrap: env.KAFKA_BROKERS as string,
      host: '127.0.0.1',
      config: place.config,
      sandboxUrl: 'http://127.0.0.1:1',
      recordUrl: 'http://127.0.0.1:1',
      consoleOrigins: ['http://127.0.0.1:2'],
      secretFile: (variable) => join(own, secretFiles[variable as keyof typeof secretFiles]),
    }),
    logFile: join(dir, `${name}.log`),
    pidFile: join(dir, `${name}.pid.json`),
    readyMs: 60_000,
    probe,
  });
  stops.push(() => service.stop());
  await service.ready;
  return { probe, service };
}

test('every principal of the topology can log in over the network', async () => {
  const run = JSON.parse(readFileSync(join(place.handover, 'countersign/run.json'), 'utf8')) as RunFile;
  const logins = join(place.handover, 'countersign/credentials/broker');
  const users = readdirSync(logins).map((file) => {
    const { username, password } = credentials.broker.parse(JSON.parse(readFileSync(join(logins, file), 'utf8')));
    return { name: username, password };
  });
  expect(users.map((u) => u.name)).toEqual(expect.arrayContaining(['upstream', 'downstream', 'console']));
  expect(listeners).toContain(run.kafka.bootstrap);
  for (const listener of listeners) expect(await usersRefused(listener, users), listener).toEqual([]);
  expect(await usersRefused(run.kafka.bootstrap, [{ name: 'upstream', password: 'guessed' }])).toHaveLength(1);
});

test('each service logs in to the database as itself, and the recorder migrates as its owner', async () => {
  for (const { name } of servicePlans) {
    const role = name.replaceAll('-', '_');
    expect(await loggedInAs(handed(name).DATABASE_URL), name).toBe(role);
    expect(await loggedInAs(handed(name).DATABASE_MIGRATION_URL), name).toBe(
      name === 'audit-recorder' ? `${role}_owner` : role,
    );
  }
});

test.each(['console', 'audit-recorder', 'sandbox-systems'])(
  '%s becomes healthy on nothing but what it was handed',
  async (name) => {
    const { probe, service } = await startService(name);
    expect(await probe()).toBe(true);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(await probe()).toBe(false);
  },
);

test('a second setup leaves every login as it was, but for the owner that only migrates', async () => {
  const logins = (): object =>
    Object.fromEntries(
      servicePlans.map(({ name }) => {
        const { KAFKA_PASSWORD, DATABASE_URL } = handed(name);
        return [name, { KAFKA_PASSWORD, DATABASE_URL }];
      }),
    );
  const before = logins();
  await setUp(place, env);
  expect(logins()).toEqual(before);
  expect(await loggedInAs(handed('audit-recorder').DATABASE_MIGRATION_URL)).toBe('audit_recorder_owner');
});

async function loggedInAs(connectionString: string | undefined): Promise<string | undefined> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<{ name: string }>('SELECT current_user AS name')).rows[0]?.name;
  } finally {
    await client.end();
  }
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkajs } from '@countersign/kafka';
import { type BrokerEngine, type BrokerPorts, findBrokerEngine } from './broker-engines.js';
import type { BrokerLimits } from './broker-limits.js';
import { serverProperties } from './broker-properties.js';
import { removeVolume } from './docker.js';
import { type KafkaUser, upsertScramUsers, usersRefused } from './kafka-wire.js';
import { assertPortFree, freePort, localPorts, portFor } from './ports.js';
import { stopOrphan } from './process-record.js';
import { storedPassword } from './secrets.js';
import { type Exit, type SupervisedProcess, superviseProcess } from './supervise.js';

export interface BrokerOptions {
  /** Everything that the broker stores, including its log file and its passwords. */
  readonly dir: string;
  /** Default: the ports of `npm start`, see `localPorts`. */
  readonly ports?: BrokerPorts;
  /** They log in with SCRAM-SHA-256. Missing users are made, and changed passwords are set. Without ACLs they may do nothing. */
  readonly users?: readonly KafkaUser[];
  /** The super user's name, default `admin`. Its password is made once and stored in `dir`. */
  readonly adminUser?: string;
  /** Starts faster and works more slowly afterwards: for tests. */
  readonly shortLived?: boolean;
  /** The limits of clients; default: for the shipped heap. */
  readonly limits?: BrokerLimits;
  readonly log?: (line: string) => void;
}

export interface Broker {
  /** `host:port` for clients: SASL_PLAINTEXT with SCRAM-SHA-256, on the loopback address only. */
  readonly bootstrap: string;
  readonly admin: { readonly username: string; readonly password: string };
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** The last lines that this run wrote to its log file. */
  lastLines(count?: number): string[];
  /** Stops cleanly; data stays. Repeated calls are harmless. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

const name = 'the Kafka broker';

/**
 * Starts one Kafka broker in KRaft mode with authorization: a principal without ACLs may do nothing, and topics are not made by
 * use. Fulfilled when it answers a client that has logged in. Runs on Java 17 with jars that Maven fetches once, otherwise on
 * Docker. Rejects with PortTaken, AlreadyRunning, or an error that says what to install. If a killed process left something running
 * on `dir`, this is stopped first; its data stays.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const dir = resolve(options.dir);
  const ports = options.ports ?? { client: portFor('kafka'), controller: portFor('controller') };
  mkdirSync(dir, { recursive: true });
  await stopOrphan(join(dir, 'broker.pid.json'), name);
  const engine = await findBrokerEngine(dir, options.shortLived === true, options.log ?? (() => undefined), rehearse);
  await engine.clear();
  await assertPortFree(ports.client, 'Kafka', localPorts.kafka.variable);
  await assertPortFree(ports.controller, "Kafka's controller", localPorts.controller.variable);
  return launch(engine, dir, ports, options);
}

/** Stops what a killed process left running on `dir`, and removes all data of the broker. */
export async function removeBroker(dir: string): Promise<void> {
  await stopOrphan(join(dir, 'broker.pid.json'), name);
  await removeVolume('kafka', resolve(dir));
  rmSync(dir, { recursive: true, force: true });
}

async function launch(
  engine: BrokerEngine,
  dir: string,
  ports: BrokerPorts,
  options: Partial<BrokerOptions>,
): Promise<Broker> {
  const admin = { username: options.adminUser ?? 'admin', password: storedPassword(join(dir, 'admin-password')) };
  const properties = join(dir, 'server.properties');
  const settings = serverProperties({
    clients: [{ name: 'CLIENT', bind: engine.bind, advertise: '127.0.0.1', port: ports.client }],
    controller: { bind: engine.bind, port: ports.controller },
    data: engine.data,
    admin,
    ...(options.limits && { limits: options.limits }),
    shortLived: options.shortLived === true,
  });
  writeFileSync(properties, settings, { mode: 0o600 });
  await engine.format(properties);

  const bootstrap = `127.0.0.1:${ports.client}`;
  const users = [{ name: admin.username, password: admin.password }, ...(options.users ?? [])];
  let refused: readonly KafkaUser[] = [];
  const child = await superviseProcess({
    name,
    ...engine.serve(properties, ports),
    logFile: join(dir, 'broker.log'),
    pidFile: join(dir, 'broker.pid.json'),
    rank: 'engine',
    readyMs: 120_000,
    async probe() {
      try {
        refused = await usersRefused(bootstrap, users);
        return true;
      } catch {
        return false;
      }
    },
  });
  try {
    await child.ready;
    await upsertScramUsers(`127.0.0.1:${ports.controller}`, { mechanism: 'plain', ...admin }, refused, {
      loginAt: bootstrap,
    });
    await untilServing(bootstrap, admin, child);
  } catch (error) {
    await child.kill();
    await engine.clear();
    throw error;
  }
  return {
    bootstrap,
    admin,
    pid: child.pid,
    exited: child.exited,
    lastLines: child.lastLines,
    stop: async () => void (await child.stop(20_000)),
    async kill() {
      await child.kill();
      await engine.clear();
    },
  };
}

/** A broker answers before it has told the controller that it may lead partitions. */
async function untilServing(bootstrap: string, sasl: Broker['admin'], child: SupervisedProcess): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers: [bootstrap],
    sasl: { mechanism: 'scram-sha-256', ...sasl },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (let tries = 600; (await admin.describeCluster()).brokers.length === 0; tries--) {
      if (tries === 0) throw new Error([`${name} does not join its own cluster`, ...child.lastLines()].join('\n  '));
      await sleep(50);
    }
  } finally {
    await admin.disconnect();
  }
}

async function rehearse(engine: (dir: string) => BrokerEngine): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-kafka-'));
  try {
    const broker = await launch(engine(dir), dir, { client: await freePort(), controller: await freePort() }, {});
    await broker.stop();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

import { join } from 'node:path';
import {
  type Broker,
  freePort,
  type Postgres,
  provision,
  removeBroker,
  removePostgres,
  startBroker,
  startPostgres,
} from '@countersign/servers';
import { type KafkaAccess, temporaryDirectory } from '@countersign/testing';
import type { Bench } from './figure.js';

/** A broker and a database, new and empty, of the kind and with the settings that `npm start` has. */
export interface Servers {
  /** As the broker's super user. */
  readonly access: KafkaAccess;
  /** As the database's superuser. */
  readonly database: string;
  readonly brokerProcess: number;
  /** The folder of its logs. */
  readonly brokerData: string;
  readonly databaseProcess: number;
  /** Makes topics with four partitions. */
  topics(...names: string[]): Promise<void>;
}

/** Runs `measure` with new servers and removes them, even if it fails. */
export async function withServers<T>(bench: Bench, measure: (servers: Servers) => Promise<T>): Promise<T> {
  return withBroker(bench, ({ bootstrap, admin, pid: brokerProcess }, dir) =>
    withPostgres(bench, ({ url, pid: databaseProcess }) =>
      measure({
        brokerProcess,
        brokerData: join(dir, 'data'),
        databaseProcess,
        access: { brokers: [bootstrap], sasl: { mechanism: 'scram-sha-256', ...admin } },
        database: url,
        async topics(...names) {
          await provision({ bootstrap, admin, topics: names.map((name) => ({ name, partitions: 4, config: {} })) });
        },
      }),
    ),
  );
}

async function withBroker<T>(bench: Bench, use: (broker: Broker, dir: string) => Promise<T>): Promise<T> {
  bench.signal.throwIfAborted();
  const dir = await temporaryDirectory('bench-kafka', removeBroker);
  const ports = { client: await freePort(), controller: await freePort() };
  try {
    const broker = await startBroker({ dir, ports, log: bench.log });
    // Its data is deleted, so it need not stop cleanly.
    return await use(broker, dir).finally(() => broker.kill());
  } finally {
    await removeBroker(dir);
  }
}

async function withPostgres<T>(bench: Bench, use: (postgres: Postgres) => Promise<T>): Promise<T> {
  bench.signal.throwIfAborted();
  const dir = await temporaryDirectory('bench-postgres', removePostgres);
  try {
    const postgres = await startPostgres({ dir, port: await freePort(), log: bench.log });
    return await use(postgres).finally(() => postgres.stop());
  } finally {
    await removePostgres(dir);
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program, Running } from '@countersign/local';
import {
  type Broker,
  freePort,
  type Postgres,
  type SupervisedProcess,
  startBroker,
  startPostgres,
} from '@countersign/servers';
import { routeFirst, type Started, start } from '../flows/started.js';

/** A whole installation of which everything may be killed and started again. */
export interface Site {
  readonly running: Running;
  readonly home: string;
  /** The instance that was there from the start, or what was started in its place. */
  first(name: Program): SupervisedProcess;
  /** Another instance beside the first. */
  second(name: Program): Promise<SupervisedProcess>;
  broker: { kill(): Promise<void>; back(): Promise<number> };
  database: { kill(): Promise<void>; back(): Promise<number> };
  stop(): Promise<void>;
}

/** Starts it, with tasks of the `hooked` accounts going to the webhook and room for all that a run sends and does. */
export async function site(hooked: readonly string[], connectorsFile: string): Promise<Site> {
  const started: Started = await start(
    {
      more: {
        'action-executor': { CONNECTORS_FILE: connectorsFile, CALL_TRIES: '5', CALL_BACKOFF_MS: '300' },
      },
    },
    (config) => {
      const charter = join(config, 'charters/sequencing-agent.yaml');
      writeFileSync(charter, readFileSync(charter, 'utf8').replace(/^( {2}\w+PerHour:) \d+$/gm, '$1 100000'));
      routeFirst(config, [
        { kinds: ['crm.create_task'], accounts: hooked, executor: 'action-executor', connector: 'webhook' },
      ]);
    },
  );
  const { running, home } = started;
  let broker: Broker | undefined;
  let postgres: Postgres | undefined;
  return {
    running,
    home,
    first: (name) => running.services.get(name) as SupervisedProcess,
    second: (name) => running.restart(name, { instance: 1 }),
    broker: {
      kill: async () => (broker ?? running.broker)?.kill(),
      back: async () => {
        const client = Number(running.run.kafka.bootstrap.split(':')[1]);
        const ports = { client, controller: await freePort() };
        broker = await startBroker({ dir: join(home, 'kafka'), ports, shortLived: true });
        return Date.now();
      },
    },
    database: {
      kill: async () => (postgres ?? running.postgres)?.kill(),
      back: async () => {
        postgres = await startPostgres({
          dir: join(home, 'postgres'),
          port: Number(new URL(running.superuserUrl).port),
        });
        return Date.now();
      },
    },
    stop: async () => {
      // The services drain into both, so they go last.
      await running.stop();
      await broker?.stop();
      await postgres?.stop();
      await started.stop();
    },
  };
}

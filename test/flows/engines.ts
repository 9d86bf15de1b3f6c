import { join } from 'node:path';
import { type Broker, freePort, type Postgres, startBroker, startPostgres } from '@countersign/servers';
import type { Started } from './started.js';

/** Broker and database of an installation, for tests that kill one of them, as a crash does, and start it again. */
export interface Engines {
  readonly broker: Engine;
  readonly database: Engine;
  /** Stops what was started again. Call it after the services stop, because they drain into both. */
  stop(): Promise<void>;
}

export interface Engine {
  kill(): Promise<void>;
  /** Starts it again. Returns the time when it runs. */
  back(): Promise<number>;
}

export function enginesOf({ running, home }: Started): Engines {
  let broker: Broker | undefined;
  let postgres: Postgres | undefined;
  return {
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
      await broker?.stop();
      await postgres?.stop();
    },
  };
}

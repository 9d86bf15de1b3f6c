import { join } from 'node:path';
import { type Broker, freePort, type Postgres, startBroker, startPostgres } from '@countersign/servers';
import type { Failure, StartOptions } from './running.js';
import { type Ground, type Supervisor, supervise } from './supervise.js';

/** Broker and database of an installation, as far as they are started here. */
export interface Engines {
  now(): { readonly broker: Broker | undefined; readonly postgres: Postgres | undefined };
  /** Restarts each of them if it ends by itself. */
  supervise(log: (line: string) => void, failed: (failure: Failure) => void): Supervisor[];
  readonly ground: Ground;
  /** Stops the database, then the broker. */
  stop(): Promise<void>;
}

/** Starts broker and database, except one that the environment names elsewhere. If one of the two fails, the other is stopped too. */
export async function startEngines(
  options: StartOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Engines> {
  const free = options.ports === 'free';
  const kafka = {
    dir: join(options.home, 'kafka'),
    ...(free && { ports: { client: await freePort(), controller: await freePort() } }),
    ...(options.shortLived && { shortLived: true }),
    ...(options.log && { log: options.log }),
  };
  const database = {
    dir: join(options.home, 'postgres'),
    ...(free && { port: await freePort() }),
    ...(options.log && { log: options.log }),
  };
  let [broker, postgres] = await bothOrNeither(
    env.KAFKA_BROKERS ? undefined : startBroker(kafka),
    env.DATABASE_URL ? undefined : startPostgres(database),
  );
  const down = new Set<string>();
  let losses = 0;
  let waiting: (() => void)[] = [];
  const onChange =
    (name: string, failed: (failure: Failure) => void) =>
    (what: 'lost' | 'back' | 'given up', lines: string[]): void => {
      if (what === 'given up') failed({ name, lines, engine: true });
      if (what === 'lost') {
        losses++;
        down.add(name);
      }
      if (what !== 'back') return;
      down.delete(name);
      if (down.size === 0) for (const go of waiting.splice(0)) go();
    };
  return {
    now: () => ({ broker, postgres }),
    ground: {
      losses: () => losses,
      async up(signal) {
        if (down.size === 0 || signal.aborted) return;
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
          signal.addEventListener('abort', () => resolve());
        });
      },
    },
    supervise(log, failed) {
      const supervisors: Supervisor[] = [];
      if (broker)
        supervisors.push(
          supervise({
            name: 'the Kafka broker',
            logFile: join(kafka.dir, 'broker.log'),
            running: broker,
            start: async () => {
              broker = await startBroker(kafka);
              return broker;
            },
            log,
            on: onChange('the Kafka broker', failed),
          }),
        );
      if (postgres)
        supervisors.push(
          supervise({
            name: 'the Postgres server',
            logFile: join(database.dir, 'postgres.log'),
            running: postgres,
            start: async () => {
              postgres = await startPostgres(database);
              return postgres;
            },
            log,
            on: onChange('the Postgres server', failed),
          }),
        );
      return supervisors;
    },
    async stop() {
      await postgres?.stop();
      await broker?.stop();
    },
  };
}

async function bothOrNeither<A extends { stop(): Promise<void> }, B extends { stop(): Promise<void> }>(
  a: Promise<A> | undefined,
  b: Promise<B> | undefined,
): Promise<[A | undefined, B | undefined]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  if (first.status === 'fulfilled') await first.value?.stop();
  if (second.status === 'fulfilled') await second.value?.stop();
  throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason;
}

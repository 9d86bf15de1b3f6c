import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { wholeText } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import type { Program } from '@countersign/local';
import { freePort, PortTaken, type SupervisedProcess } from '@countersign/servers';
import { temporaryDirectory } from '@countersign/testing';
import pg from 'pg';
import type { Bench } from '../figure.js';
import { startWorker } from '../worker.js';
import type { Build, Started } from './build.js';
import type { Generator } from './generator.js';
import { profilerOf } from './profile.js';
import { statementListerOf, statementsFolder } from './statements.js';
import { startMeter } from './watching.js';

/** Everything running, as `npm start` runs it, and what measures it. */
export type System = Awaited<ReturnType<typeof startSystem>>;

/** The rows of one statement, as the database's superuser. For counts, never on a path that is measured. */
export type Query = <Row>(sql: string, params?: readonly unknown[]) => Promise<Row[]>;

interface Wishes {
  /** Restarts what ends by itself, as `npm start` does: for a measurement that kills. Without it, such an end is a fault. */
  readonly restarts?: boolean;
}

/** Brings up an installation in a directory of its own with the benchmark's configuration. */
export async function startSystem(bench: Bench, build: Build, options: Wishes = {}) {
  const remove = (home: string): Promise<void> => removeAll(home, build);
  for (let tries = 3; ; tries--) {
    const home = await temporaryDirectory('bench', remove);
    try {
      return await startIn(home, bench, build, options);
    } catch (error) {
      await remove(home);
      // By its name: another build has a class of its own.
      if ((error as Error).name !== PortTaken.name || tries === 0) throw error;
    }
  }
}

async function startIn(home: string, bench: Bench, build: Build, { restarts = false }: Wishes) {
  const config = join(home, 'config');
  build.configure(config);
  const profiled = (process.env.BENCH_PROFILE ?? '').split(',').filter((name) => name !== '') as Program[];
  const ports = new Map<Program, number>();
  for (const name of profiled) ports.set(name, await freePort());
  await countStatements(home, bench, build);
  const running = await build.startEverything({
    home,
    config,
    ports: 'free',
    restarts,
    log: bench.log,
    more: Object.fromEntries(
      [...ports].map(([name, port]) => [name, { NODE_OPTIONS: `--inspect=127.0.0.1:${port} --enable-source-maps` }]),
    ),
  });
  const stops: (() => Promise<void>)[] = [() => removeAll(home, build), () => running.stop()];
  const stop = async (): Promise<void> => {
    for (const stopNext of stops.splice(0).reverse()) await stopNext();
  };
  try {
    const pool = new pg.Pool({ connectionString: running.superuserUrl ?? running.run.database, max: 2 });
    pool.on('error', () => undefined);
    stops.push(() => pool.end());
    const query: Query = async (sql, params = []) => (await pool.query(sql, params as unknown[])).rows;
    const generator = startWorker<Generator>(new URL('./generator.js', import.meta.url), bench.signal);
    stops.push(() => generator.end());
    await generator.ask('connect', { access: running.kafka('upstream'), signals: build.signals });
    const countsStatements = await query('CREATE EXTENSION pg_stat_statements')
      .then(
        // If the library was not loaded, reading its view reports that.
        () => query('SELECT FROM pg_stat_statements'),
      )
      .then(
        () => true,
        (error: Error) => {
          bench.log(`statements are not counted: ${error.message}`);
          return false;
        },
      );
    const admin = new kafkajs.Kafka({
      clientId: 'bench',
      ...running.kafka('audit-recorder'),
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await admin.connect();
    stops.push(() => admin.disconnect());
    const recorded = running.topics.filter(({ readers }) => readers.includes('audit-recorder'));
    let meters = 0;
    const meant = new Set<SupervisedProcess>();
    const watchOver = (service: SupervisedProcess): void => {
      void service.exited.then(() => {
        if (!meant.has(service)) bench.wrong(`${service.name} ended by itself: ${service.lastLines(5).join(' / ')}`);
      });
    };
    if (restarts) {
      void running.failed.then(({ name, lines }) =>
        bench.wrong(`${name} was given up: ${lines.slice(-5).join(' / ')}`),
      );
    } else for (const service of running.services.values()) watchOver(service);
    stops.push(async () => {
      for (const service of running.services.values()) meant.add(service);
    });

    return {
      home,
      build,
      running,
      query,
      countsStatements,
      generator,
      stop,
      stopService: async (name: Program): Promise<void> => {
        const service = running.services.get(name);
        if (!service) return;
        meant.add(service);
        await service.stop(30_000);
      },
      startService: async (name: Program): Promise<void> => watchOver(await running.restart(name)),
      /** Watches topics that the console may read, from their beginning. Stop it when it is not needed, because it also uses time. */
      meter: (topics: readonly string[]) =>
        startMeter(running.kafka('console'), `console.bench-${++meters}`, topics, bench.signal),
      /** Looks until `find` finds something. Gives up after two minutes, or after `forMs`. */
      until: <T>(what: string, find: () => Promise<T | undefined>, wait: { everyMs?: number; forMs?: number } = {}) =>
        until(bench, what, find, wait),
      /** How many events there are on the topics that the recorder reads: all but checkpoints. */
      events: async (): Promise<number> => {
        const ends = await Promise.all(recorded.map(({ name }) => admin.fetchTopicOffsets(name)));
        return ends.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
      },
      /** Profiles the services of BENCH_PROFILE while `work` runs. */
      profiled: profilerOf(ports, bench),
      /** Lists the database's statements while `work` runs, into the folder of BENCH_STATEMENTS. */
      listed: statementListerOf(query, bench),
      act: (path: string, body: object) => act(running, path, body),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function until<T>(
  bench: Bench,
  what: string,
  find: () => Promise<T | undefined>,
  { everyMs = 100, forMs = 120_000 },
): Promise<T> {
  for (const giveUp = Date.now() + forMs; ; await sleep(everyMs)) {
    bench.signal.throwIfAborted();
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > giveUp) throw new Error(`waited ${forMs / 1000} s in vain for ${what}`);
  }
}

/** Asks the console as the command line does. Resolves with the times before and after, in milliseconds since 1970. */
async function act(
  { run, secrets }: Started,
  path: string,
  body: object,
): Promise<{ asked: number; answered: number }> {
  const asked = performance.timeOrigin + performance.now();
  const answer = await fetch(`${run.http.console}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secrets.consoleToken}` },
    body: JSON.stringify(body),
  });
  const text = await wholeText(answer.body, 1024 * 1024);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`);
  return { asked, answered: performance.timeOrigin + performance.now() };
}

/**
 * Makes the database count statements, by an extension that is loaded at its start. For this, its data is made first, with this one
 * setting. Without the extension, everything else is still measured.
 */
async function countStatements(home: string, bench: Bench, build: Build): Promise<void> {
  if (process.env.DATABASE_URL) return;
  // As a build sets it: started by root, the database keeps its data where others may pass through.
  chmodSync(home, 0o711);
  const server = await build.startPostgres({ dir: join(home, 'postgres'), port: await freePort(), log: bench.log });
  const client = new pg.Client({ connectionString: server.url });
  try {
    await client.connect();
    await client.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
    if (statementsFolder !== undefined) await client.query('ALTER SYSTEM SET pg_stat_statements.track_planning = on');
  } finally {
    await client.end();
    await server.stop();
  }
}

async function removeAll(home: string, { removeBroker, removePostgres }: Build): Promise<void> {
  await removeBroker(join(home, 'kafka'));
  await removePostgres(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
}

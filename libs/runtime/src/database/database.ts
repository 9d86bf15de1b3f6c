import { moment, transactionEnded } from '@countersign/telemetry';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { defaults, type Limits } from '../api/limits.js';
import type { Tx } from '../api/runtime.js';
import { describe, lostRace, ofSession, planOutdated } from '../failures.js';
import { runtimeMigrations } from './migrations.js';
import { prepared } from './prepared.js';
import { watchForSilence } from './silence.js';
import { takeMigrationTurn } from './turns.js';

/** The service's own database: one pool, transactions in READ COMMITTED. */
export interface Database {
  /**
   * Runs `fn` in a transaction, again where it lost a race (deadlock, serialisation), at most `raceTries` times. Throws what `fn`
   * threw, and where a statement had failed although `fn` returned: then nothing was committed. `contexts`, asked at its end,
   * names the trace contexts that it was for.
   */
  transaction<R>(fn: (tx: Tx) => Promise<R>, contexts?: () => readonly (string | undefined)[]): Promise<R>;
  /** One statement, by itself a transaction; run again where it lost a race. */
  read<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** For how long the statement that has waited longest has had no answer, in milliseconds; 0 where none waits. */
  unansweredMs(): number;
  close(): Promise<void>;
}

// Offsets and versions are far below 2^53; the driver would hand them out as text.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens the pool. The role's search_path leads to its own schema. `warn` is told of connections without an answer. */
export function openDatabase(
  url: string,
  service: string,
  limits: Limits,
  warn: (message: string) => void = () => undefined,
): Database {
  const silence = watchForSilence(url, limits.silentMs, warn);
  const pool = new pg.Pool({
    Client: silence.Client,
    connectionString: url,
    max: limits.connections,
    application_name: service,
    idle_in_transaction_session_timeout: limits.idleTransactionMs,
    connectionTimeoutMillis: 5_000,
    // What the watch for silence cannot tell: the database says that it is at work on it, or answers nobody.
    query_timeout: limits.queryMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // What `write` sends goes out together with what follows it, instead of waiting for the answer before.
    pipeline: true,
    // The plan of a prepared statement may be of a table that was empty. It goes with its connection.
    maxLifetimeSeconds: 60,
  });
  const namespace = new URL(url).pathname.slice(1);
  // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  const once = async <R>(fn: (tx: Tx) => Promise<R>): Promise<R> => {
    const client = await pool.connect();
    // A connection that breaks while it is checked out tells its error to the running query too.
    const ignore = () => undefined;
    client.on('error', ignore);
    let broken: Error | undefined;
    let ended = false;
    const send = (sql: string, params?: readonly unknown[]) => {
      // It would be committed by itself, or with what the next one does on this connection.
      if (ended) throw new Error('a statement came after its transaction had ended');
      return prepared(sql, params);
    };
    try {
      // Waited for: were it to fail, what follows would be committed piece by piece.
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      let failed: { readonly error: unknown } | undefined;
      const result = await fn({
        query: (sql, params) =>
          new Promise((resolve, reject) => {
            // As the database would answer, also where it does not know of the failure.
            if (failed && !sql.startsWith('ROLLBACK')) return reject(failed.error);
            // Told at the answer, not a turn of the event loop later: the next answer may be of a statement that failed of this one.
            client.query(send(sql, params), (error: unknown, result) => {
              if (error) return reject(failed ? failed.error : error);
              // Back at a savepoint, what had failed since then is undone.
              if (result.command === 'ROLLBACK') failed = undefined;
              resolve(result.rows);
            });
          }),
        write: (sql, params) => {
          client.query(send(sql, params), (error: unknown) => {
            if (error) failed ??= { error };
          });
        },
      });
      ended = true;
      // A value that cannot be sent is told at once, and by the driver: the database knows of no failure and would commit the rest.
      if (failed) throw (failed as { readonly error: unknown }).error;
      // Statements are answered in their order, so what was written has its answer by then.
      const { command } = await client.query('COMMIT');
      if (failed) throw (failed as { readonly error: unknown }).error;
      // Postgres answers the COMMIT of a failed transaction with ROLLBACK, and no error.
      if (command !== 'COMMIT') throw new Error('nothing was committed: the error of a statement was swallowed');
      return result;
    } catch (error) {
      ended = true;
      await client.query('ROLLBACK').catch((e: Error) => {
        broken = e;
      });
      if (ofSession(error)) broken = error as Error;
      throw error;
    } finally {
      client.removeListener('error', ignore);
      client.release(broken);
    }
  };
  return {
    async transaction(fn, contexts = () => []) {
      const began = moment();
      for (let tries = 1; ; tries++) {
        try {
          const result = await once(fn);
          transactionEnded({ namespace, began, contexts });
          return result;
        } catch (error) {
          if ((lostRace(error) || planOutdated(error)) && tries < limits.raceTries) continue;
          transactionEnded({ namespace, began, contexts, failure: describe(error).code });
          throw error;
        }
      }
    },
    async read(sql, params) {
      for (let tries = 1; ; tries++) {
        try {
          return (await pool.query(prepared(sql, params))).rows;
        } catch (error) {
          // The pool has closed that connection; each of the others may have the same plan.
          if (!(planOutdated(error) || lostRace(error)) || tries >= limits.raceTries) throw error;
        }
      }
    },
    unansweredMs: silence.unansweredMs,
    close: async () => {
      await pool.end();
      silence.stop();
    },
  };
}

type Migrations = readonly (new (...args: never[]) => unknown)[] | readonly unknown[];

/** Brings a service's schema up to date, the runtime's tables first. */
export const migrate = (
  url: string,
  migrations: Migrations,
  limits?: Pick<Limits, 'silentMs'>,
  warn?: (message: string) => void,
): Promise<void> => migrateTables(url, [...runtimeMigrations, ...migrations], limits, warn);

/**
 * Brings a schema up to date. Two instances at once take turns. A migration may take as long as it needs; a connection without an
 * answer that the database does not work for fails it.
 */
export async function migrateTables(
  url: string,
  migrations: Migrations,
  { silentMs }: Pick<Limits, 'silentMs'> = defaults,
  warn: (message: string) => void = () => undefined,
): Promise<void> {
  const silence = watchForSilence(url, silentMs, warn);
  const connecting = { connectionTimeoutMillis: 5_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000 };
  const lock = new silence.Client({ connectionString: url, ...connecting });
  try {
    await lock.connect();
    await takeMigrationTurn(lock);
    const source = new DataSource({
      type: 'postgres',
      url,
      poolSize: 1,
      migrationsTableName: 'migrations',
      migrations: [...migrations] as never[],
      extra: { ...connecting, Client: silence.Client },
    });
    await source.initialize();
    try {
      await source.runMigrations({ transaction: 'each' });
    } finally {
      await source.destroy();
    }
  } finally {
    await lock.end();
    silence.stop();
  }
}

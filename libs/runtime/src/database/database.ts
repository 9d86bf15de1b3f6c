import { moment, transactionEnded } from '@countersign/telemetry';
import pg from 'pg';
import { defaults, type Limits } from '../api/limits.js';
import type { Tx } from '../api/runtime.js';
import { describe, lostRace, ofSession, planOutdated } from '../failures.js';
import { runtimeMigrations } from './migrations.js';
import { prepared } from './prepared.js';
import { watchForSilence } from './silence.js';
import { takeMigrationTurn } from './turns.js';

/**
 * How the database plans the statements of a transaction. `once`: one plan on each connection for all values. This suits statements
 * that find rows by their keys and come with every event. `each time`: a plan for the values, because the values decide how many
 * rows there are (an age, a page, a name).
 */
export type Planned = 'once' | 'each time';

/** The service's own database: one pool, transactions in READ COMMITTED. */
export interface Database {
  /**
   * Runs `fn` in a transaction. If the transaction lost a race (deadlock, serialisation), it runs again, at most `raceTries`
   * times. Throws what `fn` threw. It also throws if a statement failed and `fn` returned all the same: then nothing was
   * committed. `contexts` is asked at the end for the trace contexts of the work. If `planned` is absent, it is `each time`.
   */
  transaction<R>(
    fn: (tx: Tx) => Promise<R>,
    contexts?: () => readonly (string | undefined)[],
    planned?: Planned,
  ): Promise<R>;
  /** One statement in its own transaction, planned once. If it lost a race, it runs again. */
  read<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** The same, planned each time for its values. */
  look<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** How long the oldest waiting statement has had no answer, in milliseconds; 0 if none waits. */
  unansweredMs(): number;
  close(): Promise<void>;
}

const begin = {
  once: 'BEGIN ISOLATION LEVEL READ COMMITTED',
  // One message, so it costs no exchange of its own.
  'each time': 'BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plan_cache_mode = auto',
} as const;

// Offsets and versions are far below 2^53. Without this parser the driver returns them as text.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens the pool. The role's search_path leads to its own schema. `warn` gets a message about connections without an answer. */
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
    // For the cases that the watch for silence does not find: the database says that it still works on the statement, or answers
    // on no connection.
    query_timeout: limits.queryMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // A statement of `write` goes out together with the next one. It does not wait for the previous answer.
    pipeline: true,
    // The plan of a prepared statement may be of a time when the table was empty. It ends with its connection.
    maxLifetimeSeconds: 60,
  });
  const namespace = new URL(url).pathname.slice(1);
  // Otherwise the database spends a third of its time on plans that come out the same. The setting is sent before the first statement.
  // Postgres knows the setting since version 12, and `BEGIN` above fails without it. The system needs version 15 or later.
  pool.on('connect', (client) => client.query('SET plan_cache_mode = force_generic_plan', () => undefined));
  // An idle connection that breaks is replaced at its next use. Without a listener its error would end the process.
  pool.on('error', () => undefined);
  const once = async <R>(fn: (tx: Tx) => Promise<R>, planned: Planned): Promise<R> => {
    const client = await pool.connect();
    // A connection that breaks in use also reports its error to the running query.
    const ignore = () => undefined;
    client.on('error', ignore);
    let broken: Error | undefined;
    let ended = false;
    const send = (sql: string, params?: readonly unknown[]) => {
      // Such a statement would be committed by itself, or with the next transaction on this connection.
      if (ended) throw new Error('a statement came after its transaction had ended');
      return prepared(sql, params);
    };
    try {
      // This waits: if BEGIN failed unnoticed, the next statements would be committed one by one.
      await client.query(begin[planned]);
      let failed: { readonly error: unknown } | undefined;
      const result = await fn({
        query: (sql, params) =>
          new Promise((resolve, reject) => {
            // The same answer as the database gives, also if the database does not know of the failure.
            if (failed && !sql.startsWith('ROLLBACK')) return reject(failed.error);
            // The callback runs at the answer, not one turn of the event loop later. The next answer may be a failure that this
            // one caused.
            client.query(send(sql, params), (error: unknown, result) => {
              if (error) return reject(failed ? failed.error : error);
              // ROLLBACK TO a savepoint undoes what failed after it.
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
      // The driver reports a value that it cannot send at once. The database does not know of this failure and would commit the
      // other statements.
      if (failed) throw (failed as { readonly error: unknown }).error;
      // Postgres answers statements in order, so all written statements have their answer now.
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
  /** Sends BEGIN, the statement and COMMIT in one exchange. If BEGIN fails, the statement is committed alone, which is the same. */
  const plannedForValues = async (statement: pg.QueryConfig<unknown[]>): Promise<pg.QueryResult> => {
    const client = await pool.connect();
    const ignore = () => undefined;
    client.on('error', ignore);
    const sent = [client.query(begin['each time']), client.query(statement), client.query('COMMIT')] as const;
    const answers = await Promise.allSettled(sent);
    const failed = answers.find((answer) => answer.status === 'rejected');
    client.removeListener('error', ignore);
    // The pool also closes a connection after one of its own statements failed.
    client.release(failed?.reason as Error | undefined);
    if (failed) throw failed.reason;
    return sent[1];
  };
  const alone = async <Row>(ask: () => Promise<pg.QueryResult>): Promise<Row[]> => {
    for (let tries = 1; ; tries++) {
      try {
        return (await ask()).rows;
      } catch (error) {
        // The pool has closed that connection. Each other connection may have the same outdated plan.
        if (!(planOutdated(error) || lostRace(error)) || tries >= limits.raceTries) throw error;
      }
    }
  };
  return {
    async transaction(fn, contexts = () => [], planned = 'each time') {
      const began = moment();
      for (let tries = 1; ; tries++) {
        try {
          const result = await once(fn, planned);
          transactionEnded({ namespace, began, contexts });
          return result;
        } catch (error) {
          if ((lostRace(error) || planOutdated(error)) && tries < limits.raceTries) continue;
          transactionEnded({ namespace, began, contexts, failure: describe(error).code });
          throw error;
        }
      }
    },
    read: (sql, params) => alone(() => pool.query(prepared(sql, params))),
    look: (sql, params) => alone(() => plannedForValues(prepared(sql, params))),
    unansweredMs: silence.unansweredMs,
    close: async () => {
      await pool.end();
      silence.stop();
    },
  };
}

type Migrations = readonly (new (...args: never[]) => unknown)[] | readonly unknown[];

/** Brings a service's schema up to date. The runtime's tables come first. */
export const migrate = (
  url: string,
  migrations: Migrations,
  limits?: Pick<Limits, 'silentMs'>,
  warn?: (message: string) => void,
): Promise<void> => migrateTables(url, [...runtimeMigrations, ...migrations], limits, warn);

/** The name that TypeORM knows a migration by. */
const nameOf = (migration: unknown): string => {
  const made = typeof migration === 'function' ? new (migration as new () => { name?: string })() : undefined;
  return made?.name ?? made?.constructor.name ?? '';
};

/** Whether a migration has not run yet. Each one is recorded in its own transaction, so a recorded one has run to its end. */
async function pending(client: pg.Client, migrations: Migrations): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'migrations'`,
  );
  if (rowCount === 0) return true;
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations');
  const done = new Set(rows.map(({ name }) => name));
  return migrations.some((migration) => !done.has(nameOf(migration)));
}

/**
 * Brings a schema up to date. TypeORM is loaded only if a migration has to run, because it takes 28 MB of memory. Two instances take
 * turns. A migration may take as long as it needs. It fails if its connection has no answer and the database does not work on it.
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
    if (!(await pending(lock, migrations))) return;
    const { DataSource } = await import('typeorm');
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

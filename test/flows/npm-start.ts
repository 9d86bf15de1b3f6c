import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '@countersign/contracts';
import { freePort, localPorts, workspaceRoot } from '@countersign/servers';

/** `npm start` as a person uses it, but without the build: a process, a directory and ports of its own. */
export const start = join(workspaceRoot, 'deploy/local/dist/start.js');

export type Environment = Readonly<Record<string, string | undefined>>;

const portVariables = [
  ...Object.values(localPorts).map(({ variable }) => variable),
  ...[...services, 'sandbox-systems'].map((name) => `${name.toUpperCase().replaceAll('-', '_')}_PORT`),
];

const children = new Set<ChildProcess>();

/** Kills every start that a test has left. */
export async function killAll(): Promise<void> {
  for (const child of children) await killed(child);
}

/** Free ports for everything, by variable. */
export async function ports(): Promise<Record<string, string>> {
  const found = new Map<string, string>();
  for (const variable of portVariables) {
    let port: string;
    do port = String(await freePort());
    while ([...found.values()].includes(port));
    found.set(variable, port);
  }
  return Object.fromEntries(found);
}

/** A start that was begun. */
export interface Begun {
  readonly child: ChildProcess;
  /** The whole output so far. */
  output(): string;
  readonly ended: Promise<number | null>;
}

/** Begins `npm start` with these options. */
export function begin(env: Environment, ...options: string[]): Begun {
  return watched(
    spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', start, ...options], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** Begins the script `start` itself with npm. `directory` gets a package with that script, in which the build does nothing. */
export function beginWithNpm(directory: string, env: Environment, ...options: string[]): Begun {
  const { scripts } = JSON.parse(readFileSync(join(workspaceRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ scripts: { build: 'true', start: scripts.start } }));
  symlinkSync(join(workspaceRoot, 'deploy'), join(directory, 'deploy'));
  return watched(
    spawn('npm', ['start', '--', ...options], {
      cwd: directory,
      env: {
        ...process.env,
        NO_COLOR: '1',
        PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

function watched(child: ChildProcessByStdio<null, Readable, Readable>): Begun {
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return { child, output: () => output, ended };
}

/** Begins, and waits until it serves. */
export const serving = (env: Environment, ...options: string[]): Promise<Begun> =>
  untilServing(begin(env, '--no-sample', ...options));

export async function untilServing(begun: Begun): Promise<Begun> {
  let over = false;
  void begun.ended.then(() => {
    over = true;
  });
  while (!begun.output().includes('Serving.')) {
    if (over) throw new Error(`it ended instead of serving: ${begun.output()}`);
    await sleep(50);
  }
  return begun;
}

/** Every process with the process that started it. */
function parents(): Map<number, number> {
  if (process.platform !== 'linux') {
    const rows = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
    return new Map(rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]));
  }
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name in brackets may contain spaces; state and parent follow it. Z means a zombie.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state !== 'Z') found.set(Number(name), Number(parent));
    } catch {
      // The process has ended in the meantime.
    }
  }
  return found;
}

/** A process and all below it: services, servers, and the shell that watches over them. */
export function family(pid: number): number[] {
  const all = parents();
  const found = [pid];
  for (const member of found) for (const [child, parent] of all) if (parent === member) found.push(child);
  return found;
}

const living = (pids: readonly number[]): number[] => {
  const all = parents();
  return pids.filter((pid) => all.has(pid));
};

export async function gone(pids: readonly number[]): Promise<void> {
  for (let tries = 600; living(pids).length > 0; tries--) {
    if (tries === 0) throw new Error(`still there: ${living(pids)}`);
    await sleep(50);
  }
}

/** `kill -9` of everything. The oldest process is killed first, together with the watcher, so that nothing stops the others cleanly. */
export const killed = (child: ChildProcess): Promise<void> => allKilled(family(child.pid as number));

export async function allKilled(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  await gone(pids);
}

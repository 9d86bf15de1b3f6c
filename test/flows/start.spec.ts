import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '@countersign/contracts';
import { freePort, localPorts, type RunFile, workspaceRoot } from '@countersign/local';
import { temporaryDirectory } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram, type Said } from './installation.js';
import { remove } from './started.js';

/** `npm start` as a person uses it, but for the build: a process of its own, a directory and ports of its own. */
const start = join(workspaceRoot, 'deploy/local/dist/start.js');
const reset = join(workspaceRoot, 'deploy/local/dist/reset.js');

const portVariables = [
  ...Object.values(localPorts).map(({ variable }) => variable),
  ...services.map((name) => `${name.toUpperCase().replaceAll('-', '_')}_PORT`),
];

let home: string;
let env: Record<string, string | undefined>;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  home = await temporaryDirectory('start', remove);
  env = { COUNTERSIGN_HOME: home, KAFKA_BROKERS: undefined, DATABASE_URL: undefined, ...(await ports()) };
});

afterAll(async () => {
  for (const child of children) await killed(child);
  if (home) await remove(home);
});

async function ports(): Promise<Record<string, string>> {
  const found = new Map<string, string>();
  for (const variable of portVariables) {
    let port: string;
    do port = String(await freePort());
    while ([...found.values()].includes(port));
    found.set(variable, port);
  }
  return Object.fromEntries(found);
}

interface Begun {
  readonly child: ChildProcess;
  /** Everything said so far. */
  said(): string;
  readonly ended: Promise<number | null>;
}

function begin(...options: string[]): Begun {
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', start, ...options], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return { child, said: () => said, ended };
}

/** Begins, and waits until it serves. */
async function serving(): Promise<Begun> {
  const begun = begin('--no-sample');
  let over = false;
  void begun.ended.then(() => {
    over = true;
  });
  while (!begun.said().includes('Serving.')) {
    if (over) throw new Error(`it ended instead of serving: ${begun.said()}`);
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
      // The name in brackets may hold spaces; state and parent follow it. Z only waits to be buried.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state !== 'Z') found.set(Number(name), Number(parent));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** A process and all below it: services, servers, and the shell that watches over them. */
function family(pid: number): number[] {
  const all = parents();
  const found = [pid];
  for (const member of found) for (const [child, parent] of all) if (parent === member) found.push(child);
  return found;
}

const living = (pids: readonly number[]): number[] => {
  const all = parents();
  return pids.filter((pid) => all.has(pid));
};

async function gone(pids: readonly number[]): Promise<void> {
  for (let tries = 600; living(pids).length > 0; tries--) {
    if (tries === 0) throw new Error(`still there: ${living(pids)}`);
    await sleep(50);
  }
}

/** `kill -9` of everything. The eldest goes first, and the watcher with it, so that nobody ends anything in good order. */
async function killed(child: ChildProcess): Promise<void> {
  const all = family(child.pid as number);
  for (const pid of all) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  await gone(all);
}

const runFile = (): RunFile => JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as RunFile;

const answers = async (url: string): Promise<boolean> =>
  (await fetch(`${url}/health`).catch(() => undefined))?.ok === true;

const run = (...options: string[]): Promise<Said> => runProgram(start, options, env);

test('it says what it can do, and starts nothing for that', async () => {
  const said = await run('--help');
  expect(said).toMatchObject({ code: 0, err: '' });
  for (const option of ['--no-sample', '--exit', 'npm run reset', 'Examples']) expect(said.out).toContain(option);
  expect(readdirSync(home)).toEqual([]);
});

test('an option that there is not is named, with the help, and nothing starts', async () => {
  const said = await run('--sample-only');
  expect(said.code).toBe(2);
  expect(said.out).toContain('--sample-only');
  expect(said.out).toContain('--no-sample');
  expect(readdirSync(home)).toEqual([]);
});

test.each(['SIGNAL_INGESTION_PORT', 'COUNTERSIGN_KAFKA_PORT', 'COUNTERSIGN_POSTGRES_PORT'])(
  'a taken port is named by its number and its variable %s, and nothing is left running',
  async (variable) => {
    const server = createServer();
    server.listen({ port: Number(env[variable]), host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    try {
      const begun = begin('--no-sample');
      const seen = new Set<number>();
      const watching = setInterval(() => {
        for (const pid of family(begun.child.pid as number)) seen.add(pid);
      }, 100);
      const code = await begun.ended.finally(() => clearInterval(watching));
      expect({ code, said: begun.said() }).toEqual({
        code: 1,
        said: expect.stringMatching(
          new RegExp(`port ${env[variable]}\\b.* is taken: .*set ${variable} to another port`),
        ),
      });
      await gone([...seen]);
      expect(existsSync(join(home, 'run.json'))).toBe(false);
    } finally {
      server.close();
      await once(server, 'close');
    }
  },
);

test('it serves until Ctrl-C, then drains and leaves no process behind', async () => {
  const begun = await serving();
  expect(statSync(join(home, 'run.json')).mode & 0o777).toBe(0o600);
  const { http, kafka } = runFile();
  expect(Object.keys(http).sort()).toEqual([...services].sort());
  for (const url of Object.values(http)) expect(await answers(url)).toBe(true);
  expect(Object.keys(kafka.principals)).toEqual(expect.arrayContaining([...services, 'upstream', 'downstream']));

  const all = family(begun.child.pid as number);
  // The services, the broker, the database and the watcher, beside itself.
  expect(all.length).toBeGreaterThanOrEqual(services.length + 4);
  begun.child.kill('SIGINT');
  expect({ code: await begun.ended, said: begun.said() }).toMatchObject({ code: 0 });
  await gone(all);
  for (const url of Object.values(http)) expect(await answers(url)).toBe(false);
  expect(existsSync(join(home, 'run.json'))).toBe(false);
});

test('after kill -9 of everything the next start works, plays the sample and exits with the summary last', {
  timeout: 900_000,
}, async () => {
  const begun = await serving();
  await killed(begun.child);
  expect(existsSync(join(home, 'run.json'))).toBe(true);

  const next = begin('--exit');
  const seen = new Set<number>();
  const watching = setInterval(() => {
    for (const pid of family(next.child.pid as number)) seen.add(pid);
  }, 200);
  const code = await next.ended.finally(() => clearInterval(watching));
  const lines = next.said().trimEnd().split('\n');
  expect({ code, end: lines.slice(-30) }).toMatchObject({ code: 0 });
  expect(lines.at(-1)).toBe('9 of 9 stories ended as they should');
  expect(lines.at(-2)).toMatch(/\d/);
  expect(lines.filter((line) => line.startsWith('✓ '))).toHaveLength(9);
  await gone([...seen]);
});

test('reset removes the state, and says so when there is none', async () => {
  for (const name of ['kafka', 'postgres', 'secrets', 'logs', 'sample.json'])
    expect(existsSync(join(home, name))).toBe(true);
  expect(await runProgram(reset, [], env)).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Removed/) });
  expect(readdirSync(home)).toEqual([]);
  const nowhere = join(home, 'nowhere');
  expect(await runProgram(reset, [], { ...env, COUNTERSIGN_HOME: nowhere })).toMatchObject({
    code: 0,
    out: 'Nothing to remove.\n',
  });
});

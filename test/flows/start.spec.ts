import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '@countersign/contracts';
import type { RunFile } from '@countersign/local';
import { workspaceRoot } from '@countersign/servers';
import { temporaryDirectory } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProgramResult, runProgram } from './installation.js';
import {
  allKilled,
  begin,
  beginWithNpm,
  family,
  gone,
  killAll,
  killed,
  ports,
  serving,
  start,
  untilServing,
} from './npm-start.js';
import { remove } from './started.js';

const reset = join(workspaceRoot, 'deploy/local/dist/reset.js');

let home: string;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  home = await temporaryDirectory('start', remove);
  env = { COUNTERSIGN_HOME: home, KAFKA_BROKERS: undefined, DATABASE_URL: undefined, ...(await ports()) };
});

afterAll(async () => {
  await killAll();
  if (home) await remove(home);
});

const runFile = (): RunFile => JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as RunFile;

const answers = async (url: string): Promise<boolean> =>
  (await fetch(`${url}/health`).catch(() => undefined))?.ok === true;

const run = (...options: string[]): Promise<ProgramResult> => runProgram(start, options, env);

test('it says what it can do, and starts nothing for that', async () => {
  const result = await run('--help');
  expect(result).toMatchObject({ code: 0, err: '' });
  for (const option of ['--no-sample', '--exit', 'npm run reset', 'Examples']) expect(result.out).toContain(option);
  expect(readdirSync(home)).toEqual([]);
});

test('an option that there is not is named, with the help, and nothing starts', async () => {
  const result = await run('--sample-only');
  expect(result.code).toBe(2);
  expect(result.out).toContain('--sample-only');
  expect(result.out).toContain('--no-sample');
  expect(readdirSync(home)).toEqual([]);
});

test.each(['SIGNAL_INGESTION_PORT', 'COUNTERSIGN_KAFKA_PORT', 'COUNTERSIGN_POSTGRES_PORT'])(
  'a taken port is named by its number and its variable %s, and nothing is left running',
  async (variable) => {
    const server = createServer();
    server.listen({ port: Number(env[variable]), host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    try {
      const begun = begin(env, '--no-sample');
      const seen = new Set<number>();
      const watching = setInterval(() => {
        for (const pid of family(begun.child.pid as number)) seen.add(pid);
      }, 100);
      const code = await begun.ended.finally(() => clearInterval(watching));
      expect({ code, output: begun.output() }).toEqual({
        code: 1,
        output: expect.stringMatching(
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
  const begun = await serving(env);
  expect(statSync(join(home, 'run.json')).mode & 0o777).toBe(0o600);
  const { http } = runFile();
  expect(Object.keys(http).sort()).toEqual([...services, 'sandbox-systems'].sort());
  for (const url of Object.values(http)) expect(await answers(url)).toBe(true);
  const logins = readdirSync(join(home, 'credentials/broker'));
  expect(logins).toEqual(expect.arrayContaining([...services, 'upstream', 'downstream'].map((name) => `${name}.json`)));

  const signsIn = async (output: string): Promise<readonly number[]> => {
    const [address, code] = (/Open the console: (\S+)/.exec(output)?.[1] ?? '').split('/sign-in#code=');
    expect(address).toBe(http.console);
    const body = JSON.stringify({ code });
    const headers = { 'content-type': 'application/json' };
    const use = async () => (await fetch(`${address}/v1/session`, { method: 'POST', headers, body })).status;
    return [await use(), await use()];
  };
  expect(await signsIn(begun.output())).toEqual([201, 401]);
  const command = join(workspaceRoot, 'apps/cli/bin/countersign.mjs');
  expect(await signsIn((await runProgram(command, ['sign-in'], { COUNTERSIGN_HOME: home })).out)).toEqual([201, 401]);

  const all = family(begun.child.pid as number);
  // The services, the sandbox systems, the broker, the database and the watcher, beside itself.
  expect(all.length).toBeGreaterThanOrEqual(services.length + 5);
  begun.child.kill('SIGINT');
  expect({ code: await begun.ended, output: begun.output() }).toMatchObject({ code: 0 });
  await gone(all);
  for (const url of Object.values(http)) expect(await answers(url)).toBe(false);
  expect(existsSync(join(home, 'run.json'))).toBe(false);
  expect(existsSync(join(home, 'credentials'))).toBe(false);
});

test.each(['SIGTERM', 'SIGINT'] as const)('a %s to npm itself drains and leaves no process behind', async (signal) => {
  const directory = await temporaryDirectory('npm', remove);
  const begun = await untilServing(beginWithNpm(directory, env, '--no-sample'));
  const all = family(begun.child.pid as number);
  expect(all.length).toBeGreaterThanOrEqual(services.length + 5);
  begun.child.kill(signal);
  await Promise.race([begun.ended, sleep(60_000, undefined, { ref: false })]);
  // If npm ended alone, nothing else would end the others.
  await gone(all).catch(async (error: unknown) => {
    await allKilled(all);
    throw error;
  });
  expect(begun.output()).toContain('stopping: draining the services');
  expect(existsSync(join(home, 'run.json'))).toBe(false);
  await remove(directory);
});

/** The process that a file of the installation names. */
const pidIn = (file: string): number => (JSON.parse(readFileSync(join(home, file), 'utf8')) as { pid: number }).pid;

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 2_400; !(await condition()); tries--) {
    if (tries === 0) throw new Error(`waited in vain: ${what}`);
    await sleep(50);
  }
}

test('a service, the broker and the database that die are named with how and where to look, and are started again', {
  timeout: 600_000,
}, async () => {
  const begun = await serving(env);
  const { http } = runFile();
  const detail = (what: string | RegExp, from = 0): Promise<void> =>
    until(`${what} in ${begun.output().slice(from)}`, () =>
      typeof what === 'string' ? begun.output().slice(from).includes(what) : what.test(begun.output().slice(from)),
    );
  const well = (): Promise<void> =>
    until(
      'every service to be well',
      async () => !(await Promise.all(Object.values(http).map(answers))).includes(false),
    );
  const status = (): Promise<ProgramResult> =>
    runProgram(join(workspaceRoot, 'apps/cli/bin/countersign.mjs'), ['status'], { COUNTERSIGN_HOME: home });

  process.kill(pidIn('pids/orchestrator.json'), 'SIGKILL');
  await detail(
    /orchestrator ended \(SIGKILL\); its last line: .+ It is started again in 1 s \(1 of 5\)\. Log: .*orchestrator\.log/,
  );
  await detail('orchestrator is back');
  expect(await answers(http.orchestrator as string)).toBe(true);

  process.kill(pidIn('kafka/broker.pid.json'), 'SIGKILL');
  process.kill(pidIn('postgres/postgres.pid.json'), 'SIGKILL');
  await detail(/the Kafka broker ended \(SIGKILL\).* It is started again .*broker\.log/);
  await detail(/the Postgres server ended \(SIGKILL\).* It is started again .*postgres\.log/);
  await detail('the Kafka broker is back');
  await detail('the Postgres server is back');
  await well();
  expect((await status()).code).toBe(0);

  // What starting again cannot mend is said in the service's own words, and is not tried for ever.
  const file = join(home, 'secrets/audit-tokens.json');
  const content = readFileSync(file, 'utf8');
  writeFileSync(file, '{');
  process.kill(pidIn('pids/audit-recorder.json'), 'SIGTERM');
  await detail(/audit-recorder ended \(exit code 0\)/);
  await detail(
    /audit-recorder does not start: AUDIT_TOKENS_FILE.* To start it again will not help until that is mended\./,
  );
  await detail('It ended 6 times in a row and is given up.');
  const after = await status();
  expect(after.code).toBe(1);
  expect(after.out).toMatch(/audit-recorder.*unreachable/);
  expect(await answers(http.console as string)).toBe(true);
  writeFileSync(file, content);

  const all = family(begun.child.pid as number);
  begun.child.kill('SIGINT');
  expect(await begun.ended).toBe(1);
  expect(begun.output()).toContain('audit-recorder was given up; its last lines:');
  await gone(all);
});

test('Ctrl-C while the broker and a service are started again ends cleanly and leaves no process behind', async () => {
  const begun = await serving(env);
  const seen = new Set(family(begun.child.pid as number));
  process.kill(pidIn('kafka/broker.pid.json'), 'SIGKILL');
  process.kill(pidIn('pids/orchestrator.json'), 'SIGKILL');
  await until('the broker to be started', () => {
    const all = family(begun.child.pid as number);
    const fresh = all.some((pid) => !seen.has(pid));
    for (const pid of all) seen.add(pid);
    return fresh;
  });
  begun.child.kill('SIGINT');
  expect({ code: await begun.ended, output: begun.output() }).toMatchObject({ code: 0 });
  await gone([...seen]);
});

test("after kill -9 of everything the next start works, prints the console's link before the sample, and exits with the summary last", {
  timeout: 900_000,
}, async () => {
  const begun = await serving(env);
  await killed(begun.child);
  expect(existsSync(join(home, 'run.json'))).toBe(true);

  const next = begin(env, '--exit');
  const seen = new Set<number>();
  const watching = setInterval(() => {
    for (const pid of family(next.child.pid as number)) seen.add(pid);
  }, 200);
  const code = await next.ended.finally(() => clearInterval(watching));
  const lines = next.output().trimEnd().split('\n');
  expect({ code, end: lines.slice(-30) }).toMatchObject({ code: 0 });
  expect(lines.at(-1)).toBe('9 of 9 stories ended as they should');
  expect(lines.at(-2)).toMatch(/\d/);
  expect(lines.filter((line) => line.startsWith('✓ '))).toHaveLength(9);
  // The sample takes a while and can be watched in the console, so the link comes first.
  const found = (beginning: string): number => lines.findIndex((line) => line.startsWith(beginning));
  expect(found('Open the console: ')).toBeGreaterThan(-1);
  expect(found('Open the console: ')).toBeLessThan(found('playing the sample'));
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

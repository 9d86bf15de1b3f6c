import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { underLock } from './cache.js';
import { commandLine, recordProcess, stopOrphan } from './process-record.js';
import { type ProcessSpec, superviseProcess } from './supervise.js';

const dir = mkdtempSync(join(tmpdir(), 'countersign-test-supervise-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function spec(script: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  const id = ++count;
  return {
    name: 'the child',
    command: process.execPath,
    args: ['-e', script],
    logFile: join(dir, `${id}.log`),
    pidFile: join(dir, `${id}.json`),
    ...more,
  };
}

const forever = 'setInterval(() => {}, 1000);';

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 1200; !condition(); tries--) {
    if (tries === 0) throw new Error('it does not come about');
    await sleep(50);
  }
}

/** Nothing, or a process that has ended and that nobody has buried yet: it has no command line any more. */
const gone = (pid: number): boolean => !commandLine(pid);

test('lines of output arrive whole, in order, and are in the log file', async () => {
  const lines: string[] = [];
  const child = await superviseProcess(
    spec("console.log('één'); console.error('two'); process.stdout.write('three')", { onLine: (l) => lines.push(l) }),
  );
  expect((await child.exited).code).toBe(0);
  await until(() => lines.length === 3);
  expect(lines).toEqual(['één', 'two', 'three']);
  expect(child.lastLines(2)).toEqual(['two', 'three']);
});

test('a process that ends before it is ready says so with its last lines', async () => {
  const child = await superviseProcess(
    spec("console.error('no such table'); process.exit(3)", { probe: async () => false }),
  );
  await expect(child.ready).rejects.toThrow(/the child ended at start \(exit code 3\)\n {2}no such table/);
});

test('a command that is not there is named', async () => {
  await expect(superviseProcess(spec('', { command: join(dir, 'missing') }))).rejects.toThrow(
    'the child could not be started',
  );
});

test('a process that ignores the request to end is killed after its grace', async () => {
  const child = await superviseProcess(
    spec(`process.on('SIGTERM', () => console.log('no')); console.log('up'); ${forever}`),
  );
  await until(() => child.lastLines().includes('up'));
  expect(await child.stop(300)).toEqual({ code: null, signal: 'SIGKILL' });
  expect(child.lastLines()).toEqual(['up', 'no']);
});

/** A parent of its own that starts one child, says both numbers, and stays. */
async function parentWithChild(file: string): Promise<{ parent: number; child: number; watcher: number }> {
  const sibling = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { superviseProcess } = await import(${sibling('./supervise.ts')});
    const { watcherPid } = await import(${sibling('./watch.ts')});
    const child = await superviseProcess(${JSON.stringify({ ...spec(forever), pidFile: file })});
    console.log(JSON.stringify({ parent: process.pid, child: child.pid, watcher: watcherPid() }));
    ${forever}`;
  const resolver = `data:text/javascript,${encodeURIComponent(
    "export const resolve = (s, c, next) => next(s.startsWith('.') ? s.replace(/[.]js$/, '.ts') : s, c);",
  )}`;
  const args = [
    '--import',
    `data:text/javascript,import{register}from'node:module';register(${JSON.stringify(resolver)})`,
  ];
  const parent = spawn(process.execPath, [...args, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = await new Promise<string>((resolve, reject) => {
    parent.stdout.once('data', (text) => resolve(String(text)));
    parent.once('exit', (code) => reject(new Error(`the parent ended with ${code}`)));
  });
  return JSON.parse(printed);
}

test('a child ends when its parent is killed', async () => {
  const { parent, child } = await parentWithChild(join(dir, 'orphan-1.json'));
  expect(gone(child)).toBe(false);
  process.kill(parent, 'SIGKILL');
  await until(() => gone(child));
});

test('a child whose parent and watcher are both killed is stopped by the next start', async () => {
  const file = join(dir, 'orphan-2.json');
  const { parent, child, watcher } = await parentWithChild(file);
  process.kill(watcher, 'SIGKILL');
  process.kill(parent, 'SIGKILL');
  await until(() => gone(parent));
  expect(gone(child)).toBe(false);
  const next = await superviseProcess({ ...spec(forever), pidFile: file });
  expect(gone(child)).toBe(true);
  await next.stop();
  expect(existsSync(file)).toBe(false);
});

test('a recorded number that another process has by now is left alone', async () => {
  const child = await superviseProcess(spec(forever));
  const file = join(dir, 'reused.json');
  recordProcess(file, child.pid);
  const record = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...record, born: 'long ago', parentBorn: 'long ago' }));
  expect(await stopOrphan(file, 'it')).toBe(false);
  expect(gone(child.pid)).toBe(false);
  await child.stop();
});

test('under one lock, one runs at a time, and the lock of a dead process is taken over', async () => {
  const file = join(dir, 'lock');
  const dead = await superviseProcess(spec(''));
  await dead.exited;
  writeFileSync(file, String(dead.pid));
  let inside = 0;
  let most = 0;
  const enter = () =>
    underLock(file, async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    });
  await Promise.all([enter(), enter(), enter()]);
  expect(most).toBe(1);
  expect(existsSync(file)).toBe(false);
});

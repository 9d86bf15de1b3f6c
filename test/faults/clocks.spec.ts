import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { DataOf, Service } from '@countersign/contracts';
import { workspaceRoot } from '@countersign/local';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { company } from '../flows/signals.js';
import { type Started, start } from '../flows/started.js';

/* Real processes whose wall clocks are set while they run, or that stand still for longer than state may be old. */

const judge = 'guardrail-validator';
const executor = 'action-executor';

let started: Started;
let visitor: Visitor;
let folder = '';
const clockFile = (name: Service): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-clocks-'));
  const preload = pathToFileURL(join(workspaceRoot, 'test/faults/set-clock.mjs')).href;
  const clock = (name: Service) => ({ NODE_OPTIONS: `--import ${preload}`, CLOCK_AHEAD_FILE: clockFile(name) });
  started = await start({ more: { [judge]: clock(judge), [executor]: clock(executor) } });
  visitor = await visit({ home: started.home, run: started.running.run });
});
afterEach(() => {
  for (const name of [judge, executor] as const) setClock(name, 0);
});
afterAll(async () => {
  await visitor?.leave();
  await started?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const signalTo = (name: Service, signal: NodeJS.Signals): void => {
  process.kill(started.running.services.get(name)?.pid ?? 0, signal);
};
const setClock = (name: Service, seconds: number): void => {
  writeFileSync(clockFile(name), String(seconds * 1000));
  signalTo(name, 'SIGUSR2');
};
const health = async (name: Service): Promise<{ status: string; checks: Record<string, unknown> }> => {
  const response = await fetch(`${visitor.run.http[name]}/health`);
  return (await response.json()) as { status: string; checks: Record<string, unknown> };
};
/** A company of which much is known, and that has just compared: its signals lead to permits. */
async function surge(): Promise<string> {
  const of = company(`clock-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', of.known());
  await visitor.accepted('website', of.compare());
  return of.id;
}
const approved = (account: string) => visitor.of('ActionApproved', (a) => a.action.accountId === account);
const ends = (account: string): DataOf<'ActionSettled'>[] => {
  const permits = new Set(approved(account).map((a) => a.permitId));
  return visitor.of('ActionSettled', (s) => permits.has(s.permitId));
};
/** Waits until the first permits of the company are there; the messages of its enrolments come later. */
const permitsOf = (account: string) => visitor.until('permits', () => approved(account).length >= 2);
/** Waits until each has an end, and more than one does. */
const allExecuted = async (account: string): Promise<void> => {
  await visitor.until(
    () => `permits of ${account} to end: ${ends(account).length} of ${approved(account).length}`,
    () => ends(account).length >= 2 && ends(account).length === approved(account).length,
  );
  expect(ends(account).map((s) => [s.outcome, s.reason?.code])).toEqual(
    ends(account).map(() => ['executed', undefined]),
  );
};
const violations = async (): Promise<readonly unknown[]> =>
  (await visitor.answer<{ violations: readonly unknown[] }>('audit', 'invariants')).violations;

test.each([3_600, -3_600])(
  'an executor whose clock is set by %i s runs nothing, refuses nothing, says so, and goes on when it is right',
  async (seconds) => {
    setClock(executor, seconds);
    const account = await surge();
    await permitsOf(account);
    const says = `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the database`;
    await visitor.until('health to say so', async () => String((await health(executor)).checks.clock).includes(says));
    expect((await health(executor)).status).toBe('degraded');
    await sleep(3_000);
    expect(ends(account)).toEqual([]);
    setClock(executor, 0);
    await allExecuted(account);
    await visitor.until('health to be ok', async () => (await health(executor)).status === 'ok');
    expect(await violations()).toEqual([]);
  },
);

test.each([3_600, -3_600])(
  'a validator whose clock is set by %i s judges nothing, and goes on when it is right',
  async (seconds) => {
    setClock(judge, seconds);
    const account = await surge();
    await visitor.until(
      'proposals',
      () => visitor.of('ActionProposed', (p) => p.action.accountId === account).length > 0,
    );
    await visitor.until('health to say so', async () => /database/.test(String((await health(judge)).checks.clock)));
    await sleep(3_000);
    expect(approved(account)).toEqual([]);
    setClock(judge, 0);
    await allExecuted(account);
    expect(visitor.of('ActionRefused', (r) => r.agent === 'sequencing-agent')).toEqual([]);
  },
);

test('an executor that stands still for 14 s refuses nothing that was due meanwhile', async () => {
  signalTo(executor, 'SIGSTOP');
  const account = await surge();
  try {
    await permitsOf(account);
    await sleep(14_000);
  } finally {
    signalTo(executor, 'SIGCONT');
  }
  await allExecuted(account);
});

test('while its reading of state stands still, and its clock was set back, nothing runs that was stopped; then all of it is refused', async () => {
  signalTo(executor, 'SIGSTOP');
  const account = await surge();
  await permitsOf(account);
  const client = new pg.Client({ connectionString: visitor.run.database });
  await client.connect();
  try {
    await client.query('BEGIN');
    // What is read cannot be noted: the reading stands where it is.
    await client.query('LOCK TABLE action_executor.state_positions IN EXCLUSIVE MODE');
    expect(await visitor.cli('stop', '--all', '--reason', 'a test')).toMatchObject({ code: 0 });
    setClock(executor, -60);
    signalTo(executor, 'SIGCONT');
    // Other topics may have been stale before, and are read again meanwhile: this one cannot be.
    await visitor.until('health to name the controls', async () => {
      const { status, checks } = await health(executor);
      return status === 'degraded' && 'controls.v1' in ((checks.stale ?? {}) as object);
    });
    // With the clock right again only the age of the state is left to hold them.
    setClock(executor, 0);
    await sleep(5_000);
    expect(ends(account)).toEqual([]);
    await client.query('ROLLBACK');
  } finally {
    signalTo(executor, 'SIGCONT');
    await client.end();
  }
  await visitor.until('permits to end', () => ends(account).length === approved(account).length);
  expect(new Set(ends(account).map((s) => `${s.outcome} ${s.reason?.code}`))).toEqual(new Set(['refused stopped']));
  expect(await violations()).toEqual([]);
});

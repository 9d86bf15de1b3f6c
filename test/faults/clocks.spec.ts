import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { DataOf, Service } from '@countersign/contracts';
import { workspaceRoot } from '@countersign/servers';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { company } from '../flows/signals.js';
import { routeFirst, type Started, start } from '../flows/started.js';
import { type Receiver, receiver } from './receiver.js';

/*
 * Real processes whose wall clocks are set while they run, that stand still for longer than state may be old, or whose database or
 * connected system does not do what it always did.
 */

const judge = 'guardrail-validator';
const executor = 'action-executor';

let started: Started;
let visitor: Visitor;
let folder = '';
let hook: Receiver;
/** Their tasks go to it. */
const hooked = ['held-silent', 'held-again', 'held-gone'] as const;
const clockFile = (name: Service): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-clocks-'));
  const preload = pathToFileURL(join(workspaceRoot, 'test/faults/set-clock.mjs')).href;
  const clock = (name: Service) => ({ NODE_OPTIONS: `--import ${preload}`, CLOCK_AHEAD_FILE: clockFile(name) });
  hook = await receiver();
  const calls = { CONNECTORS_FILE: hook.connectorsFile, CALL_TRIES: '5', CALL_BACKOFF_MS: '300' };
  started = await start({ more: { [judge]: clock(judge), [executor]: { ...clock(executor), ...calls } } }, (config) =>
    routeFirst(config, [{ kinds: ['crm.create_task'], accounts: hooked, executor, connector: 'webhook' }]),
  );
  visitor = await visit({ home: started.home, ...started.running });
});
afterEach(() => {
  for (const name of [judge, executor] as const) setClock(name, 0);
});
afterAll(async () => {
  await visitor?.leave();
  await started?.stop();
  await hook?.close();
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
  const response = await fetch(`${visitor.run.http[name]}/health`, {
    headers: { authorization: `Bearer ${visitor.secrets.readToken}` },
  });
  return (await response.json()) as { status: string; checks: Record<string, unknown> };
};
/** A company of which much is known, and that has just compared: its signals lead to permits. */
async function surge(id = `clock-${randomUUID().slice(0, 8)}`): Promise<string> {
  const firm = company(id);
  await visitor.accepted('crm', firm.known());
  await visitor.accepted('website', firm.compare());
  return firm.id;
}
const approved = (account: string) => visitor.eventsOf('ActionApproved', (a) => a.action.accountId === account);
const ends = (account: string): DataOf<'ActionSettled'>[] => {
  const permits = new Set(approved(account).map((a) => a.permitId));
  return visitor.eventsOf('ActionSettled', (s) => permits.has(s.permitId));
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
    const detail = `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the database`;
    await visitor.until('health to say so', async () => String((await health(executor)).checks.clock).includes(detail));
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
      () => visitor.eventsOf('ActionProposed', (p) => p.action.accountId === account).length > 0,
    );
    await visitor.until('health to say so', async () => /database/.test(String((await health(judge)).checks.clock)));
    await sleep(3_000);
    expect(approved(account)).toEqual([]);
    setClock(judge, 0);
    await allExecuted(account);
    expect(visitor.eventsOf('ActionRefused', (r) => r.agent === 'sequencing-agent')).toEqual([]);
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

test('while the database ends transactions for their length no event becomes a dead letter, health names the code, and work goes on afterwards', async () => {
  const roles = [judge, executor].map((name) => name.replaceAll('-', '_'));
  const client = new pg.Client({ connectionString: visitor.superuserUrl });
  await client.connect();
  const limit = async (set: string): Promise<void> => {
    for (const role of roles) await client.query(`ALTER ROLE ${role} ${set}`);
    // Whoever is connected keeps what was set when they came.
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)', [roles]);
  };
  const refused = (): number =>
    (started.running.services.get(judge)?.lastLines(1_000) ?? []).filter((line) => /paused for.*25P04/.test(line))
      .length;
  let account: string;
  try {
    await limit("SET transaction_timeout = '1ms'");
    account = await surge();
    await visitor.until('health to name the code', async () =>
      JSON.stringify((await health(judge)).checks.paused ?? '').includes('25P04'),
    );
    // More often than an event is tried that fails by its own fault.
    await visitor.until('proposals to come again', () => refused() > 5);
  } finally {
    await limit('RESET transaction_timeout');
    await client.end();
  }
  await allExecuted(account);
  expect(visitor.eventsOf('DeadLetter')).toEqual([]);
  expect(await violations()).toEqual([]);
});

test('a connected system that goes silent is named by health and holds up nobody else; nothing is said to be called that was not sent', async () => {
  const [silent, again, gone] = hooked;
  const endOf = (account: string) => {
    const permits = approved(account).filter((a) => a.action.kind === 'crm.create_task');
    return visitor.until(`the task of ${account} to end`, () =>
      visitor.eventsOf('ActionSettled', (s) => s.permitId === permits[0]?.permitId).at(0),
    );
  };
  const taskOf = async (account: string) => {
    await surge(account);
    await visitor.until('its permit', () => approved(account).some((a) => a.action.kind === 'crm.create_task'));
  };
  const calls = (account: string) => hook.calls.filter((c) => c.account === account).length;
  const connectors = async () => (await health(executor)).checks.connectors;

  hook.silent = true;
  await taskOf(silent);
  await visitor.until('health to name it', async () => 'webhook' in (((await connectors()) ?? {}) as object));
  expect((await health(executor)).status).toBe('degraded');
  await visitor.until(
    'the others to be executed meanwhile',
    () => ends(silent).filter((s) => s.outcome === 'executed' && s.connector !== 'webhook').length >= 3,
  );
  expect(await endOf(silent)).toMatchObject({ outcome: 'unresolved', reason: { code: 'no-answer' } });
  expect(calls(silent)).toBe(1);
  expect(hook.effects.size).toBe(0);

  hook.silent = false;
  await taskOf(again);
  expect(await endOf(again)).toMatchObject({ outcome: 'executed' });
  expect([...hook.effects.values()]).toEqual([1]);
  await visitor.until('health to be ok', async () => (await health(executor)).status === 'ok');

  const before = hook.calls.length;
  await hook.close();
  await taskOf(gone);
  expect(await endOf(gone)).toMatchObject({ outcome: 'failed', reason: { code: 'not-sent' } });
  expect(hook.calls).toHaveLength(before);
  expect(await violations()).toEqual([]);
});

test('while its reading of state stands still, and its clock was set back, nothing runs that was stopped; then all of it is refused', async () => {
  signalTo(executor, 'SIGSTOP');
  const account = await surge();
  await permitsOf(account);
  const client = new pg.Client({ connectionString: visitor.superuserUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    // What is read cannot be noted: the reading stands where it is.
    await client.query('LOCK TABLE action_executor.state_positions IN EXCLUSIVE MODE');
    // It stands; what cannot be said yet is that the executor goes by it.
    expect(await visitor.cli('stop', '--all', '--reason', 'a test')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/not confirmed.*action-executor/i),
    });
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

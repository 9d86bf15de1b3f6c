import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Service, services } from '@countersign/contracts';
import { type SupervisedProcess, workspaceRoot } from '@countersign/servers';
import { chance } from '@countersign/testing/chance';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../flows/installation.js';
import { missing, unusual } from './ends.js';
import { follow, type Ledger, until } from './ledger.js';
import { manners, type Receiver, receiver } from './receiver.js';
import { print, printRecoveries, type Recovery } from './recoveries.js';
import { seedOf } from './seed.js';
import { type Site, site } from './site.js';
import { begin, type Stream } from './stream.js';

/*
 * Real processes, a stream of surges that never pauses, and one fault after the other. Whatever is left to chance comes from
 * FAULTS_SEED. What must hold is asked at the end, once, of everything that was begun.
 */

const seed = seedOf(process.env);
const dice = chance(seed);
const recoveries: Recovery[] = [];
/** Accounts whose task for the owner goes to the webhook. */
const hooked = manners.flatMap((manner) => [`${manner}-1`, `${manner}-2`]);

let hook: Receiver;
let at: Site;
let ledger: Ledger;
let stream: Stream;
let failed: { name: string; lines: string[] } | undefined;

beforeAll(async () => {
  print(`faults: FAULTS_SEED=${seed}`);
  hook = await receiver();
  at = await site(hooked, hook.connectorsFile);
  void at.running.failed.then((failure) => {
    failed = failure;
  });
  ledger = await follow(at.running);
  stream = begin(at.running, ledger, { everyMs: 600, ended: (surge) => missing(ledger, surge) === undefined });
  await until(
    () => 'actions to be under way',
    () => ledger.firstOf('action-executor', 0),
  );
});
afterAll(async () => {
  printRecoveries(seed, recoveries);
  await stream?.close();
  await ledger?.stop();
  await at?.stop();
  await hook?.close();
});

/** Notes how long after `since` a service let its first new event through. */
async function flowsAgain(fault: string, service: Service, since: number): Promise<void> {
  const first = await until(
    () => `${service} to let something through again: ${fault}`,
    () => ledger.firstOf(service, since),
  );
  recovered({ fault, service, ms: first - since });
}

const recovered = (recovery: Recovery): void => {
  recoveries.push(recovery);
  print(`faults: ${recovery.service} after ${recovery.ms} ms: ${recovery.fault}`);
};

/** Notes how long after `since` a service had dealt with accounts whose signals came with the fault. */
async function allFlowAgain(
  fault: string,
  service: Service,
  since: number,
  accounts: readonly string[],
): Promise<void> {
  // The record and the console work for no account.
  if (service === 'audit-recorder' || service === 'console') return flowsAgain(fault, service, since);
  const last = await until(
    () => `${service} to have dealt with ${accounts.join(', ')}: ${fault}`,
    () => ledger.through(service, accounts),
  );
  recovered({ fault, service, ms: Math.max(0, last - since) });
}

const soon = (): Promise<void> => sleep(dice.below(1_500));

/** Of a surge: three enrolments, three messages and a task for the owner. */
const actionsOfSurge = 7;
const owed = (): number =>
  stream.surges.reduce((sum, { account }) => sum + Math.max(0, actionsOfSurge - ledger.story(account).settled.size), 0);

/** A few hundred actions are on their way, and then comes a moment that chance picks. */
async function underLoad(fault: string): Promise<void> {
  stream.burst(Math.max(0, 45 - stream.open()));
  await soon();
  print(`faults: ${owed()} actions on their way: ${fault}`);
}

test.each(dice.shuffled(services))('%s is killed in the middle of its work and comes back', async (name) => {
  await underLoad(`${name} is killed`);
  await at.first(name).kill();
  // The steady stream pauses while much is open; there must be something to do for whoever comes back.
  stream.burst(2);
  const spawned = Date.now();
  await at.running.restart(name);
  await flowsAgain('killed', name, spawned);
});

const pairs = dice.shuffled(services).reduce<Service[][]>((found, name, n) => {
  if (n % 2 === 0) found.push([name]);
  else found.at(-1)?.push(name);
  return found;
}, []);

test.each(pairs)('%s and %s get a second instance each, share the work, and lose it to a kill', async (...names) => {
  const during = stream.burst(3);
  const seconds = await Promise.all(names.map((name) => at.second(name)));
  const joined = Date.now();
  during.push(...stream.burst(3));
  await Promise.all(names.map((name) => allFlowAgain('a second instance joined', name, joined, during)));
  const before = stream.burst(4);
  await underLoad(`one of two of ${names.join(' and ')} is killed`);
  await Promise.all(seconds.map((second) => second.kill()));
  const killed = Date.now();
  const after = stream.burst(4);
  await Promise.all(names.map((name) => allFlowAgain('one of two is killed', name, killed, [...before, ...after])));
});

test('one of two instances is frozen past its session, the other takes over, and the frozen one does no harm when it wakes', async () => {
  const names = ['orchestrator', 'guardrail-validator', 'action-executor'] as const;
  const seconds = await Promise.all(names.map((name) => at.second(name)));
  const before = stream.burst(6);
  await underLoad('one of two is frozen');
  const frozen = names.map((name, n) => dice.pick([at.first(name), seconds[n] as SupervisedProcess]));
  for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
  const stopped = Date.now();
  try {
    const after = stream.burst(4);
    await Promise.all(names.map((name) => allFlowAgain('one of two is frozen', name, stopped, [...before, ...after])));
  } finally {
    for (const { pid } of frozen) process.kill(pid, 'SIGCONT');
  }
  const woken = Date.now();
  const then = stream.burst(4);
  await Promise.all(names.map((name) => allFlowAgain('the frozen one wakes', name, woken, then)));
  await Promise.all(seconds.map((second) => second.kill()));
});

test('the broker is killed and comes back: nobody ends, and everything flows again', async () => {
  await underLoad('the broker is killed');
  await at.broker.kill();
  await soon();
  const back = await at.broker.back();
  stream.burst(2);
  await Promise.all(services.map((name) => flowsAgain('the broker is killed', name, back)));
});

test('the database is killed and comes back: nobody ends, and everything flows again', async () => {
  await underLoad('the database is killed');
  await at.database.kill();
  await soon();
  const back = await at.database.back();
  stream.burst(2);
  await Promise.all(services.map((name) => flowsAgain('the database is killed', name, back)));
});

test('the sandbox systems are killed and come back: nobody ends, and their permits are executed', async () => {
  await underLoad('the sandbox systems are killed');
  await at.first('sandbox-systems').kill();
  await soon();
  stream.burst(2);
  const spawned = Date.now();
  await at.running.restart('sandbox-systems');
  await flowsAgain('the sandbox systems are killed', 'action-executor', spawned);
});

test('services that are asked to end drain and leave in good order; none ended before without being asked', async () => {
  expect(failed).toBeUndefined();
  for (const name of dice.shuffled([
    'signal-ingestion',
    'orchestrator',
    'sequencing-agent',
    'guardrail-validator',
  ] as const)) {
    expect(await at.first(name).stop(60_000)).toEqual({ code: 0, signal: null });
    await at.running.restart(name);
  }
});

test('the executor is killed while systems hold its calls, and others answer late, twice or never', async () => {
  for (const account of hooked) stream.surge(account);
  await until(
    () => 'calls to be held',
    () => hook.holding('held').length > 0 && hook.holding('lost').length > 0,
    5,
  );
  await at.first('action-executor').kill();
  const spawned = Date.now();
  await at.running.restart('action-executor');
  await flowsAgain('killed with calls out', 'action-executor', spawned);
});

test('all that was begun has ended, and each effect is there once', async () => {
  await stream.end();
  print(`faults: ${stream.surges.length} surges, of which ${stream.open()} are under way`);
  const open = () => stream.surges.filter((surge) => missing(ledger, surge) !== undefined);
  await until(
    () =>
      `${open().length} surges to end: ${open()
        .slice(0, 5)
        .map((s) => `${s.account} waits for ${missing(ledger, s)}`)}`,
    () => open().length === 0,
    250,
  );
  expect(ledger.twice).toEqual([]);
  expect(ledger.deadLetters).toEqual([]);
  for (const { account } of stream.surges) expect(ledger.story(account).tasks.size).toBe(2);
  for (const scope of stream.stops) expect([scope, ledger.controls.get(scope)?.length]).toEqual([scope, 1]);

  const executed = (kind: string) =>
    stream.surges.flatMap(({ account }) => {
      const { approved, settled } = ledger.story(account);
      return [...approved.values()].filter(
        (a) => a.action.kind === kind && settled.get(a.permitId)?.outcome === 'executed',
      );
    });
  const held = await tables();
  const contacts = (kind: string) => executed(kind).map((a) => String(a.action.payload.contactId));
  expect(held.messages).toEqual(contacts('email.send').sort());
  expect(held.enrolments).toEqual(contacts('sequence.enroll').sort());
  const tasks = executed('crm.create_task').filter((a) => a.connector === 'crm');
  expect(held.tasks).toEqual(tasks.map((a) => a.action.accountId).sort());
  print(
    `faults: ${stream.surges.length} surges, ${held.messages.length + held.enrolments.length + held.tasks.length} effects in the sandboxes, ` +
      `${ledger.events.length} events; other ends: ${JSON.stringify(unusual(ledger, stream.surges))}`,
  );
});

test('a system that answers late, twice or never got each call under one key with the same bytes, and had one effect of it or none', async () => {
  for (const account of hooked) {
    const manner = account.split('-')[0];
    const { approved, settled } = ledger.story(account);
    const permit = [...approved.values()].find((a) => a.connector === 'webhook');
    const outcome = settled.get(permit?.permitId ?? '')?.outcome;
    const calls = hook.calls.filter((call) => call.account === account);
    expect(new Set(calls.map(({ key, body }) => `${key} ${body}`)).size).toBe(1);
    expect(calls[0]?.key).toBe(permit?.actionId);
    const effects = hook.effects.get(permit?.actionId ?? '') ?? 0;
    expect([account, outcome, effects]).toEqual(
      manner === 'never' ? [account, 'unresolved', 0] : [account, 'executed', 1],
    );
    if (manner === 'twice' || manner === 'lost') expect(calls.length).toBeGreaterThan(1);
  }
});

test('countersign audit invariants finds no violation, and nothing waits but what a person must decide', async () => {
  const audit = await runProgram(
    join(workspaceRoot, 'apps/cli/bin/countersign.mjs'),
    ['audit', 'invariants', '--json'],
    { COUNTERSIGN_HOME: at.home },
  );
  const report = JSON.parse(audit.out) as {
    violations: readonly object[];
    waiting: readonly { what: string; for: string }[];
    counts: Readonly<Record<string, number>>;
  };
  print(`faults: ${JSON.stringify(report.counts)}`);
  expect(report.violations).toEqual([]);
  const never = hooked.filter((account) => account.startsWith('never-'));
  expect(report.waiting.map((w) => `${w.what} for ${w.for}`)).toEqual(
    never.map(() => 'unresolved permit for a person to decide'),
  );
  expect(audit.code, audit.err).toBe(0);
});

/** What the sandbox systems hold, by contact or account. */
async function tables(): Promise<Record<'messages' | 'enrolments' | 'tasks', string[]>> {
  const client = new pg.Client({ connectionString: at.running.superuserUrl });
  await client.connect();
  const column = async (sql: string) => (await client.query<{ v: string }>(sql)).rows.map((row) => row.v).sort();
  try {
    return {
      messages: await column('SELECT contact_id AS v FROM sandbox_systems.messages'),
      enrolments: await column('SELECT contact_id AS v FROM sandbox_systems.enrolments'),
      tasks: await column('SELECT account_id AS v FROM sandbox_systems.tasks'),
    };
  } finally {
    await client.end();
  }
}

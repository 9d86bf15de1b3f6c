import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DataOf } from '@countersign/contracts';
import { startPostgres } from '@countersign/local';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from './installation.js';
import { company } from './signals.js';
import { type Started, start } from './started.js';

/* An installation of its own: what is broken here is nobody else's. Each fault comes while events are under way. */

let started: Started;
let visitor: Visitor;
let again: { stop(): Promise<void> } | undefined;
beforeAll(async () => {
  started = await start();
  visitor = await visit({ home: started.home, run: started.running.run });
});
afterAll(async () => {
  await visitor?.leave();
  // The services drain into the database, so it goes last.
  await started?.running.stop();
  await again?.stop();
  await started?.stop();
});

/** As many surges as told, all at once, without waiting for anything. */
async function surges(count: number): Promise<readonly string[]> {
  const companies = Array.from({ length: count }, () => company(`c-${randomUUID().slice(0, 8)}`));
  await visitor.accepted(
    'crm',
    companies.flatMap((c) => c.known()),
  );
  await visitor.publish(
    'website',
    companies.flatMap((c) => c.compare()),
  );
  return companies.map((c) => c.id);
}

/** The one thing that must exist for each `key`, and nothing else. */
const once = <T>(found: readonly T[], key: (one: T) => string): void => {
  expect(new Set(found.map(key)).size).toBe(found.length);
};

const ofAccounts = (accounts: readonly string[]) => {
  const mine = (accountId: string | undefined) => accountId !== undefined && accounts.includes(accountId);
  const tasks = visitor.of('TaskAssigned', (t) => mine(t.accountId));
  const taskIds = new Set(tasks.map((t) => t.taskId));
  const settledTasks = visitor.of('TaskSettled', (s) => taskIds.has(s.taskId));
  const proposals = visitor.of('ActionProposed', (p) => taskIds.has(p.taskId));
  const approved = visitor.of('ActionApproved', (a) => taskIds.has(a.taskId));
  const refused = visitor.of('ActionRefused', (r) => taskIds.has(r.taskId));
  const permits = new Set(approved.map((a) => a.permitId));
  const settled = visitor.of('ActionSettled', (s) => permits.has(s.permitId));
  return { tasks, settledTasks, proposals, approved, refused, settled };
};

/**
 * Everything that follows from the surges is done: two tasks each, three enrolments and three messages, a task for the owner.
 * Then each was done once: by the topics and by what the connected systems hold.
 */
async function eachOnce(accounts: readonly string[]): Promise<void> {
  const executed = (of: ReturnType<typeof ofAccounts>, kind: string) => {
    const ids = new Set(of.settled.filter((s) => s.outcome === 'executed').map((s) => s.permitId));
    return of.approved.filter((a) => a.action.kind === kind && ids.has(a.permitId));
  };
  const soFar = () => {
    const { tasks, settledTasks, proposals, approved, refused, settled } = ofAccounts(accounts);
    const outcomes = settled.map((s) => s.outcome).filter((outcome) => outcome !== 'executed');
    return `${accounts.length} surges, ${tasks.length} tasks (${settledTasks.length} settled), ${proposals.length} proposals, ${approved.length} approved, ${refused.length} refused, ${settled.length} settled (${outcomes.join(', ')})`;
  };
  const of = await visitor.until(
    () => `every action of every surge to be executed: ${soFar()}`,
    () => {
      const found = ofAccounts(accounts);
      const done =
        found.settledTasks.length >= 2 * accounts.length &&
        executed(found, 'email.send').length >= 3 * accounts.length &&
        found.settled.length >= found.approved.length;
      return done && found;
    },
  );
  expect(of.tasks).toHaveLength(2 * accounts.length);
  once(of.settledTasks, (t) => t.taskId);
  once(of.proposals, (p) => p.proposalId);
  once([...of.approved, ...of.refused], (v) => v.proposalId);
  once(of.settled, (s) => s.permitId);
  expect(of.settled.filter((s) => s.outcome !== 'executed')).toEqual([]);

  const contacts = new Set(executed(of, 'email.send').map((a) => String(a.action.payload.contactId)));
  expect(contacts.size).toBe(3 * accounts.length);
  const sandbox = await tables();
  expect(sandbox.messages.filter((m) => contacts.has(m)).sort()).toEqual([...contacts].sort());
  expect(sandbox.enrolments.filter((e) => contacts.has(e)).sort()).toEqual([...contacts].sort());
  expect(sandbox.tasks.filter((t) => accounts.includes(t)).sort()).toEqual([...accounts].sort());
  expect(visitor.of('DeadLetter')).toEqual([]);
}

/** What the sandbox systems hold, by contact or account. */
async function tables(): Promise<Record<'messages' | 'enrolments' | 'tasks', string[]>> {
  const client = new pg.Client({ connectionString: started.running.run.database });
  await client.connect();
  const column = async (sql: string) => (await client.query<{ v: string }>(sql)).rows.map((row) => row.v);
  try {
    return {
      messages: await column('SELECT contact_id AS v FROM action_executor.sandbox_messages'),
      enrolments: await column('SELECT contact_id AS v FROM action_executor.sandbox_enrolments'),
      tasks: await column('SELECT account_id AS v FROM action_executor.sandbox_tasks'),
    };
  } finally {
    await client.end();
  }
}

/** Waits until a stream is well under way. */
const underWay = (accounts: readonly string[], of: (found: ReturnType<typeof ofAccounts>) => readonly unknown[]) =>
  visitor.until('events to be under way', () => of(ofAccounts(accounts)).length > 0);

test('the executor is killed while actions are under way, comes back, and each action is executed once', async () => {
  const { running } = started;
  const accounts = await surges(5);
  await underWay(accounts, ({ approved }) => approved);
  await running.services.get('action-executor')?.kill();
  await running.restart('action-executor');
  // Once more, while the messages wait for their time.
  await underWay(accounts, ({ settled }) => settled);
  await running.services.get('action-executor')?.kill();
  await running.restart('action-executor');
  await eachOnce(accounts);
});

test.each(['orchestrator', 'guardrail-validator'] as const)(
  'two instances of %s share the work through a rebalance, one is killed, and each event has its effect once',
  async (name) => {
    const { running } = started;
    const before = await surges(2);
    const second = await running.restart(name, { instance: 1 });
    const during = await surges(3);
    await underWay(before, ({ tasks }) => tasks);
    await second.kill();
    const after = await surges(1);
    await eachOnce([...before, ...during, ...after]);
  },
);

test('a service that is asked to end drains; what it had not handled is handled when it is back', async () => {
  const { running } = started;
  const accounts = await surges(4);
  const names = ['signal-ingestion', 'orchestrator', 'sequencing-agent', 'guardrail-validator'] as const;
  for (const name of names) {
    const exit = await running.services.get(name)?.stop(60_000);
    expect(exit).toEqual({ code: 0, signal: null });
    await running.restart(name);
  }
  await eachOnce(accounts);
});

test('the database is lost while events come in: partitions wait, go on when it is back, and skip nothing', async () => {
  const { running, home } = started;
  const companies = Array.from({ length: 3 }, () => company(`c-${randomUUID().slice(0, 8)}`));
  await visitor.accepted(
    'crm',
    companies.flatMap((c) => c.known()),
  );
  await running.postgres?.kill();
  // Taken by the broker: 202 does not need the database.
  const signals = companies.flatMap((c) => c.compare());
  await visitor.publish('website', signals);
  const accepted = () => {
    const ids = new Set(signals.map((s) => s.id));
    return visitor.of('SignalAccepted', (a: DataOf<'SignalAccepted'>) => ids.has(a.signalId)).length;
  };
  expect(accepted()).toBe(0);
  again = await startPostgres({ dir: join(home, 'postgres'), port: Number(new URL(running.run.database).port) });
  await visitor.until('every signal to be accepted', () => accepted() === signals.length);
  await eachOnce(companies.map((c) => c.id));
  // None of the services ended: they waited.
  for (const [name, service] of running.services) {
    const state = await Promise.race([service.exited.then(() => 'ended'), Promise.resolve('runs')]);
    expect([name, state]).toEqual([name, 'runs']);
  }
});

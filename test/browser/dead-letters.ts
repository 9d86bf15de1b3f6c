import { randomUUID } from 'node:crypto';
import type { DataOf } from '@countersign/contracts';
import pg from 'pg';
import { expect } from 'vitest';
import type { Visitor } from '../flows/installation.js';
import { company } from '../flows/signals.js';

/** A task that its agent could not handle, because of a fault that is corrected by now. */
export interface Mended {
  readonly accountId: string;
  readonly taskId: string;
  readonly letter: DataOf<'DeadLetter'>;
}

/** This many tasks of the sequencing agent, each of another account and each a dead letter. */
export async function mendedTasks(visitor: Visitor, count: number): Promise<readonly Mended[]> {
  const companies = Array.from({ length: count }, () => company(`mended-${randomUUID().slice(0, 8)}`));
  await visitor.accepted(
    'crm',
    companies.flatMap(({ known }) => known()),
  );
  const mend = await breakFor(
    visitor,
    companies.map(({ id }) => id),
  );
  try {
    await visitor.accepted(
      'website',
      companies.flatMap(({ compare }) => compare()),
    );
    return await Promise.all(companies.map(({ id }) => deadTaskOf(visitor, id)));
  } finally {
    await mend();
  }
}

async function deadTaskOf(visitor: Visitor, accountId: string): Promise<Mended> {
  const { taskId } = await visitor.until(
    'its task',
    () => visitor.eventsOf('TaskAssigned', (t) => t.accountId === accountId && t.agent === 'sequencing-agent')[0],
  );
  const place = visitor.events.find((event) => event.type === 'TaskAssigned' && event.data.taskId === taskId);
  const letter = await visitor.until('its dead letter', () =>
    visitor
      .eventsOf('DeadLetter', (d) => d.service === 'sequencing-agent' && d.topic === 'tasks.assigned.v1')
      .find((d) => d.partition === place?.partition && d.offset === place?.offset),
  );
  expect(enrolments(visitor, accountId)).toEqual([]);
  return { accountId, taskId, letter };
}

/** A fault in the agent's database that stops every task of these accounts. The returned function corrects it. */
async function breakFor(visitor: Visitor, accountIds: readonly string[]): Promise<() => Promise<void>> {
  const database = new pg.Client({ connectionString: visitor.superuserUrl });
  await database.connect();
  const table = 'sequencing_agent.tasks';
  const broken = accountIds.map((id) => `'${id}'`).join(', ');
  await database.query(
    `ALTER TABLE ${table} ADD CONSTRAINT broken CHECK (task->>'accountId' NOT IN (${broken})) NOT VALID`,
  );
  return async () => {
    await database.query(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS broken`);
    await database.end();
  };
}

const enrolments = (visitor: Visitor, accountId: string) =>
  visitor.eventsOf(
    'ActionProposed',
    ({ action }) => action.accountId === accountId && action.kind === 'sequence.enroll',
  );

/** Three people compared, and each of them is enrolled: nothing is lost, and nothing is done twice. */
export async function expectHandledOnce(visitor: Visitor, { accountId, taskId }: Mended): Promise<void> {
  await visitor.until('an end of its task', () => visitor.eventsOf('TaskSettled', (s) => s.taskId === taskId).at(0));
  const found = () => enrolments(visitor, accountId);
  await visitor.until('three enrolments', () => found().length >= 3);
  expect(new Set(found().map(({ action }) => action.payload.contactId)).size).toBe(3);
  expect(found()).toHaveLength(3);
}

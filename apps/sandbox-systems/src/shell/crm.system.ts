import { type ActionKindName, derivedId, type PayloadOf } from '@countersign/contracts';
import type { Database, Reader, Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Answer, rejected } from '../core/answer.js';
import { ActionCall } from '../core/call.js';
import { DATABASE } from './database.js';
import type { Begun, System } from './systems.js';

/** The CRM: tasks for people, and which contacts are enrolled in which sequence. It sends nothing. */
@Injectable()
export class Crm implements System<ActionCall> {
  readonly name = 'crm';
  readonly takes = ActionCall;

  constructor(@Inject(DATABASE) private readonly db: Database) {}

  /** Each call is one statement. They are sent together, and the database runs them in order. */
  readonly carryOut = (calls: readonly Begun<ActionCall>[], tx: Tx): Promise<readonly Answer[]> =>
    Promise.all(calls.map(({ key, call }) => runCall(tx, call, key)));

  /** The newest thousand tasks. */
  tasks(): Promise<Record<string, unknown>[]> {
    return this.db.read(
      `SELECT task_id AS "taskId", account_id AS "accountId", contact_id AS "contactId", owner_id AS "ownerId", title, note,
              due_at AS "dueAt", created_at AS "createdAt" FROM tasks ORDER BY created_at DESC, task_id LIMIT 1000`,
    );
  }

  /** The newest thousand enrolments. */
  enrolments(): Promise<Record<string, unknown>[]> {
    return this.db.read(
      `SELECT contact_id AS "contactId", sequence_id AS "sequenceId", status, enrolment_id AS "enrolmentId",
              changed_at AS "changedAt" FROM enrolments ORDER BY changed_at DESC, contact_id, sequence_id LIMIT 1000`,
    );
  }
}

async function runCall(tx: Reader, call: ActionCall, key: string): Promise<Answer> {
  switch (call.kind as ActionKindName) {
    case 'crm.create_task':
      return createTask(tx, call, key);
    case 'sequence.enroll':
      return enroll(tx, call.payload as PayloadOf<'sequence.enroll'>, key);
    case 'sequence.stop':
      return stop(tx, call.payload as PayloadOf<'sequence.stop'>);
    default:
      return rejected('unknown-kind', `the CRM does not know ${call.kind}`);
  }
}

async function createTask(tx: Reader, call: ActionCall, key: string): Promise<Answer> {
  const { contactId, ownerId, title, note, dueAt } = call.payload as PayloadOf<'crm.create_task'>;
  const taskId = derivedId('sandbox-task', key);
  await tx.query(
    `INSERT INTO tasks (task_id, account_id, contact_id, owner_id, title, note, due_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [taskId, call.accountId ?? null, contactId ?? null, ownerId ?? null, title, note, dueAt],
  );
  return { outcome: 'done', reference: `task/${taskId}`, after: { status: 'open', dueAt } };
}

async function enroll(
  tx: Reader,
  { contactId, sequenceId }: PayloadOf<'sequence.enroll'>,
  key: string,
): Promise<Answer> {
  const fresh = await tx.query(
    `INSERT INTO enrolments (contact_id, sequence_id, status, enrolment_id) VALUES ($1, $2, 'active', $3)
     ON CONFLICT (contact_id, sequence_id) DO UPDATE SET status = 'active', enrolment_id = $3, changed_at = clock_timestamp()
       WHERE enrolments.status = 'stopped' RETURNING enrolment_id`,
    [contactId, sequenceId, key],
  );
  if (fresh.length === 0) return rejected('already-enrolled', `the contact is already enrolled in ${sequenceId}`);
  return { outcome: 'done', reference: `enrolment/${key}`, before: { enrolled: false }, after: { enrolled: true } };
}

async function stop(tx: Reader, { contactId, sequenceId }: PayloadOf<'sequence.stop'>): Promise<Answer> {
  const stopped = await tx.query<{ enrolment_id: string }>(
    `UPDATE enrolments SET status = 'stopped', changed_at = clock_timestamp()
     WHERE contact_id = $1 AND sequence_id = $2 AND status = 'active' RETURNING enrolment_id`,
    [contactId, sequenceId],
  );
  // Stopping a sequence that does not run is no failure: in both cases the contact gets nothing more.
  const enrolment = stopped[0]?.enrolment_id;
  return {
    outcome: 'done',
    reference: `enrolment/${enrolment ?? 'none'}`,
    before: { enrolled: enrolment !== undefined },
    after: { enrolled: false },
  };
}

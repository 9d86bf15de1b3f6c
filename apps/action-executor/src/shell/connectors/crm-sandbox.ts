import { type Action, type ActionKindName, derivedId, type PayloadOf } from '@countersign/contracts';
import type { ApprovedAction } from '@countersign/gate';
import { Inject, Injectable } from '@nestjs/common';
import { type Answer, type Found, rejected } from '../../core/answer.js';
import type { Connector } from '../connector.js';
import { Sandbox, type SandboxTx } from './sandbox.js';

/** The sandbox CRM: tasks for people, and who is enrolled in which sequence. It sends nothing. */
@Injectable()
export class CrmSandbox implements Connector {
  readonly name = 'crm';
  readonly timeoutMs = 5_000;

  constructor(@Inject(Sandbox) private readonly sandbox: Sandbox) {}

  call({ action }: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer> {
    return this.sandbox.once(this.name, key, signal, (tx) => {
      switch (action.kind as ActionKindName) {
        case 'crm.create_task':
          return createTask(tx, action, key);
        case 'sequence.enroll':
          return enroll(tx, action.payload as PayloadOf<'sequence.enroll'>, key);
        case 'sequence.stop':
          return stop(tx, action.payload as PayloadOf<'sequence.stop'>);
        default:
          return Promise.resolve(rejected('unknown-kind', `the CRM does not know ${action.kind}`));
      }
    });
  }

  find(key: string): Promise<Found> {
    return this.sandbox.find(this.name, key);
  }

  /** The newest thousand tasks. */
  tasks(): Promise<Record<string, unknown>[]> {
    return this.sandbox.query(
      `SELECT task_id AS "taskId", account_id AS "accountId", contact_id AS "contactId", owner_id AS "ownerId", title, note,
              due_at AS "dueAt", created_at AS "createdAt" FROM sandbox_tasks ORDER BY created_at DESC, task_id LIMIT 1000`,
    );
  }

  /** The newest thousand enrolments. */
  enrolments(): Promise<Record<string, unknown>[]> {
    return this.sandbox.query(
      `SELECT contact_id AS "contactId", sequence_id AS "sequenceId", status, enrolment_id AS "enrolmentId",
              changed_at AS "changedAt" FROM sandbox_enrolments ORDER BY changed_at DESC, contact_id, sequence_id LIMIT 1000`,
    );
  }
}

async function createTask(tx: SandboxTx, action: Action, key: string): Promise<Answer> {
  const { contactId, ownerId, title, note, dueAt } = action.payload as PayloadOf<'crm.create_task'>;
  const taskId = derivedId('sandbox-task', key);
  await tx.query(
    `INSERT INTO sandbox_tasks (task_id, account_id, contact_id, owner_id, title, note, due_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [taskId, action.accountId ?? null, contactId ?? null, ownerId ?? null, title, note, dueAt],
  );
  return { outcome: 'done', externalReference: `task/${taskId}`, after: { status: 'open', dueAt } };
}

async function enroll(
  tx: SandboxTx,
  { contactId, sequenceId }: PayloadOf<'sequence.enroll'>,
  key: string,
): Promise<Answer> {
  const fresh = await tx.query(
    `INSERT INTO sandbox_enrolments (contact_id, sequence_id, status, enrolment_id) VALUES ($1, $2, 'active', $3)
     ON CONFLICT (contact_id, sequence_id) DO UPDATE SET status = 'active', enrolment_id = $3, changed_at = clock_timestamp()
       WHERE sandbox_enrolments.status = 'stopped' RETURNING enrolment_id`,
    [contactId, sequenceId, key],
  );
  if (fresh.length === 0) return rejected('already-enrolled', `the contact is already enrolled in ${sequenceId}`);
  return {
    outcome: 'done',
    externalReference: `enrolment/${key}`,
    before: { enrolled: false },
    after: { enrolled: true },
  };
}

async function stop(tx: SandboxTx, { contactId, sequenceId }: PayloadOf<'sequence.stop'>): Promise<Answer> {
  const stopped = await tx.query<{ enrolment_id: string }>(
    `UPDATE sandbox_enrolments SET status = 'stopped', changed_at = clock_timestamp()
     WHERE contact_id = $1 AND sequence_id = $2 AND status = 'active' RETURNING enrolment_id`,
    [contactId, sequenceId],
  );
  // Stopping what does not run is no failure: the contact gets nothing more either way.
  const enrolment = stopped[0]?.enrolment_id;
  return {
    outcome: 'done',
    externalReference: `enrolment/${enrolment ?? 'none'}`,
    before: { enrolled: enrolment !== undefined },
    after: { enrolled: false },
  };
}

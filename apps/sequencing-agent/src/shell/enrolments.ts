import type { Tx } from '@countersign/runtime';
import type { Enrolment } from '../core/enrolment.js';

interface EnrolmentRow {
  enrolment_id: string;
  task_id: string;
  account_id: string | null;
  contact_id: string;
  sequence_id: string;
  state: Enrolment['state'];
}

/** Stores an enrolment that has begun; false where it is known already. */
export async function beginEnrolment(tx: Tx, enrolment: Enrolment, at: string): Promise<boolean> {
  const { enrolmentId, taskId, accountId, contactId, sequenceId } = enrolment;
  const rows = await tx.query(
    `INSERT INTO enrolments (enrolment_id, task_id, account_id, contact_id, sequence_id, state, started_at)
     VALUES ($1, $2, $3, $4, $5, 'running', $6) ON CONFLICT DO NOTHING RETURNING enrolment_id`,
    [enrolmentId, taskId, accountId, contactId, sequenceId, at],
  );
  return rows.length > 0;
}

/** Locks enrolments, in the order of their ids. */
export async function lockEnrolments(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, Enrolment>> {
  const rows = await tx.query<EnrolmentRow>(
    `SELECT enrolment_id, task_id, account_id, contact_id, sequence_id, state FROM enrolments
     WHERE enrolment_id = ANY($1) ORDER BY enrolment_id FOR UPDATE`,
    [ids],
  );
  return new Map(
    rows.map((row) => [
      row.enrolment_id,
      {
        enrolmentId: row.enrolment_id,
        taskId: row.task_id,
        accountId: row.account_id,
        contactId: row.contact_id,
        sequenceId: row.sequence_id,
        state: row.state,
      },
    ]),
  );
}

/** Ends running enrolments; one that has ended keeps its end. */
export async function endEnrolments(
  tx: Tx,
  ids: readonly string[],
  state: 'finished' | 'stopped' | 'closed',
  reason: string | null,
  at: string,
): Promise<void> {
  await tx.query(
    `UPDATE enrolments e SET state = $2, reason = $3, ended_at = $4
     FROM (SELECT enrolment_id FROM enrolments WHERE enrolment_id = ANY($1) ORDER BY enrolment_id FOR UPDATE) l
     WHERE e.enrolment_id = l.enrolment_id AND e.state IN ('running', 'finished')
       AND (e.state = 'running' OR $2 <> 'finished')`,
    [ids, state, reason, at],
  );
}

/** Running enrolments of a contact in a sequence. */
export async function enrolmentsOf(tx: Tx, contactId: string, sequenceId: string): Promise<readonly string[]> {
  const rows = await tx.query<{ enrolment_id: string }>(
    `SELECT enrolment_id FROM enrolments WHERE contact_id = $1 AND sequence_id = $2 AND state = 'running' ORDER BY enrolment_id`,
    [contactId, sequenceId],
  );
  return rows.map((row) => row.enrolment_id);
}

export async function countStep(tx: Tx, enrolmentId: string): Promise<void> {
  await tx.query('UPDATE enrolments SET steps_proposed = steps_proposed + 1 WHERE enrolment_id = $1', [enrolmentId]);
}

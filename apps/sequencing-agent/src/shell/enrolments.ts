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

/** Stores enrolments that have begun; returns those that were not known. */
export async function beginEnrolments(tx: Tx, enrolments: readonly Enrolment[], at: string): Promise<Set<string>> {
  const rows = await tx.query<{ enrolment_id: string }>(
    `INSERT INTO enrolments (enrolment_id, task_id, account_id, contact_id, sequence_id, state, started_at)
     SELECT id, task, account, contact, sequence, 'running', $6
     FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[]) AS n(id, task, account, contact, sequence)
     ORDER BY id ON CONFLICT DO NOTHING RETURNING enrolment_id`,
    [
      enrolments.map((e) => e.enrolmentId),
      enrolments.map((e) => e.taskId),
      enrolments.map((e) => e.accountId),
      enrolments.map((e) => e.contactId),
      enrolments.map((e) => e.sequenceId),
      at,
    ],
  );
  return new Set(rows.map((row) => row.enrolment_id));
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

/** Running enrolments of contacts in sequences. */
export async function runningEnrolments(
  tx: Tx,
  of: readonly { readonly contactId: string; readonly sequenceId: string }[],
): Promise<readonly { readonly enrolmentId: string; readonly contactId: string; readonly sequenceId: string }[]> {
  const rows = await tx.query<{ enrolment_id: string; contact_id: string; sequence_id: string }>(
    `SELECT DISTINCT e.enrolment_id, e.contact_id, e.sequence_id FROM enrolments e
     JOIN unnest($1::uuid[], $2::text[]) AS n(contact, sequence) ON e.contact_id = n.contact AND e.sequence_id = n.sequence
     WHERE e.state = 'running' ORDER BY e.enrolment_id`,
    [of.map((o) => o.contactId), of.map((o) => o.sequenceId)],
  );
  return rows.map((row) => ({
    enrolmentId: row.enrolment_id,
    contactId: row.contact_id,
    sequenceId: row.sequence_id,
  }));
}

export async function countStep(tx: Tx, enrolmentId: string): Promise<void> {
  await tx.query('UPDATE enrolments SET steps_proposed = steps_proposed + 1 WHERE enrolment_id = $1', [enrolmentId]);
}

import type { TaskAssigned } from '@countersign/contracts';
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

/** Stores enrolments that have begun. Returns those that are new. */
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

/** Locks enrolments in the order of their ids, and reads the tasks that they come from. */
export async function lockEnrolments(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly enrolment: Enrolment; readonly task: TaskAssigned }>> {
  const rows = await tx.query<EnrolmentRow & { task: TaskAssigned }>(
    `SELECT e.enrolment_id, e.task_id, e.account_id, e.contact_id, e.sequence_id, e.state, t.task
     FROM enrolments e JOIN tasks t ON t.task_id = e.task_id
     WHERE e.enrolment_id = ANY($1) ORDER BY e.enrolment_id FOR UPDATE OF e`,
    [ids],
  );
  return new Map(
    rows.map((row) => [
      row.enrolment_id,
      {
        task: row.task,
        enrolment: {
          enrolmentId: row.enrolment_id,
          taskId: row.task_id,
          accountId: row.account_id,
          contactId: row.contact_id,
          sequenceId: row.sequence_id,
          state: row.state,
        },
      },
    ]),
  );
}

/** Ends running enrolments; one that has ended keeps its end. */
export function endEnrolments(
  tx: Tx,
  ids: readonly string[],
  state: 'finished' | 'stopped' | 'closed',
  reason: string | null,
  at: string,
): void {
  if (ids.length === 0) return;
  tx.write(
    `UPDATE enrolments e SET state = $2, reason = $3, ended_at = $4
     FROM (SELECT enrolment_id FROM enrolments WHERE enrolment_id = ANY($1) ORDER BY enrolment_id FOR UPDATE) l
     WHERE e.enrolment_id = l.enrolment_id AND e.state IN ('running', 'finished')
       AND (e.state = 'running' OR $2 <> 'finished')`,
    [ids, state, reason, at],
  );
}

/** Closes enrolments, each with its reason. */
export function closeEnrolments(tx: Tx, closed: ReadonlyMap<string, string>, at: string): void {
  for (const [reason, entries] of Map.groupBy(closed, ([, reason]) => reason)) {
    const ids = entries.map(([enrolmentId]) => enrolmentId);
    endEnrolments(tx, ids, 'closed', reason, at);
  }
}

/** Running enrolments of contacts in sequences. */
export async function runningEnrolments(
  tx: Tx,
  pairs: readonly { readonly contactId: string; readonly sequenceId: string }[],
): Promise<readonly { readonly enrolmentId: string; readonly contactId: string; readonly sequenceId: string }[]> {
  const rows = await tx.query<{ enrolment_id: string; contact_id: string; sequence_id: string }>(
    `SELECT DISTINCT e.enrolment_id, e.contact_id, e.sequence_id FROM enrolments e
     JOIN unnest($1::uuid[], $2::text[]) AS n(contact, sequence) ON e.contact_id = n.contact AND e.sequence_id = n.sequence
     WHERE e.contact_id = ANY($1) AND e.state = 'running' ORDER BY e.enrolment_id`,
    [pairs.map((o) => o.contactId), pairs.map((o) => o.sequenceId)],
  );
  return rows.map((row) => ({
    enrolmentId: row.enrolment_id,
    contactId: row.contact_id,
    sequenceId: row.sequence_id,
  }));
}

/** Counts steps that were proposed, on rows that are locked. After its last step, a running enrolment is finished. */
export function countSteps(
  tx: Tx,
  proposed: ReadonlyMap<string, { readonly steps: number; readonly last: boolean }>,
  at: string,
): void {
  if (proposed.size === 0) return;
  tx.write(
    `UPDATE enrolments e SET steps_proposed = e.steps_proposed + n.steps,
            state = CASE WHEN n.last AND e.state = 'running' THEN 'finished' ELSE e.state END,
            ended_at = CASE WHEN n.last AND e.state = 'running' THEN $4 ELSE e.ended_at END
     FROM unnest($1::uuid[], $2::int[], $3::bool[]) AS n(enrolment_id, steps, last)
     WHERE e.enrolment_id = ANY($1) AND e.enrolment_id = n.enrolment_id`,
    [[...proposed.keys()], [...proposed.values()].map((p) => p.steps), [...proposed.values()].map((p) => p.last), at],
  );
}

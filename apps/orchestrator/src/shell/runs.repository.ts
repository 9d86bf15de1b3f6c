import {
  type ActionRefused,
  type ReviewDecided,
  refusesForeignId,
  type TaskAssigned,
  type TaskEscalated,
  type TaskSettled,
} from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';
import type { Run, RunState } from '../core/begin.js';
import type { Checkpoint } from '../core/checkpoint.js';

/** Runs, their tasks, the results of their proposals, and the checkpoints that hold some of the tasks back. */

/** A suppressed run is replaced by the same run if that starts after all. Nothing else is overwritten. */
export function storeRuns(tx: Tx, runs: readonly Run[]): void {
  if (runs.length === 0) return;
  // One batch may first suppress an ordinal and then start it: the last one counts.
  const last = [...new Map(runs.map((r) => [r.runId, r])).values()];
  tx.write(
    `INSERT INTO runs (run_id, play_id, title, subject, ordinal, state, reason, evidence, trigger, policy_version, at)
     SELECT run_id, play_id, title, subject::jsonb, ordinal, state, reason, evidence::jsonb, trigger::jsonb, policy_version, at
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::bigint[], $11::timestamptz[])
       AS n(run_id, play_id, title, subject, ordinal, state, reason, evidence, trigger, policy_version, at)
     ORDER BY run_id
     ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, evidence = excluded.evidence,
       trigger = excluded.trigger, policy_version = excluded.policy_version, at = excluded.at
     WHERE runs.state = 'suppressed'`,
    [
      last.map((r) => r.runId),
      last.map((r) => r.playId),
      last.map((r) => r.title),
      last.map((r) => JSON.stringify(r.subject)),
      last.map((r) => r.ordinal),
      last.map((r) => r.state),
      last.map((r) => r.reason),
      last.map((r) => JSON.stringify(r.evidence)),
      last.map((r) => JSON.stringify(r.trigger)),
      last.map((r) => r.policyVersion),
      last.map((r) => r.at),
    ],
  );
}

export function setRunState(tx: Tx, runIds: readonly string[], state: RunState, reason: string): void {
  tx.write('UPDATE runs SET state = $2, reason = $3 WHERE run_id = ANY($1)', [runIds, state, reason]);
}

export function storeTasks(tx: Tx, tasks: readonly TaskAssigned[]): void {
  if (tasks.length === 0) return;
  tx.write(
    `INSERT INTO tasks (task_id, run_id, agent, purpose, assigned_at, due_at)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
     ORDER BY 1 ON CONFLICT DO NOTHING`,
    [
      tasks.map((t) => t.taskId),
      tasks.map((t) => t.play.runId),
      tasks.map((t) => t.agent),
      tasks.map((t) => t.purpose),
      tasks.map((t) => t.assignedAt),
      tasks.map((t) => t.dueAt),
    ],
  );
}

/**
 * Stores an agent's first answer to each of its own tasks, with the proposals that it names. A later answer, or an answer to another
 * agent's task, changes nothing and adds nothing.
 */
export function settleTasks(tx: Tx, agent: string, settled: readonly TaskSettled[]): void {
  if (settled.length === 0) return;
  const proposals = settled.flatMap((s, nth) => s.proposalIds.map((id) => [id, s.taskId, nth] as const));
  tx.write(
    `WITH answered AS (
       UPDATE tasks t SET state = n.outcome, reason = n.reason, settled_at = n.at
       FROM (SELECT DISTINCT ON (task_id) * FROM
         unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $8::int[]) AS u(task_id, outcome, reason, at, nth)
         ORDER BY task_id, nth) n
       WHERE t.task_id = ANY($2) AND t.task_id = n.task_id AND t.agent = $1 AND t.state = 'assigned'
       RETURNING t.task_id, n.nth)
     INSERT INTO task_proposals (task_id, proposal_id)
     SELECT DISTINCT n.task_id, n.proposal_id
     FROM unnest($6::uuid[], $7::uuid[], $9::int[]) AS n(proposal_id, task_id, nth)
     JOIN answered a ON a.task_id = n.task_id AND a.nth = n.nth
     ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
    [
      agent,
      settled.map((s) => s.taskId),
      settled.map((s) => s.outcome),
      settled.map((s) => s.reason),
      settled.map((s) => s.at),
      proposals.map(([id]) => id),
      proposals.map(([, taskId]) => taskId),
      settled.map((_, nth) => nth),
      proposals.map(([, , nth]) => nth),
    ],
  );
}

/**
 * Notes refusals of proposals on the tasks of their own agents. Two refusals do not count for a proposal: that of another agent's
 * proposal with the same id, and that of the same agent for using the id twice.
 */
export function noteRefusals(tx: Tx, refused: readonly ActionRefused[], at: string): void {
  // An edit refuses the action that it replaces. The result of the proposal is that of the new action.
  const final = refused.filter((r) => r.supersededBy === undefined && !refusesForeignId(r.verdict));
  if (final.length === 0) return;
  tx.write(
    `WITH own AS (
       SELECT DISTINCT ON (u.proposal_id) u.proposal_id, u.task_id, u.refusal
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS u(proposal_id, task_id, agent, refusal)
       JOIN tasks t ON t.task_id = ANY($2) AND t.task_id = u.task_id AND t.agent = u.agent ORDER BY u.proposal_id
     ), named AS (
       INSERT INTO task_proposals (task_id, proposal_id) SELECT task_id, proposal_id FROM own ORDER BY 1, 2 ON CONFLICT DO NOTHING
     )
     INSERT INTO proposals (proposal_id, refused_at, refusal)
     SELECT proposal_id, $5::timestamptz, refusal FROM own ORDER BY 1
     ON CONFLICT (proposal_id) DO UPDATE SET refused_at = excluded.refused_at, refusal = excluded.refusal`,
    [
      final.map((r) => r.proposalId),
      final.map((r) => r.taskId),
      final.map((r) => r.agent),
      final.map((r) =>
        r.verdict.reasons
          .filter((x) => x.outcome === 'refuse')
          .map((x) => `${x.rule}: ${x.detail}`)
          .join('; '),
      ),
      at,
    ],
  );
}

/** Stores the first answer that was given about a proposal. */
export function noteReviews(tx: Tx, reviews: readonly ReviewDecided[]): void {
  if (reviews.length === 0) return;
  tx.write(
    `INSERT INTO proposals (proposal_id, reviewed_by, review, reviewed_at)
     SELECT DISTINCT ON (id) id, by, decision, at
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS u(id, by, decision, at) ORDER BY id, at
     ON CONFLICT (proposal_id) DO UPDATE SET reviewed_by = excluded.reviewed_by, review = excluded.review,
       reviewed_at = excluded.reviewed_at
     WHERE proposals.reviewed_at IS NULL`,
    [
      reviews.map((r) => r.subject.id),
      reviews.map((r) => r.by),
      reviews.map((r) => r.decision),
      reviews.map((r) => r.at),
    ],
  );
}

/** Marks those of these tasks that were not settled; returns them. */
export async function markOverdue(
  tx: Tx,
  taskIds: readonly string[],
  at: string,
): Promise<readonly { readonly taskId: string; readonly agent: string }[]> {
  return tx.query(
    `UPDATE tasks SET overdue_at = $2 WHERE task_id = ANY($1) AND state = 'assigned' AND overdue_at IS NULL
     RETURNING task_id AS "taskId", agent`,
    [taskIds, at],
  );
}

export function storeCheckpoint(tx: Tx, checkpoint: TaskEscalated): void {
  tx.write(
    `INSERT INTO checkpoints (checkpoint_id, run_id, digest, reviewers, tasks, deadline, play_digest)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [
      checkpoint.checkpointId,
      checkpoint.play.runId,
      checkpoint.digest,
      JSON.stringify(checkpoint.reviewers),
      JSON.stringify(checkpoint.tasks),
      checkpoint.deadline,
      checkpoint.playDigest ?? null,
    ],
  );
}

export interface StoredCheckpoint extends Checkpoint {
  readonly runId: string;
}

/** Locks checkpoints in key order. The map has only those that exist. */
export async function lockCheckpoints(tx: Tx, ids: readonly string[]): Promise<Map<string, StoredCheckpoint>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<Omit<StoredCheckpoint, 'deadline'> & { deadline: Date }>(
    `SELECT checkpoint_id AS "checkpointId", run_id AS "runId", digest, reviewers, tasks, deadline, answer,
       answered_by AS "answeredBy", play_digest AS "playDigest"
     FROM checkpoints WHERE checkpoint_id = ANY($1) ORDER BY checkpoint_id FOR UPDATE`,
    [[...new Set(ids)]],
  );
  return new Map(rows.map((r) => [r.checkpointId, { ...r, deadline: r.deadline.toISOString() }]));
}

export function closeCheckpoint(
  tx: Tx,
  checkpointId: string,
  answer: 'approved' | 'rejected' | 'expired',
  by: string | null,
  at: string,
): void {
  tx.write('UPDATE checkpoints SET answer = $2, answered_by = $3, answered_at = $4 WHERE checkpoint_id = $1', [
    checkpointId,
    answer,
    by,
    at,
  ]);
}

export function noteAnswer(tx: Tx, review: ReviewDecided, outcome: string, reason: string | null, at: string): void {
  tx.write(
    `INSERT INTO checkpoint_answers (review_id, checkpoint_id, by, decision, outcome, reason, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [review.reviewId, review.subject.id, review.by, review.decision, outcome, reason, at],
  );
}

import { roundsBy } from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';
import { type Stories, type StoryPart, settledRank } from '../core/stories.js';

/** Whether a new part replaces the present one. Of two first proposals, the first stands: another agent may have used its id. */
const counts = `(excluded.rank > stories.rank
  OR (excluded.rank = stories.rank AND excluded.rank > 0 AND excluded.changed_at >= stories.changed_at))`;
const taken = (column: string): string =>
  `${column} = CASE WHEN ${counts} THEN excluded.${column} ELSE stories.${column} END`;
const filled = (column: string): string =>
  `${column} = CASE WHEN ${counts} THEN coalesce(excluded.${column}, stories.${column})
     ELSE coalesce(stories.${column}, excluded.${column}) END`;

const upsert = `
  INSERT INTO stories (proposal_id, action_id, correlation_id, task_id, run_id, agent, play_id, play_title, kind, account_id, account_name,
    sentence, outcome, reason, rank, started_at, changed_at)
  SELECT n.*, n.at FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[], $16::timestamptz[])
    AS n(proposal_id, action_id, correlation_id, task_id, run_id, agent, play_id, play_title, kind, account_id, account_name, sentence,
      outcome, reason, rank, at)
  ON CONFLICT (proposal_id) DO UPDATE SET
    ${['action_id', 'outcome', 'reason', 'rank', 'changed_at'].map(taken).join(', ')},
    ${['kind', 'account_id', 'account_name', 'sentence'].map(filled).join(', ')},
    started_at = least(stories.started_at, excluded.started_at)`;

const columns: readonly ((part: StoryPart) => string | number | null)[] = [
  (s) => s.proposalId,
  (s) => s.actionId,
  (s) => s.correlationId,
  (s) => s.taskId,
  (s) => s.runId,
  (s) => s.agent,
  (s) => s.playId,
  (s) => s.playTitle,
  (s) => s.kind,
  (s) => s.accountId,
  (s) => s.accountName,
  (s) => s.sentence,
  (s) => s.outcome,
  (s) => s.reason,
  (s) => s.rank,
  (s) => s.at,
];

/** Writes what a batch says about stories, ordered by their ids, so that two batches never deadlock. */
export function writeStories(tx: Tx, { parts, names }: Stories): void {
  const ordered = [...parts].sort((a, b) => compared(a.proposalId, b.proposalId));
  for (const round of roundsBy(ordered, (part) => part.proposalId))
    tx.write(
      upsert,
      columns.map((column) => round.map(column)),
    );
  if (names.length === 0) return;
  const sorted = [...names].sort((a, b) => compared(a.name, b.name) || compared(a.proposalId, b.proposalId));
  tx.write(
    'INSERT INTO story_names (name, proposal_id) SELECT * FROM unnest($1::text[], $2::uuid[]) ON CONFLICT DO NOTHING',
    [sorted.map(({ name }) => name), sorted.map(({ proposalId }) => proposalId)],
  );
}

/**
 * Locks the stories that a batch of settlements may end. It does so before the counts are locked: a batch of approvals has locked its own
 * stories by then.
 */
export function lockStories(tx: Tx, settled: readonly { readonly actionId: string }[]): void {
  if (settled.length > 0)
    tx.write('SELECT FROM stories WHERE action_id = ANY($1) ORDER BY proposal_id FOR UPDATE', [
      settled.map(({ actionId }) => actionId),
    ]);
}

/** Ends stories as the executors of their own permits report. The settlements show which executor that is. */
export function settleStories(tx: Tx, ends: readonly { readonly actionId: string }[]): void {
  if (ends.length > 0)
    tx.write(
      `UPDATE stories o SET outcome = s.outcome, reason = s.detail, rank = ${settledRank}, changed_at = s.settled_at
       FROM settlements s
       WHERE o.action_id = ANY($1) AND s.action_id = ANY($1) AND s.action_id = o.action_id AND s.approved
         AND (o.outcome, o.changed_at) IS DISTINCT FROM (s.outcome, s.settled_at)`,
      [ends.map(({ actionId }) => actionId)],
    );
}

/** Deletes a bounded number of stories that have not changed since `before`. Returns how many. */
export async function forgetStories(tx: Tx, before: string, limit: number): Promise<number> {
  const rows = await tx.query(
    `WITH gone AS (
       DELETE FROM stories WHERE proposal_id IN (
         SELECT proposal_id FROM stories WHERE started_at < $1 AND changed_at < $1 ORDER BY started_at LIMIT $2) RETURNING proposal_id),
     names AS (DELETE FROM story_names n USING gone WHERE n.proposal_id = gone.proposal_id)
     SELECT FROM gone`,
    [before, limit],
  );
  return rows.length;
}

const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

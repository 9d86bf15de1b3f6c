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
    sentence, outcome, reason, rank, campaign_keys, started_at, changed_at)
  SELECT n.proposal_id, n.action_id, n.correlation_id, n.task_id, n.run_id, n.agent, n.play_id, n.play_title, n.kind, n.account_id,
    n.account_name, n.sentence, n.outcome, n.reason, n.rank,
    CASE WHEN n.keys IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(n.keys)) END, n.at, n.at FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::smallint[], $16::jsonb[], $17::timestamptz[])
    AS n(proposal_id, action_id, correlation_id, task_id, run_id, agent, play_id, play_title, kind, account_id, account_name, sentence,
      outcome, reason, rank, keys, at)
  ON CONFLICT (proposal_id) DO UPDATE SET
    ${['action_id', 'outcome', 'reason', 'rank', 'changed_at'].map(taken).join(', ')},
    ${['kind', 'account_id', 'account_name', 'sentence', 'campaign_keys'].map(filled).join(', ')},
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
  (s) => (s.campaignKeys ? JSON.stringify(s.campaignKeys) : null),
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
  writeNames(tx, names);
  // A part may have begun its story, or begun it earlier than its names say.
  if (ordered.length > 0)
    tx.write(
      `UPDATE story_names n SET started_at = s.started_at FROM stories s
       WHERE n.proposal_id = ANY($1) AND s.proposal_id = ANY($1) AND n.proposal_id = s.proposal_id AND n.started_at <> s.started_at`,
      [[...new Set(ordered.map(({ proposalId }) => proposalId))]],
    );
}

/** Each name has the time of its story, as far as it is known. The next part of the story puts it right. */
function writeNames(tx: Tx, names: Stories['names']): void {
  if (names.length === 0) return;
  const sorted = [...names].sort((a, b) => compared(a.name, b.name) || compared(a.proposalId, b.proposalId));
  tx.write(
    `INSERT INTO story_names (name, proposal_id, started_at)
     SELECT n.name, n.proposal_id, coalesce(s.started_at, '-infinity') FROM unnest($1::text[], $2::uuid[]) AS n(name, proposal_id)
     LEFT JOIN (SELECT proposal_id, started_at FROM stories WHERE proposal_id = ANY($2)) s
       ON s.proposal_id = n.proposal_id
     ON CONFLICT DO NOTHING`,
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

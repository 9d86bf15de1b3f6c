import type { Tx } from '@countersign/runtime';
import type { Approval, FunnelStep, NowChanges } from '../core/now-changes.js';
import { recentMs, slotOf } from '../core/rates.js';
import { orderedRounds } from './rows.js';

/** Writes what the validator approved. An action is approved once. */
export function writeApprovals(tx: Tx, approvals: readonly Approval[]): void {
  const rows = byId(approvals, ({ actionId }) => actionId);
  if (rows.length === 0) return;
  tx.write(
    `INSERT INTO approvals (action_id, proposal_id, permit_id, executor, agent, play, kind, accounts, detail, not_before, expires_at,
       approved_at, day, ad_account_id, campaign_id, amount_minor, currency, campaign_keys)
     SELECT a, i, p, e, g, y, k, ARRAY(SELECT jsonb_array_elements_text(c)), d, n, x, t, da, ad, ca, am, cu,
       ARRAY(SELECT jsonb_array_elements_text(ck))
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::text[], $10::timestamptz[],
       $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::bigint[], $17::text[], $18::jsonb[])
       AS approved(a, i, p, e, g, y, k, c, d, n, x, t, da, ad, ca, am, cu, ck)
     ON CONFLICT DO NOTHING`,
    [
      rows.map((a) => a.actionId),
      rows.map((a) => a.proposalId),
      rows.map((a) => a.permitId),
      rows.map((a) => a.executor),
      rows.map((a) => a.agent),
      rows.map((a) => a.play),
      rows.map((a) => a.kind),
      rows.map((a) => JSON.stringify(a.accounts)),
      rows.map((a) => a.detail),
      rows.map((a) => a.notBefore),
      rows.map((a) => a.expiresAt),
      rows.map((a) => a.at),
      rows.map((a) => a.spend?.day ?? null),
      rows.map((a) => a.spend?.adAccountId ?? null),
      rows.map((a) => a.spend?.campaignId ?? null),
      rows.map((a) => a.spend?.amountMinor ?? null),
      rows.map((a) => a.spend?.currency ?? null),
      rows.map((a) => JSON.stringify(a.campaignKeys)),
    ],
  );
}

/** Writes tasks and their answers; an answer may be read before its task. `at` is the time of writing. */
export function writeTasks(tx: Tx, { tasks, answered }: Pick<NowChanges, 'tasks' | 'answered'>, at: string): void {
  const given = byId(tasks, ({ taskId }) => taskId);
  if (given.length > 0)
    tx.write(
      `INSERT INTO pending_tasks AS p (task_id, agent, play, purpose, kinds, accounts, assigned_at, due_at, kept_at)
       SELECT i, g, y, p, ARRAY(SELECT jsonb_array_elements_text(k)), ARRAY(SELECT jsonb_array_elements_text(c)), t, d, $9
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::timestamptz[], $8::timestamptz[])
         AS given(i, g, y, p, k, c, t, d)
       ON CONFLICT (task_id) DO UPDATE SET agent = excluded.agent, play = excluded.play, purpose = excluded.purpose,
         kinds = excluded.kinds, accounts = excluded.accounts, assigned_at = excluded.assigned_at, due_at = excluded.due_at,
         answered_at = CASE WHEN p.answered_by = excluded.agent THEN p.answered_at END`,
      [
        given.map((t) => t.taskId),
        given.map((t) => t.agent),
        given.map((t) => t.play),
        given.map((t) => t.purpose),
        given.map((t) => JSON.stringify(t.kinds)),
        given.map((t) => JSON.stringify(t.accounts)),
        given.map((t) => t.at),
        given.map((t) => t.dueAt),
        at,
      ],
    );
  // Another agent may have answered a task that is not its own, so each answer is judged by itself.
  for (const ends of orderedRounds(answered, ({ taskId }) => taskId))
    tx.write(
      `INSERT INTO pending_tasks AS p (task_id, answered_at, answered_by, kept_at)
       SELECT i, t, g, $4 FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS ended(i, t, g)
       ON CONFLICT (task_id) DO UPDATE SET answered_at = excluded.answered_at, answered_by = excluded.answered_by
       WHERE p.agent IS NULL OR p.agent = excluded.answered_by`,
      [ends.map((t) => t.taskId), ends.map((t) => t.at), ends.map((t) => t.agent), at],
    );
}

/**
 * Adds to the steps of the last hour, and notes when the topic was heard. Runs after the counts, because all batches add to the same few
 * rows. Steps older than an hour are not written, so reading topics again from their beginning leaves nothing here.
 */
export function writeSteps(
  tx: Tx,
  steps: readonly FunnelStep[],
  topicsHeard: readonly { readonly topic: string; readonly at: string }[],
  at: string,
): void {
  const sums = new Map<string, { slot: string; stage: string; label: string; n: number }>();
  for (const { stage, label, at: happened } of steps) {
    if (Date.parse(at) - Date.parse(happened) > recentMs) continue;
    const slot = slotOf(happened, at);
    const name = `${slot} ${stage} ${label}`;
    const sum = sums.get(name);
    if (sum) sum.n += 1;
    else sums.set(name, { slot, stage, label, n: 1 });
  }
  const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
  const last = new Map<string, string>();
  for (const { topic, at: time } of topicsHeard) {
    // Otherwise a clock that is ahead would make a topic look alive for as long as it is ahead.
    const known = time > at ? at : time;
    if (known > (last.get(topic) ?? '')) last.set(topic, known);
  }
  const topics = [...last].sort(([a], [b]) => (a < b ? -1 : 1));
  if (topics.length === 0) return;
  tx.write(
    `WITH stepped AS (
       INSERT INTO recent_steps AS r (slot, stage, label, n)
       SELECT slot, stage, label, n FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[]) AS new(slot, stage, label, n)
       ON CONFLICT (slot, stage, label) DO UPDATE SET n = r.n + excluded.n)
     INSERT INTO topics_heard AS h (topic, at) SELECT * FROM unnest($5::text[], $6::timestamptz[])
     ON CONFLICT (topic) DO UPDATE SET at = excluded.at WHERE h.at < excluded.at`,
    [
      rows.map((r) => r.slot),
      rows.map((r) => r.stage),
      rows.map((r) => r.label),
      rows.map((r) => r.n),
      topics.map(([topic]) => topic),
      topics.map(([, time]) => time),
    ],
  );
}

/** The last row of each id, ordered by id: two batches then never deadlock. */
function byId<T>(rows: readonly T[], idOf: (row: T) => string): T[] {
  const last = new Map(rows.map((row) => [idOf(row), row]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

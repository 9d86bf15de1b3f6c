import type { Tx } from '@countersign/runtime';
import type { AgentChanges } from '../core/project-agents.js';
import { insert, orderedRounds } from './rows.js';

/**
 * Writes what a batch says about actions, runs and tasks: in a fixed order of tables, with sorted keys. The order between topics does not
 * matter.
 */
export function writeAgents(tx: Tx, { actions, runs, tasks, answers }: AgentChanges, at: string): void {
  // A run's tasks and its checkpoint are on two topics, and each of them has data that the other lacks.
  for (const round of orderedRounds(runs, ({ runId }) => runId))
    insert(tx, round, {
      sql: `INSERT INTO play_runs AS r (run_id, play_id, account_id, ad_account_id, campaign_id, correlation_id, started_at, checkpoint_id, deadline_at, kept_at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[], $9::timestamptz[], $10::timestamptz[])
          ON CONFLICT (run_id) DO UPDATE SET started_at = least(r.started_at, excluded.started_at),
            checkpoint_id = coalesce(r.checkpoint_id, excluded.checkpoint_id), deadline_at = coalesce(r.deadline_at, excluded.deadline_at)`,
      columns: [
        (r) => r.runId,
        (r) => r.playId,
        (r) => r.accountId,
        (r) => r.adAccountId,
        (r) => r.campaignId,
        (r) => r.correlationId,
        (r) => r.at,
        (r) => r.checkpoint?.id ?? null,
        (r) => r.checkpoint?.deadline ?? null,
        () => at,
      ],
    });
  insert(
    tx,
    firstBy(tasks, ({ taskId }) => taskId),
    {
      sql: `INSERT INTO play_tasks (task_id, run_id, agent, purpose, assigned_at, due_at, kept_at)
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
          ON CONFLICT DO NOTHING`,
      columns: [
        (t) => t.taskId,
        (t) => t.runId,
        (t) => t.agent,
        (t) => t.purpose,
        (t) => t.assignedAt,
        (t) => t.dueAt,
        () => at,
      ],
    },
  );
  // Stored by task and agent: no agent's answer replaces the answer of another agent.
  insert(
    tx,
    firstBy(answers, ({ taskId, agent }) => `${taskId} ${agent}`),
    {
      sql: `INSERT INTO task_answers (task_id, agent, outcome, reason, proposals, answered_at, kept_at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::timestamptz[])
          ON CONFLICT DO NOTHING`,
      columns: [
        (a) => a.taskId,
        (a) => a.agent,
        (a) => a.outcome,
        (a) => a.reason,
        (a) => a.proposals,
        (a) => a.at,
        () => at,
      ],
    },
  );
  insert(
    tx,
    firstBy(actions, ({ proposalId }) => proposalId),
    {
      sql: `INSERT INTO agent_actions (proposal_id, agent, play_id, run_id, action_id, kind, detail, correlation_id, proposed_at, kept_at, campaign_keys)
          SELECT i, g, p, r, a, k, d, c, t, n, ARRAY(SELECT jsonb_array_elements_text(named))
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[],
            $11::jsonb[]) AS proposed(i, g, p, r, a, k, d, c, t, n, named)
          ON CONFLICT DO NOTHING`,
      columns: [
        (a) => a.proposalId,
        (a) => a.agent,
        (a) => a.playId,
        (a) => a.runId,
        (a) => a.actionId,
        (a) => a.kind,
        (a) => a.detail,
        (a) => a.correlationId,
        (a) => a.at,
        () => at,
        (a) => JSON.stringify(a.campaignKeys),
      ],
    },
  );
}

/** Adds to the figures. They are written last, after the counts, because all batches add to the same few rows. */
export function writeAgentCounts(tx: Tx, { counts, tokens }: AgentChanges): void {
  insert(tx, counts, {
    sql: `INSERT INTO agent_counts AS c (agent, day, stage, label, n)
          SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[]) AS new(agent, day, stage, label, n)
          ORDER BY agent, day, stage, label
          ON CONFLICT (agent, day, stage, label) DO UPDATE SET n = c.n + excluded.n`,
    columns: [(c) => c.agent, (c) => c.day, (c) => c.stage, (c) => c.label, (c) => c.n],
  });
  insert(tx, tokens, {
    sql: `INSERT INTO agent_tokens AS t (agent, day, model, proposals, calls, unknown_calls, input_tokens, output_tokens)
          SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
            AS new(agent, day, model, proposals, calls, unknown_calls, input_tokens, output_tokens)
          ORDER BY agent, day, model
          ON CONFLICT (agent, day, model) DO UPDATE SET proposals = t.proposals + excluded.proposals, calls = t.calls + excluded.calls,
            unknown_calls = t.unknown_calls + excluded.unknown_calls, input_tokens = t.input_tokens + excluded.input_tokens,
            output_tokens = t.output_tokens + excluded.output_tokens`,
    columns: [
      (t) => t.agent,
      (t) => t.day,
      (t) => t.model,
      (t) => t.proposals,
      (t) => t.calls,
      (t) => t.unknownCalls,
      (t) => t.inputTokens,
      (t) => t.outputTokens,
    ],
  });
}

/** How long actions, runs and tasks are listed, in days; the record keeps everything. */
const RETENTION_DAYS = 90;
const listed = ['agent_actions', 'task_answers', 'play_tasks', 'play_runs'] as const;
const figures = ['agent_counts', 'agent_tokens'] as const;
const forgetting = (table: string, column: string): string =>
  `WITH gone AS (DELETE FROM ${table} WHERE ctid IN (SELECT ctid FROM ${table} WHERE ${column} < $1 ORDER BY ${column} LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)
   SELECT count(*)::int AS n FROM gone`;

/**
 * Deletes a bounded number of rows older than their retention, and figures of days before `firstDay`. Returns the number of rows that
 * were deleted from the table with the most of them.
 */
export async function forgetAgents(tx: Tx, at: string, firstDay: string, limit: number): Promise<number> {
  const before = new Date(Date.parse(at) - RETENTION_DAYS * 86_400_000).toISOString();
  let most = 0;
  for (const [sql, first] of [
    ...listed.map((table) => [forgetting(table, 'kept_at'), before] as const),
    ...figures.map((table) => [forgetting(table, 'day'), firstDay] as const),
  ]) {
    const [row] = await tx.query<{ n: number }>(sql, [first, limit]);
    most = Math.max(most, row?.n ?? 0);
  }
  return most;
}

/** The first of each key, ordered by key: one statement may not touch a row twice. */
function firstBy<T>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  const first = new Map<string, T>();
  for (const row of rows) if (!first.has(keyOf(row))) first.set(keyOf(row), row);
  return [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

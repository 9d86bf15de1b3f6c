import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { actionStates } from '../core/agents.answers.js';
import type { Cursor } from '../core/cursor.js';
import type { AgentCount, AgentTokens } from '../core/project-agents.js';
import { type NamedThings, thingsNamed } from './names.js';
import { readersOf } from './readers.js';

/**
 * What an agent proposed, and the result. If a person edited an action, the verdict is on the edited action. A settlement counts if it
 * agrees with its approval.
 */
export const proposed = `
  SELECT p.proposal_id AS "proposalId", p.agent, p.play_id AS "playId", p.run_id AS "runId", p.kind, p.detail,
    p.correlation_id AS "correlationId", p.proposed_at AS at,
    CASE WHEN s.outcome IS NOT NULL THEN s.outcome WHEN w.outcome IS NOT NULL THEN w.outcome
      WHEN e.action_id IS NOT NULL THEN 'waiting' ELSE 'proposed' END AS state,
    coalesce(s.settled_at, w.decided_at, e.escalated_at, p.proposed_at) AS since,
    v.superseded_by IS NOT NULL AS edited, e.action_id IS NOT NULL AS asked,
    coalesce(s.detail, w.reasons->0->>'detail') AS reason, ${thingsNamed('p')}
  FROM agent_actions p
  LEFT JOIN escalations e ON e.action_id = p.action_id
  LEFT JOIN verdicts v ON v.action_id = p.action_id
  LEFT JOIN verdicts w ON w.action_id = coalesce(v.superseded_by, v.action_id)
  LEFT JOIN settlements s ON s.action_id = w.action_id AND s.executor = w.executor AND s.approved`;

export interface ProposedRow extends NamedThings {
  readonly proposalId: string;
  readonly agent: string;
  readonly playId: string;
  readonly runId: string;
  readonly kind: string;
  readonly detail: string;
  readonly correlationId: string;
  readonly at: string;
  readonly state: (typeof actionStates)[number];
  readonly since: string;
  readonly edited: boolean;
  readonly asked: boolean;
  readonly reason: string | null;
}
type Stored = Omit<ProposedRow, 'at' | 'since'> & { at: Date; since: Date };
const shown = (row: Stored): ProposedRow => ({
  ...row,
  at: row.at.toISOString(),
  since: row.since.toISOString(),
});

/** What the console stores about agents: figures by day, and their actions. */
@Injectable()
export class AgentStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** When the console began to count by agent, and tokens. */
  async begun(): Promise<{ readonly counts: string; readonly tokens: string }> {
    const [row] = await this.forPages.query<{ counts: Date; tokens: Date }>(
      'SELECT c.begun_at AS counts, t.begun_at AS tokens FROM agent_counts_begun c, agent_tokens_begun t',
    );
    if (!row) throw new Error('agent_counts_begun or agent_tokens_begun has no row');
    return { counts: row.counts.toISOString(), tokens: row.tokens.toISOString() };
  }

  /** Sums of the days from `from` to `to`, both included. */
  counts(agents: readonly string[], from: string, to: string): Promise<AgentCount[]> {
    return this.forPages.query(
      `SELECT agent, stage, label, sum(n)::bigint AS n FROM agent_counts
       WHERE agent = ANY($1) AND day BETWEEN $2 AND $3 GROUP BY agent, stage, label ORDER BY agent, stage, label`,
      [agents, from, to],
    );
  }

  /** Like `counts`, by model. */
  tokens(agents: readonly string[], from: string, to: string): Promise<Omit<AgentTokens, 'day'>[]> {
    return this.forPages.query(
      `SELECT agent, model, sum(proposals)::bigint AS proposals, sum(calls)::bigint AS calls, sum(unknown_calls)::bigint AS "unknownCalls",
         sum(input_tokens)::bigint AS "inputTokens", sum(output_tokens)::bigint AS "outputTokens"
       FROM agent_tokens WHERE agent = ANY($1) AND day BETWEEN $2 AND $3 GROUP BY agent, model ORDER BY agent, model`,
      [agents, from, to],
    );
  }

  /** The latest first. */
  async actions(agent: string, before: Cursor | undefined, limit: number): Promise<ProposedRow[]> {
    const rows = await this.forPages.query<Stored>(
      `${proposed} WHERE p.agent = $1 AND (p.proposed_at, p.proposal_id) < ($2::timestamptz, $3::uuid)
       ORDER BY p.agent DESC, p.proposed_at DESC, p.proposal_id DESC LIMIT $4`,
      [agent, before?.at ?? 'infinity', before?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff', limit],
    );
    return rows.map(shown);
  }

  /** The first actions of one run. */
  async actionsOf(runId: string, limit: number): Promise<ProposedRow[]> {
    const rows = await this.forPages.query<Stored>(
      `${proposed} WHERE p.run_id = $1 ORDER BY p.run_id, p.proposed_at LIMIT $2`,
      [runId, limit],
    );
    return rows.map(shown);
  }
}

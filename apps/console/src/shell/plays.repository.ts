import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import { runState } from '../core/run.js';
import { readersOf } from './readers.js';

export interface Task {
  taskId: string;
  agent: string;
  purpose: string;
  dueAt: string;
  outcome: 'proposed' | 'declined' | null;
  reason: string | null;
  proposals: number;
  answeredAt: string | null;
}
interface RunRow {
  run_id: string;
  play_id: string;
  account_id: string | null;
  ad_account_id: string | null;
  campaign_id: string | null;
  correlation_id: string;
  started_at: Date;
  checkpoint_id: string | null;
  deadline_at: Date | null;
  decision: string | null;
  tasks: Task[];
}

/** A time in the form of the answers, in JSON that the database makes. */
const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const tasksOf = `
  SELECT coalesce(json_agg(json_build_object('taskId', t.task_id, 'agent', t.agent, 'purpose', t.purpose, 'dueAt', ${instant('t.due_at')},
    'outcome', a.outcome, 'reason', a.reason, 'proposals', coalesce(a.proposals, 0), 'answeredAt', ${instant('a.answered_at')})
    ORDER BY t.assigned_at, t.task_id), '[]') AS tasks
  FROM play_tasks t LEFT JOIN task_answers a ON a.task_id = t.task_id AND a.agent = t.agent WHERE t.run_id = r.run_id`;
/** The first answer that stands, in the form that the cards use. */
const decision = `
  SELECT v.decision FROM reviews v
  WHERE v.subject_id = r.checkpoint_id AND v.decided_at <= r.deadline_at
    AND NOT EXISTS (SELECT FROM set_asides s WHERE s.review_id = v.review_id) ORDER BY v.decided_at LIMIT 1`;
const runs = `
  SELECT r.*, t.tasks, d.decision FROM play_runs r
  LEFT JOIN LATERAL (${tasksOf}) t ON true
  LEFT JOIN LATERAL (${decision}) d ON r.checkpoint_id IS NOT NULL`;

/** The runs of plays, with their tasks. */
@Injectable()
export class PlayStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** The latest first. */
  async runs(playId: string, before: Cursor | undefined, limit: number, at: string) {
    const rows = await this.forPages.query<RunRow>(
      `${runs} WHERE r.play_id = $1 AND (r.started_at, r.run_id) < ($2::timestamptz, $3::uuid)
       ORDER BY r.play_id DESC, r.started_at DESC, r.run_id DESC LIMIT $4`,
      [playId, before?.at ?? 'infinity', before?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff', limit],
    );
    return rows.map((row) => shown(row, at));
  }

  async run(runId: string, at: string) {
    const [row] = await this.forPages.query<RunRow>(`${runs} WHERE r.run_id = $1`, [runId]);
    return row && shown(row, at);
  }

  /** For each play, the time of its last run, and how many of its latest runs are under way. */
  async latest(playIds: readonly string[], at: string): Promise<Map<string, { live: number; lastAt: string | null }>> {
    const rows = await this.forPages.query<RunRow>(
      `SELECT q.* FROM unnest($1::text[]) AS p(id)
       CROSS JOIN LATERAL (${runs} WHERE r.play_id = p.id ORDER BY r.play_id DESC, r.started_at DESC, r.run_id DESC LIMIT $2) q`,
      [playIds, lookedAt],
    );
    const found = new Map<string, { live: number; lastAt: string | null }>();
    for (const row of rows) {
      const { playId, state, startedAt } = shown(row, at);
      const { live, lastAt } = found.get(playId) ?? { live: 0, lastAt: startedAt };
      found.set(playId, { live: live + (state === 'waiting' || state === 'running' ? 1 : 0), lastAt });
    }
    return found;
  }
}

/** How many of a play's latest runs are checked for those under way. A run lasts minutes, or as long as a person may take to answer. */
const lookedAt = 50;

function shown(row: RunRow, at: string) {
  const checkpoint =
    row.checkpoint_id && row.deadline_at ? { id: row.checkpoint_id, deadline: row.deadline_at.toISOString() } : null;
  return {
    runId: row.run_id,
    playId: row.play_id,
    subject: subjectOf(row),
    correlationId: row.correlation_id,
    startedAt: row.started_at.toISOString(),
    state: runState({ tasks: row.tasks, checkpoint: checkpoint && { ...checkpoint, decision: row.decision } }, at),
    checkpoint,
    tasks: row.tasks,
  };
}

function subjectOf({ account_id, ad_account_id, campaign_id }: RunRow) {
  if (account_id !== null) return { kind: 'account' as const, id: account_id };
  if (campaign_id !== null) return { kind: 'campaign' as const, id: campaign_id };
  if (ad_account_id !== null) return { kind: 'ad-account' as const, id: ad_account_id };
  return { kind: 'none' as const, id: null };
}

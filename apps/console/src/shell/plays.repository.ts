import { taskGraceMs } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import { type RunNow, runState, runSteps } from '../core/run.js';
import type { Place } from '../core/standing.js';
import { proposed } from './agents.repository.js';
import { standings } from './console.repository.js';
import { type EndingRow, endingColumns, endingOf } from './endings.js';
import { readersOf } from './readers.js';
import { unresolvedPermits } from './unresolved.repository.js';

interface RunRow extends EndingRow {
  run_id: string;
  play_id: string;
  account_id: string | null;
  ad_account_id: string | null;
  campaign_id: string | null;
  subject_name: string | null;
  correlation_id: string;
  started_at: Date;
  checkpoint_id: string | null;
  deadline_at: Date | null;
  decision: NonNullable<NonNullable<RunNow['checkpoint']>['answer']>['decision'] | null;
  decided_by: string | null;
  decided_at: Date | null;
  tasks: RunNow['tasks'];
  counts: RunNow['proposals']['counts'];
  changed_at: Date | null;
  counted: number;
}

/** How many proposals of a run are counted: a run has a few. */
const mostCounted = 200;
/** How many of the latest proposals of an agent are checked for those that are not judged: the validator takes them in their order. */
const mostUnjudged = 200;

/** A time in the form of the answers, in JSON that the database makes. */
const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const tasksOf = `
  SELECT coalesce(json_agg(json_build_object('taskId', t.task_id, 'agent', t.agent, 'purpose', t.purpose,
    'assignedAt', ${instant('t.assigned_at')}, 'dueAt', ${instant('t.due_at')},
    'outcome', a.outcome, 'reason', a.reason, 'proposals', coalesce(a.proposals, 0), 'answeredAt', ${instant('a.answered_at')})
    ORDER BY t.assigned_at, t.task_id), '[]') AS tasks
  FROM play_tasks t LEFT JOIN task_answers a ON a.task_id = t.task_id AND a.agent = t.agent WHERE t.run_id = r.run_id`;
/** The first answer that stands, in the form that the cards use. */
const decision = `
  SELECT v.decision, v.by_person AS decided_by, v.decided_at FROM reviews v
  WHERE v.subject_id = r.checkpoint_id AND v.decided_at <= r.deadline_at AND v.decision <> 'edit'
    AND NOT EXISTS (SELECT FROM set_asides s WHERE s.review_id = v.review_id) ORDER BY v.decided_at LIMIT 1`;
const proposalsOf = `
  SELECT coalesce(json_agg(json_build_object('state', c.state, 'n', c.n)), '[]') AS counts, max(c.since) AS changed_at, coalesce(sum(c.n), 0)::int AS counted
  FROM (SELECT p.state, count(*)::int AS n, max(p.since) AS since
    FROM (${proposed} WHERE p.run_id = r.run_id ORDER BY p.run_id, p.proposed_at LIMIT ${mostCounted}) p GROUP BY p.state) c`;
const runs = `
  SELECT r.*, t.tasks, d.decision, d.decided_by, d.decided_at, c.counts, c.changed_at, c.counted,
    ${endingColumns('w')},
    CASE WHEN r.account_id IS NOT NULL THEN (SELECT name FROM accounts a WHERE a.account_id = r.account_id)
      ELSE (SELECT name FROM campaigns c WHERE c.key = 'campaign:' || r.ad_account_id || ' ' || r.campaign_id) END AS subject_name
  FROM play_runs r
  LEFT JOIN withheld_tasks w ON w.checkpoint_id = r.checkpoint_id
  LEFT JOIN LATERAL (${tasksOf}) t ON true
  LEFT JOIN LATERAL (${decision}) d ON r.checkpoint_id IS NOT NULL
  LEFT JOIN LATERAL (${proposalsOf}) c ON true`;

/**
 * Every run that stands at a step at `$1`, once for each thing that holds it there; `$2` is the time of the oldest due time after which a
 * task may still be answered, `$3` are the plays' agents. It reads only what is open: each part has an index for that.
 */
const standing = `
  SELECT r.play_id AS play, r.run_id, 'checkpoint' AS step, NULL AS agent, NULL AS purpose,
    d.decision IS NULL AS waits, r.deadline_at <= $1 AS late
  FROM play_runs r LEFT JOIN LATERAL (${decision}) d ON true
  WHERE r.checkpoint_id IS NOT NULL AND r.deadline_at > $2
    AND (d.decision = 'approve' OR (d.decision IS NULL AND r.deadline_at > $1))
    AND NOT EXISTS (SELECT FROM play_tasks t WHERE t.run_id = r.run_id)
    AND NOT EXISTS (SELECT FROM withheld_tasks w WHERE w.checkpoint_id = r.checkpoint_id)
  UNION ALL
  SELECT p.play, t.run_id, 'task', p.agent, p.purpose, false, p.due_at <= $1
  FROM pending_tasks p JOIN play_tasks t ON t.task_id = p.task_id WHERE p.answered_at IS NULL AND p.due_at > $2
  UNION ALL
  SELECT e.card->'play'->>'id', e.run_id, 'proposals', NULL, NULL, e.standing = 'open', false
  FROM (${standings} WHERE e.deadline_at > $1 AND e.subject_kind = 'proposal') e WHERE e.standing IN ('open', 'answered')
  UNION ALL
  SELECT p.play_id, p.run_id, 'proposals', NULL, NULL, false, false
  FROM approvals a JOIN agent_actions p ON p.proposal_id = a.proposal_id
  WHERE a.expires_at > $1
    AND NOT EXISTS (SELECT FROM settlements s WHERE s.action_id = a.action_id AND s.executor = a.executor AND s.approved)
  UNION ALL
  SELECT p.play_id, p.run_id, 'proposals', NULL, NULL, true, false
  FROM ${unresolvedPermits} JOIN agent_actions p ON p.proposal_id = u.proposal_id WHERE s.outcome = 'unresolved'
  UNION ALL
  SELECT p.play_id, p.run_id, 'proposals', NULL, NULL, false, false
  FROM unnest($3::text[]) AS own(agent) CROSS JOIN LATERAL (
    SELECT l.* FROM agent_actions l WHERE l.agent = own.agent ORDER BY l.agent DESC, l.proposed_at DESC, l.proposal_id DESC LIMIT ${mostUnjudged}) p
  LEFT JOIN LATERAL (SELECT true AS known FROM verdicts v WHERE v.action_id = p.action_id LIMIT 1) v ON true
  LEFT JOIN LATERAL (SELECT true AS known FROM escalations e WHERE e.action_id = p.action_id LIMIT 1) e ON true
  WHERE v.known IS NULL AND e.known IS NULL`;

/** The play whose runs are asked for, and its agents. */
export interface Asked {
  readonly id: string;
  readonly agents: readonly string[];
}

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
      [playId, ...behind(before), limit],
    );
    return rows.map((row) => shown(row, at));
  }

  /** Those that stand at a step, the latest first. */
  async live({ id, agents }: Asked, before: Cursor | undefined, limit: number, at: string) {
    const rows = await this.forPages.query<RunRow>(
      `${runs} WHERE r.run_id IN (SELECT l.run_id FROM (${standing}) l WHERE l.play = $4)
         AND (r.started_at, r.run_id) < ($5::timestamptz, $6::uuid)
       ORDER BY r.started_at DESC, r.run_id DESC LIMIT $7`,
      [at, stillAnswered(at), agents, id, ...behind(before), limit],
    );
    return rows.map((row) => shown(row, at));
  }

  async run(runId: string, at: string) {
    const [row] = await this.forPages.query<RunRow>(`${runs} WHERE r.run_id = $1`, [runId]);
    return row && shown(row, at);
  }

  /** For each play, the time of its last run, how many of its runs stand at a step, and at which. */
  async latest(plays: readonly Asked[], at: string): Promise<Map<string, Latest>> {
    const ids = plays.map(({ id }) => id);
    const agents = [...new Set(plays.flatMap((play) => play.agents))];
    const [last, places] = await Promise.all([
      this.forPages.query<{ play: string; at: Date }>(
        `SELECT p.id AS play, r.started_at AS at FROM unnest($1::text[]) AS p(id)
         CROSS JOIN LATERAL (SELECT started_at FROM play_runs WHERE play_id = p.id ORDER BY play_id DESC, started_at DESC, run_id DESC LIMIT 1) r`,
        [ids],
      ),
      this.forPages.query<Omit<Place, 'step'> & { play: string; step: Place['step'] | null }>(
        `SELECT l.play, l.step, l.agent, l.purpose, count(DISTINCT l.run_id)::int AS here,
           (count(DISTINCT l.run_id) FILTER (WHERE l.waits))::int AS waits, (count(DISTINCT l.run_id) FILTER (WHERE l.late))::int AS late
         FROM (${standing}) l WHERE l.play = ANY($4) GROUP BY GROUPING SETS ((l.play), (l.play, l.step, l.agent, l.purpose))`,
        [at, stillAnswered(at), agents, ids],
      ),
    ]);
    return new Map(
      ids.map((id) => {
        const own = places.filter(({ play }) => play === id);
        return [
          id,
          {
            live: own.find(({ step }) => step === null)?.here ?? 0,
            lastAt: last.find(({ play }) => play === id)?.at.toISOString() ?? null,
            places: own.flatMap(({ step, ...place }) => (step === null ? [] : [{ ...place, step }])),
          },
        ];
      }),
    );
  }
}

export interface Latest {
  readonly live: number;
  readonly lastAt: string | null;
  readonly places: readonly Place[];
}

const behind = (before: Cursor | undefined): [at: string, id: string] => [
  before?.at ?? 'infinity',
  before?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff',
];
const stillAnswered = (at: string): string => new Date(Date.parse(at) - taskGraceMs).toISOString();

function shown(row: RunRow, at: string) {
  const correlationId = row.correlation_id;
  const startedAt = row.started_at.toISOString();
  const checkpoint =
    row.checkpoint_id && row.deadline_at ? { id: row.checkpoint_id, deadline: row.deadline_at.toISOString() } : null;
  const answer =
    row.decision && row.decided_by !== null && row.decided_at
      ? { decision: row.decision, by: row.decided_by, at: row.decided_at.toISOString() }
      : null;
  const proposals = {
    counts: row.counts,
    changedAt: row.changed_at?.toISOString() ?? null,
    more: row.counted >= mostCounted,
  };
  const steps = runSteps(
    {
      ...{ startedAt, correlationId, tasks: row.tasks, proposals },
      checkpoint: checkpoint && { ...checkpoint, answer, ending: endingOf(row) },
    },
    at,
  );
  return {
    runId: row.run_id,
    playId: row.play_id,
    subject: subjectOf(row),
    correlationId,
    startedAt,
    state: runState(steps),
    steps,
    checkpoint,
    tasks: row.tasks,
  };
}

function subjectOf({ account_id, ad_account_id, campaign_id, subject_name: name }: RunRow) {
  if (account_id !== null) return { kind: 'account' as const, id: account_id, name };
  if (campaign_id !== null) return { kind: 'campaign' as const, id: campaign_id, name };
  if (ad_account_id !== null) return { kind: 'ad-account' as const, id: ad_account_id, name: null };
  return { kind: 'none' as const, id: null, name: null };
}

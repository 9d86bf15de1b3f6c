import { RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, HttpException, Inject, Param, Query } from '@nestjs/common';

const listed = 200;
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

const runColumns = `r.run_id AS "runId", r.play_id AS "playId", r.title, r.subject, r.ordinal, r.state, r.reason,
  r.trigger, r.policy_version AS "policyVersion", r.at`;
const taskColumns = `t.task_id AS "taskId", t.run_id AS "runId", t.agent, t.purpose, t.state, t.reason,
  t.assigned_at AS "assignedAt", t.due_at AS "dueAt", t.settled_at AS "settledAt", t.overdue_at AS "overdueAt",
  coalesce((SELECT jsonb_agg(jsonb_build_object('proposalId', p.proposal_id, 'outcome',
      coalesce(p.outcome, CASE WHEN p.refused_at IS NULL THEN 'open' ELSE 'refused' END),
      'reason', coalesce(p.reason, p.refusal), 'executor', p.executor, 'reference', p.reference,
      'review', p.review, 'reviewedBy', p.reviewed_by) ORDER BY p.proposal_id)
    FROM proposals p WHERE p.task_id = t.task_id), '[]') AS proposals`;

/** Runs, tasks and their outcomes, as JSON; the newest first, at most 200. */
@Controller()
export class Pages {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  @Get('runs')
  async runs(@Query('play') play?: string, @Query('state') state?: string): Promise<{ runs: unknown[] }> {
    const runs = await this.runtime.read(
      `SELECT ${runColumns} FROM runs r
       WHERE ($1::text IS NULL OR play_id = $1) AND ($2::text IS NULL OR state = $2) ORDER BY at DESC, run_id LIMIT ${listed}`,
      [play ?? null, state ?? null],
    );
    return { runs };
  }

  @Get('runs/:id')
  async run(@Param('id') id: string): Promise<unknown> {
    const [run] = uuid.test(id)
      ? await this.runtime.read(`SELECT ${runColumns}, r.evidence FROM runs r WHERE run_id = $1`, [id])
      : [];
    if (!run) throw problem(404, 'no such run', `there is no run ${id.slice(0, 60)}`);
    const [checkpoint] = await this.runtime.read(
      `SELECT checkpoint_id AS "checkpointId", reviewers, deadline, answer, answered_by AS "answeredBy", answered_at AS "answeredAt",
         coalesce((SELECT jsonb_agg(to_jsonb(a) - 'checkpoint_id' ORDER BY a.at) FROM checkpoint_answers a
                   WHERE a.checkpoint_id = c.checkpoint_id), '[]') AS answers
       FROM checkpoints c WHERE run_id = $1`,
      [id],
    );
    return { ...run, checkpoint: checkpoint ?? null, tasks: await this.tasksOf(id) };
  }

  @Get('tasks')
  async tasks(@Query('run') run?: string, @Query('overdue') overdue?: string): Promise<{ tasks: unknown[] }> {
    if (run !== undefined && !uuid.test(run)) throw problem(400, 'not a run id', 'run: a UUID is expected', 'run');
    return { tasks: await this.tasksOf(run ?? null, overdue === 'true') };
  }

  private tasksOf(run: string | null, overdueOnly = false): Promise<unknown[]> {
    return this.runtime.read(
      `SELECT ${taskColumns} FROM tasks t
       WHERE ($1::uuid IS NULL OR run_id = $1) AND (NOT $2 OR overdue_at IS NOT NULL)
       ORDER BY assigned_at DESC, task_id LIMIT ${listed}`,
      [run, overdueOnly],
    );
  }
}

/** RFC 9457. */
const problem = (status: number, title: string, detail: string, field?: string): HttpException =>
  new HttpException({ type: 'about:blank', title, status, detail, ...(field !== undefined && { field }) }, status);

import { longest } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { RunAnswer, RunsAnswer, TasksAnswer } from '../core/answers.js';

const listed = 200;
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

const Runs = z.object({ play: z.string().max(300).optional(), state: z.string().max(300).optional() });
const Tasks = z.object({
  run: z.string().regex(uuid, 'a UUID is expected').optional(),
  overdue: z.string().max(300).optional().describe('true: only what is overdue'),
  unsettled: z.string().max(300).optional().describe('true: only what was not settled in time'),
});
/** If there is no such run, the answer is 404, whatever the form of the id. */
const RunId = z.string().min(1).max(100);

const runColumns = `r.run_id AS "runId", r.play_id AS "playId", r.title, r.subject, r.ordinal, r.state, r.reason,
  r.trigger, r.policy_version AS "policyVersion", r.at`;
/**
 * All proposals of a task that was answered before this time must have ended by now: the longest time for a person's answer or for the
 * send time, plus the lifetime of a permit, has passed since.
 */
const endedBefore = (now: string): string =>
  new Date(
    Date.parse(now) -
      Math.max(longest.reviewMinutes * 60_000, longest.sendAheadDays * 86_400_000) -
      longest.permitSeconds * 1000 -
      3_600_000,
  ).toISOString();
// The first parameter is `endedBefore`.
const unsettled = 't.settled_at < $1';
/** The result of each proposal of a task, as reported by the executor that its permit names; see `Permits1764300000063` for older ones. */
const ended = `task_proposals n LEFT JOIN proposals p USING (proposal_id) LEFT JOIN permits m USING (proposal_id) LEFT JOIN LATERAL (
      SELECT 1 AS nth, s.outcome, s.executor, s.reason, s.reference FROM settlements s
        WHERE s.permit_id = m.permit_id AND s.executor = m.executor AND s.digest = m.digest
      UNION ALL SELECT 2, p.outcome, p.executor, p.reason, p.reference
        WHERE p.outcome IS NOT NULL AND (m.executor IS NULL OR m.executor = p.executor)
      ORDER BY nth LIMIT 1) e ON true`;
const taskColumns = `t.task_id AS "taskId", t.run_id AS "runId", t.agent, t.purpose, t.state, t.reason,
  t.assigned_at AS "assignedAt", t.due_at AS "dueAt", t.settled_at AS "settledAt", t.overdue_at AS "overdueAt",
  coalesce((SELECT jsonb_agg(jsonb_build_object('proposalId', n.proposal_id, 'outcome',
      coalesce(e.outcome, CASE WHEN p.refused_at IS NOT NULL THEN 'refused' WHEN ${unsettled} THEN 'unsettled' ELSE 'open' END),
      'reason', coalesce(e.reason, p.refusal, CASE WHEN e.outcome IS NULL AND ${unsettled} THEN
        'it was neither refused nor settled in the time in which it must have ended' END),
      'executor', e.executor, 'reference', e.reference,
      'review', p.review, 'reviewedBy', p.reviewed_by) ORDER BY n.proposal_id)
    FROM ${ended} WHERE n.task_id = t.task_id), '[]') AS proposals`;

/** Runs, tasks and their outcomes, as JSON; the newest first, at most 200. */
@Controller()
export class Pages {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  @Get('runs')
  @Documented({ summary: 'Runs of plays, newest first', answers: { 200: RunsAnswer } })
  async runs(@Query({ schema: Runs }) { play, state }: z.infer<typeof Runs>): Promise<{ runs: unknown[] }> {
    const runs = await this.runtime.readForPage(
      `SELECT ${runColumns} FROM runs r
       ${where(play !== undefined && 'play_id = $1', state !== undefined && `state = $${play === undefined ? 1 : 2}`)}
       ORDER BY at DESC, run_id LIMIT ${listed}`,
      [play, state].filter((value) => value !== undefined),
    );
    return { runs };
  }

  @Get('runs/:id')
  @Documented({ summary: 'One run with its tasks and its checkpoint', answers: { 200: RunAnswer }, problems: [404] })
  async run(@Param('id', { schema: RunId }) id: string): Promise<unknown> {
    const [run] = uuid.test(id)
      ? await this.runtime.readForPage(`SELECT ${runColumns}, r.evidence FROM runs r WHERE run_id = $1`, [id])
      : [];
    if (!run) throw problem(404, 'no such run', `there is no run ${id.slice(0, 60)}`);
    const [checkpoint] = await this.runtime.readForPage(
      `SELECT checkpoint_id AS "checkpointId", reviewers, deadline, answer, answered_by AS "answeredBy", answered_at AS "answeredAt",
         coalesce((SELECT jsonb_agg(to_jsonb(a) - 'checkpoint_id' ORDER BY a.at) FROM checkpoint_answers a
                   WHERE a.checkpoint_id = c.checkpoint_id), '[]') AS answers
       FROM checkpoints c WHERE run_id = $1`,
      [id],
    );
    return { ...run, checkpoint: checkpoint ?? null, tasks: await this.tasksOf(id) };
  }

  @Get('tasks')
  @Documented({ summary: 'Tasks and what became of their proposals, newest first', answers: { 200: TasksAnswer } })
  async tasks(
    @Query({ schema: Tasks }) { run, overdue, unsettled }: z.infer<typeof Tasks>,
  ): Promise<{ tasks: unknown[] }> {
    return { tasks: await this.tasksOf(run ?? null, overdue === 'true', unsettled === 'true') };
  }

  private tasksOf(run: string | null, overdueOnly = false, unsettledOnly = false): Promise<unknown[]> {
    return this.runtime.readForPage(
      `SELECT ${taskColumns} FROM tasks t
       ${where(
         run !== null && 'run_id = $2',
         overdueOnly && 'overdue_at IS NOT NULL',
         unsettledOnly &&
           `${unsettled} AND EXISTS (SELECT FROM ${ended} WHERE n.task_id = t.task_id AND e.outcome IS NULL AND p.refused_at IS NULL)`,
       )}
       ORDER BY assigned_at DESC, task_id LIMIT ${listed}`,
      [endedBefore(this.runtime.now()), ...(run === null ? [] : [run])],
    );
  }
}

/** Only the conditions that were requested: a condition that may be absent would prevent the use of the index for one that is present. */
const where = (...asked: readonly (string | false)[]): string => {
  const conditions = asked.filter((condition) => condition !== false);
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
};

const problem = (status: number, title: string, detail: string, field?: string): Refused =>
  new Refused({ status, title, detail, ...(field !== undefined && { field }) });

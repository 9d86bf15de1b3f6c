import type { TaskAssigned } from '@countersign/contracts';
import { type Job, type JobContext, type JobKind, jobName } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { answer, declined, isLate, latePlan, withModel } from '../core/answer.js';
import { type ClampedPlan, clamp } from '../core/clamp.js';
import { type Facts, plannedFrom } from '../core/facts.js';
import { modelUse } from '../core/model/calls.js';
import { AGENT, type AgentDefinition } from './agent-definition.js';
import { boundsOf } from './bounds.js';
import { readFacts } from './facts.repository.js';
import { MODEL, type ModelAccess } from './model-access.js';
import { questionBook, questionsOf } from './model-calls.js';
import { modelPlanner } from './model-planner.js';
import { answerTasks, storedPlan, storePlan, tasksById } from './proposals.repository.js';
import { tokenBudget } from './token-budget.js';

export const planKind = jobName<{ taskId: string }>('plan');

type Ready =
  | { readonly state: 'kept' }
  | { readonly state: 'declined'; readonly reason: string }
  | { readonly state: 'open'; readonly facts: Facts };

/** Plans a task with the model, outside every transaction. The plan is stored before the task is answered. */
@Injectable()
export class PlanJobs implements JobKind<{ taskId: string }>, OnModuleDestroy {
  readonly kind = planKind;
  readonly plannedOnce = true;
  readonly batch = 1;
  readonly parallel = 4;
  readonly leaseMs: number;
  private readonly stopping = new AbortController();
  private readonly log: Logger;

  constructor(
    @Inject(AGENT) private readonly agent: AgentDefinition,
    @Inject(MODEL) private readonly model: ModelAccess | null,
  ) {
    // Two questions, and time for the database before and after them.
    this.leaseMs = 2 * (model?.timeoutMs ?? 0) + 30_000;
    this.log = new Logger(agent.name);
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  async work(jobs: readonly Job<{ taskId: string }>[], context: JobContext): Promise<void> {
    await Promise.all(jobs.map((job) => this.plan(job, context)));
  }

  private async plan(job: Job<{ taskId: string }>, context: JobContext): Promise<void> {
    const { taskId } = job.payload;
    if (this.stopping.signal.aborted) return context.later(job, soonAfter(context.now()));
    const { task, ready } = await context.transaction(async ({ tx, at }) => {
      const found = (await tasksById(tx, [taskId])).get(taskId);
      if (!found) throw new Error(`task ${taskId} is not known`);
      return { task: found, ready: await this.ready(tx, found, at) };
    });
    if (ready.state === 'open') {
      const at = context.now();
      const plan = await this.ask(task, ready.facts, at, context);
      if (plan === 'stopped') return context.later(job, soonAfter(at));
      await context.transaction(async (work) =>
        storePlan(work.tx, taskId, plan, plannedFrom(plan, ready.facts), work.at),
      );
    }
    await context.finish([job], async (_owned, work) => {
      const stored = await storedPlan(work.tx, taskId);
      const given = stored
        ? answer(task, stored.plan, stored.from, work.at)
        : declined(task, ready.state === 'declined' ? ready.reason : latePlan, work.at);
      const model = modelUse(await questionsOf(work.tx, taskId), this.model?.name);
      await answerTasks(work, [{ cause: job.cause, task, answer: withModel(given, model) }]);
    });
  }

  private async ready(tx: Parameters<typeof storedPlan>[0], task: TaskAssigned, at: string): Promise<Ready> {
    if (await storedPlan(tx, task.taskId)) return { state: 'kept' };
    if (isLate(task, at)) return { state: 'declined', reason: latePlan };
    const found = (await readFacts(tx, [task])).get(task.taskId);
    return found?.ok
      ? { state: 'open', facts: found.facts }
      : { state: 'declined', reason: found?.detail ?? 'facts unclear' };
  }

  private async ask(
    task: TaskAssigned,
    facts: Facts,
    at: string,
    context: JobContext,
  ): Promise<ClampedPlan | 'stopped'> {
    const bounds = boundsOf(this.agent, task);
    const { rules } = this.agent;
    const planner = this.model
      ? modelPlanner({
          access: this.model,
          rules,
          bounds,
          budget: tokenBudget(context, at.slice(0, 10), this.model.tokensPerDay),
          questions: questionBook(context, task.taskId, this.model.name),
          stop: this.stopping.signal,
          log: this.log,
        })
      : rules;
    try {
      return clamp(await planner.plan(task, facts, at), task, facts, at, bounds);
    } catch (error) {
      if (this.stopping.signal.aborted) return 'stopped';
      throw error;
    }
  }
}

/** Late enough that the stopping instance does not take the job again. */
const soonAfter = (at: string): string => new Date(Date.parse(at) + 2_000).toISOString();

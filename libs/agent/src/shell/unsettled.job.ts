import { type Job, type JobContext, type JobKind, jobName } from '@countersign/runtime';
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { AGENT, type AgentDefinition, FOLLOW_UP, type FollowUp } from './agent-definition.js';
import { endUnsettled, forgetSettlements } from './proposals.repository.js';

const lookEveryMs = 3_600_000;

/**
 * Ends proposals about which nothing is ever received, so that nobody waits for them for ever. There is one job for all of them. It
 * schedules the next job itself; the first one is created with the tables.
 */
@Injectable()
export class UnsettledJobs implements JobKind {
  readonly kind = jobName<unknown>('unsettled-proposals');
  readonly leaseMs = 30_000;
  readonly batch = 1;
  private readonly log: Logger;

  constructor(
    @Inject(AGENT) agent: AgentDefinition,
    @Optional() @Inject(FOLLOW_UP) private readonly followUp: FollowUp | undefined,
  ) {
    this.log = new Logger(agent.name);
  }

  async work(jobs: readonly Job[], context: JobContext): Promise<void> {
    await context.finish(jobs, async ([job], work) => {
      if (!job) return;
      const ended = await endUnsettled(work.tx, work.at);
      for (const { proposalId, taskId } of ended)
        this.log.warn(
          `proposal ${proposalId} of task ${taskId} was never refused or settled; nothing waits for it any more`,
        );
      await this.followUp?.unsettled(ended, work);
      forgetSettlements(work.tx, work.at);
      const next = new Date(Math.floor(Date.parse(work.at) / lookEveryMs + 1) * lookEveryMs).toISOString();
      // It belongs to no trace, because the trace would never end.
      const cause = { source: job.cause.source, id: job.cause.id };
      work.schedule(cause, { kind: this.kind, id: next, dueAt: next, payload: {} });
    });
  }
}

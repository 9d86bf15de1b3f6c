import { topics } from '@countersign/contracts';
import { type Job, type JobContext, type JobKind, jobName } from '@countersign/runtime';
import { Injectable, Logger } from '@nestjs/common';
import { taskKey } from '../core/begin.js';
import { withheld } from '../core/checkpoint.js';
import { sweep } from './facts.repository.js';
import { closeCheckpoint, lockCheckpoints, markOverdue, setRunState } from './runs.repository.js';
import { forgetWaiting } from './settlements.repository.js';

export const taskDeadline = jobName<null>('task-deadline');
export const checkpointDeadline = jobName<null>('checkpoint-deadline');
export const sweeping = jobName<null>('sweep');

/** Marks a task that was not settled by its due time. */
@Injectable()
export class TaskDeadlines implements JobKind<null> {
  readonly kind = taskDeadline;
  readonly leaseMs = 30_000;
  readonly batch = 100;
  private readonly log = new Logger('plays');

  async work(jobs: readonly Job<null>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (owned, { tx, at }) => {
      const overdue = await markOverdue(
        tx,
        owned.map((job) => job.id),
        at,
      );
      for (const { taskId, agent } of overdue) this.log.warn(`task ${taskId} is overdue: ${agent} has not settled it`);
    });
  }
}

/** Ends a checkpoint that was not answered: its tasks are never assigned. */
@Injectable()
export class CheckpointDeadlines implements JobKind<null> {
  readonly kind = checkpointDeadline;
  readonly leaseMs = 30_000;
  readonly batch = 20;

  async work(jobs: readonly Job<null>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (owned, work) => {
      const { tx, at } = work;
      const checkpoints = await lockCheckpoints(
        tx,
        owned.map((job) => job.id),
      );
      const open = owned.flatMap((job) => {
        const checkpoint = checkpoints.get(job.id);
        return checkpoint?.answer === null ? [{ job, checkpoint }] : [];
      });
      for (const { job, checkpoint } of open) {
        closeCheckpoint(tx, checkpoint.checkpointId, 'expired', null, at);
        const reason = { code: 'late', detail: `no answer had come by ${checkpoint.deadline}` };
        work.emit(job.cause, topics.tasksEscalated, {
          key: taskKey(checkpoint.tasks[0]),
          type: 'TaskWithheld',
          data: withheld(checkpoint, { outcome: 'expired', reason }, at),
        });
      }
      setRunState(
        tx,
        open.map(({ checkpoint }) => checkpoint.runId),
        'expired',
        'nobody answered the checkpoint in time',
      );
    });
  }
}

/** Once a day, deletes facts that no play can look back to, and settlements of unknown permits. */
@Injectable()
export class Sweeps implements JobKind<null> {
  readonly kind = sweeping;
  readonly leaseMs = 300_000;
  readonly batch = 1;
  private readonly log = new Logger('plays');

  async work(jobs: readonly Job<null>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (_owned, { tx, at }) => {
      await sweep(tx, at);
      const dropped = await forgetWaiting(tx, at);
      if (dropped > 0) this.log.warn(`${dropped} settlements forgotten: nobody approved what they say was settled`);
    });
  }
}

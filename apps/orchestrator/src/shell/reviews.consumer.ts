import { type Control, own, type ReviewDecided, topics } from '@countersign/contracts';
import {
  type Batch,
  type Cause,
  Consumes,
  causeOf,
  RUNTIME,
  type Runtime,
  type Tx,
  type Work,
} from '@countersign/runtime';
import { Controller, Inject, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { redated, taskKey } from '../core/begin.js';
import { answerCheckpoint, heldBack, withheld } from '../core/checkpoint.js';
import { scopesOf, stop } from '../core/detect.js';
import type { Subject } from '../core/facts.js';
import { assign } from './assign.js';
import { controlsOn } from './controls.js';
import {
  closeCheckpoint,
  lockCheckpoints,
  noteAnswer,
  noteReviews,
  type StoredCheckpoint,
  setRunState,
} from './runs.repository.js';

/** Takes people's answers to checkpoints. Each of them has an effect or is set aside, and an event says which. */
@Controller()
export class Reviews {
  private readonly log = new Logger('plays');

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  @Consumes(topics.reviewsDecided)
  async onReviews(@Payload() batch: Batch<'ReviewDecided'>): Promise<void> {
    const { tx } = batch;
    const reviews = batch.events.map(({ event }) => event.data);
    noteReviews(
      tx,
      reviews.filter((r) => r.subject.kind === 'proposal'),
    );
    const ids = reviews.filter((r) => r.subject.kind === 'checkpoint').map((r) => r.subject.id);
    const checkpoints = await lockCheckpoints(tx, ids);
    for (const received of batch.events) {
      const review = received.event.data;
      if (review.subject.kind !== 'checkpoint') continue;
      const closed = await this.answer(batch, causeOf(received), review, checkpoints.get(review.subject.id));
      if (closed) checkpoints.set(closed.checkpointId, closed);
    }
  }

  /** Returns the checkpoint as the answer left it, if the answer counts. */
  private async answer(
    work: Work,
    cause: Cause,
    review: ReviewDecided,
    checkpoint: StoredCheckpoint | undefined,
  ): Promise<StoredCheckpoint | undefined> {
    const { tx, at } = work;
    const { reviewId, by } = review;
    const key = checkpoint ? taskKey(checkpoint.tasks[0]) : review.subject.id;
    const answer = answerCheckpoint(checkpoint, review);
    if (answer.outcome === 'set-aside') {
      const { reason } = answer;
      this.log.warn(`answer ${reviewId} to ${review.subject.id} set aside: ${reason.code}`);
      noteAnswer(tx, review, answer.outcome, reason.detail, at);
      const data = { reviewId, checkpointId: review.subject.id, by, reason, at };
      work.emit(cause, topics.tasksEscalated, { key, type: 'TaskReviewSetAside', data });
      return undefined;
    }
    const { outcome: answered, checkpoint: open } = answer;
    noteAnswer(tx, review, answered, null, at);
    closeCheckpoint(tx, open.checkpointId, answered, by, at);
    const end = answered === 'approved' ? await this.approved(tx, open, by) : rejected(by);
    setRunState(tx, [open.runId], end.outcome, end.reason.detail);
    if (end.outcome === 'started') {
      const tasks = redated(open.tasks, at);
      assign(
        work,
        tasks.map((task) => ({ task, cause })),
      );
    } else {
      const data = withheld(open, { ...end, review: { reviewId, by } }, at);
      work.emit(cause, topics.tasksEscalated, { key, type: 'TaskWithheld', data });
    }
    return { ...open, answer: answered, answeredBy: by };
  }

  /** What an approval makes of the run at this moment: its tasks go out, or they never do. */
  private async approved(tx: Tx, checkpoint: StoredCheckpoint, by: string) {
    const policy = (await this.runtime.state(tx, topics.policies, ['main'])).get('main')?.data;
    const playNow = own(policy?.parts ?? {}, `play:${checkpoint.tasks[0].play.id}`);
    const held = heldBack(checkpoint, await this.stopped(tx, checkpoint), playNow);
    const detail = `approved by ${by}`;
    return held
      ? { outcome: 'suppressed' as const, reason: { ...held, detail: `${detail}, but ${held.detail}` } }
      : { outcome: 'started' as const, reason: { code: 'approved', detail } };
  }

  /** The stop under which the tasks of a checkpoint must not be assigned now, or null. */
  private async stopped(tx: Tx, { tasks: [task] }: StoredCheckpoint): Promise<Control | null> {
    const subject: Subject =
      task.accountId !== undefined
        ? { kind: 'account', accountId: task.accountId }
        : { kind: 'campaign', adAccountId: task.adAccountId ?? '', campaignId: task.campaignId ?? '' };
    return stop(task.play, subject, await controlsOn(this.runtime, tx, scopesOf(task.play.id, subject)));
  }
}

const rejected = (by: string) => ({
  outcome: 'rejected' as const,
  reason: { code: 'rejected', detail: `rejected by ${by}` },
});

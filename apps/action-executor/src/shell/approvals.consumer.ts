import { type ActionApproved, derivedId, topics } from '@countersign/contracts';
import { type Batch, Consumes, causeOf, jobName, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';

/** The kind of job that works a permit. */
export const PERMIT = jobName<PermitJob>('permit');

/** The payload of a permit's job: the approval as it was read, and its place on Kafka. It is not trusted before `open()`. */
export interface PermitJob {
  readonly approval: ActionApproved;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/**
 * Takes approvals in. Each approval that names this executor becomes a job that is due at once, so that a forged approval shows at once.
 */
@Controller()
export class Approvals {
  constructor(@Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'service'>) {}

  @Consumes(topics.actionsApproved)
  async onApproved(@Payload() batch: Batch<'ActionApproved'>): Promise<void> {
    for (const received of batch.events) {
      const { source, id, data: approval } = received.event;
      if (approval.executor !== this.runtime.service) continue;
      const { topic, partition, offset } = received;
      const payload: PermitJob = { approval, topic, partition, offset };
      // One job per approval, not one per permit: a replay under another event id must be seen and recorded.
      const job = `${approval.permitId}/${derivedId(source, id)}`;
      batch.schedule(causeOf(received), { kind: PERMIT, id: job, dueAt: batch.at, payload });
    }
  }
}

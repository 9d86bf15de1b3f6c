import type { NotifyRecipient } from '@countersign/contracts';
import type { Job, JobContext, JobKind, Work } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { mayGoAt } from '../core/notify.js';
import { type Mailbox, NotificationStore, type Waiting } from './notifications.repository.js';
import { GATHER, SEND } from './notifier.service.js';
import { NOTIFYING, type Notifying } from './notifying.js';
import { StillTrue, undecidedMs } from './still-true.js';

type GatherJob = Job<{ readonly id: string }>;

/**
 * Makes messages of the due notifications: one message for all that wait for a recipient on a channel and are of one kind. If they must
 * wait, because of quiet hours or because a message of their kind was sent just now, the job looks again then. Nothing is sent here.
 */
@Injectable()
export class GatherNotifications implements JobKind<{ readonly id: string }> {
  readonly kind = GATHER;
  readonly leaseMs = 60_000;
  readonly batch = 200;

  constructor(
    @Inject(NOTIFYING) private readonly notifying: Notifying | undefined,
    @Inject(NotificationStore) private readonly store: NotificationStore,
    @Inject(StillTrue) private readonly stillTrue: StillTrue,
  ) {}

  async work(jobs: readonly GatherJob[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (owned, work) => {
      const ids = owned.map(({ payload }) => payload.id);
      const [job] = owned;
      if (job) for (const mailbox of await this.store.mailboxes(work.tx, ids)) await this.gather(mailbox, job, work);
    });
  }

  private async gather(mailbox: Mailbox, job: GatherJob, work: Work): Promise<void> {
    const { tx, at } = work;
    const lastAt = await this.store.lock(tx, mailbox);
    const { due, rest } = await this.store.due(tx, mailbox, at);
    const recipient = this.recipient(mailbox);
    if (!recipient) this.drop(due, `${notThere(mailbox)} any more`, work);
    const { left, undecided } = recipient ? await this.sorted(due, work) : { left: [], undecided: undefined };
    if (undecided !== undefined) work.schedule(job.cause, lookAgain(undecided, at));
    const [first] = left;
    if (recipient && first) {
      const goesAt = mayGoAt(together(left), recipient, lastAt, at);
      if (goesAt > at) {
        const id = `${first.id} at ${goesAt}`;
        return work.schedule(job.cause, { kind: GATHER, id, dueAt: goesAt, payload: { id: first.id } });
      }
      const ids = left.map(({ id }) => id);
      const messageId = this.store.makeMessage(tx, mailbox, ids, at);
      work.schedule(job.cause, { kind: SEND, id: messageId, dueAt: at, payload: { messageId } });
    }
    // Nothing waits any more of what was read. The jobs of the others may have been worked already.
    if (rest !== undefined)
      work.schedule(job.cause, { kind: GATHER, id: `${rest} behind ${at}`, dueAt: at, payload: { id: rest } });
  }

  /** Drops what is no longer true. Returns what is left to send, and the first of those of which it is not known yet. */
  private async sorted(
    due: readonly Waiting[],
    work: Work,
  ): Promise<{ left: Waiting[]; undecided: string | undefined }> {
    const { untrue: reasons, undecided } = await this.stillTrue.judge(work.tx, due, work.at);
    const byReason = Map.groupBy(
      due.filter(({ id }) => reasons.has(id)),
      ({ id }) => reasons.get(id) ?? '',
    );
    for (const [reason, rows] of byReason) this.drop(rows, reason, work);
    const left = due.filter(({ id }) => !reasons.has(id) && !undecided.has(id));
    return { left, undecided: due.find(({ id }) => undecided.has(id))?.id };
  }

  private drop(rows: readonly Waiting[], reason: string, { tx, at }: Work): void {
    const ids = rows.map(({ id }) => id);
    this.store.end(tx, ids, 'dropped', reason, at);
  }

  private recipient({ recipient, channel }: Mailbox): NotifyRecipient | undefined {
    const found = this.notifying?.config.recipients.find(({ name }) => name === recipient);
    return found?.addresses.some((address) => address.channel === channel) ? found : undefined;
  }
}

/** The job that looks again at a notification of which it is not known yet whether it is still true. */
export function lookAgain(id: string, at: string) {
  // At a whole minute, so that all who wait for the same notification wait for the same job.
  const dueAt = new Date(Math.ceil((Date.parse(at) + undecidedMs) / undecidedMs) * undecidedMs).toISOString();
  return { kind: GATHER, id: `${id} undecided ${dueAt}`, dueAt, payload: { id } };
}

/** If one notification is urgent, the whole message is; the shortest gathering time applies to all. */
const together = (rows: readonly Waiting[]): Pick<Waiting, 'urgent' | 'digestMs'> => ({
  urgent: rows.some(({ urgent }) => urgent),
  digestMs: Math.min(...rows.map(({ digestMs }) => digestMs)),
});

export const notThere = ({ recipient, channel }: Pick<Mailbox, 'recipient' | 'channel'>): string =>
  `notifications.yaml has no ${recipient} with the channel ${channel}`;

import type { Fault } from '@countersign/contracts';
import { type Job, type JobContext, type JobKind, RUNTIME, type Runtime, type Work } from '@countersign/runtime';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Message } from '../core/message.js';
import { nextTry } from '../core/notify.js';
import type { Delivery } from './channels/delivery.js';
import { sendMail } from './channels/mail.js';
import { sendSlack, sendTeams, sendWebhook } from './channels/web.js';
import { lookAgain, notThere } from './gather-notifications.job.js';
import { type MessageRow, NotificationStore } from './notifications.repository.js';
import { SEND } from './notifier.service.js';
import { NOTIFYING, type Notifying } from './notifying.js';
import { SETTINGS, type Settings } from './settings.js';
import { StillTrue } from './still-true.js';

type SendJob = Job<{ readonly messageId: string }>;

/** A message that a channel did not accept. Its text may be logged and stored in a dead letter. */
class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
}

/**
 * Sends messages, each at least once: a message is marked as sent after the channel accepted it, so after a crash in between it is sent
 * again, under the same id. Parts that are no longer true by then are not sent. If a channel does not accept a message now, it is tried
 * again for a day, at growing intervals. A message that is refused for good becomes a dead letter, which an operator may have sent again.
 */
@Injectable()
export class SendNotifications implements JobKind<{ readonly messageId: string }> {
  readonly kind = SEND;
  readonly leaseMs = 120_000;
  readonly batch = 1;
  readonly parallel = 4;
  private readonly log = new Logger('notifications');
  /** Channels that did not accept their last message, and why. */
  private readonly troubled = new Map<string, string>();

  constructor(
    @Inject(RUNTIME) runtime: Runtime,
    @Inject(NOTIFYING) private readonly notifying: Notifying | undefined,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(NotificationStore) private readonly store: NotificationStore,
    @Inject(StillTrue) private readonly stillTrue: StillTrue,
  ) {
    runtime.addHealth('notifications', () => Object.fromEntries(this.troubled), 'others');
  }

  async work(jobs: readonly SendJob[], context: JobContext): Promise<void> {
    for (const job of jobs) await this.workOne(job, context);
  }

  private async workOne(job: SendJob, context: JobContext): Promise<void> {
    const ready = await context.transaction((work) => this.prepare(job, work));
    if (!ready) return context.finish([job], async () => undefined);
    const { row, message } = ready;
    if (row.refusal !== null) throw new NotDelivered(row.refusal);
    const delivery = await this.send(row, message, context.now());
    this.note(row, delivery);
    if (delivery.outcome === 'sent')
      return context.finish([job], async ([owned], { tx, at }) => {
        if (owned) this.store.endMessage(tx, row.messageId, 'sent', null, at);
      });
    const at = context.now();
    const again =
      delivery.outcome === 'later' ? nextTry(row.tries + 1, row.madeAt, at, delivery.askedMs ?? 0) : undefined;
    if (again !== undefined) return context.later(job, again);
    // The channel is not asked again: from here on, the message only becomes a dead letter.
    await context.transaction(async ({ tx }) => this.store.refuse(tx, row.messageId, delivery.words));
    throw new NotDelivered(delivery.words);
  }

  /** Removes parts that are no longer true, and counts the try. Undefined if there is nothing left to send. */
  private async prepare(
    { payload, cause }: SendJob,
    work: Work,
  ): Promise<{ row: MessageRow; message: Message } | undefined> {
    const { tx, at } = work;
    const found = await this.store.lockMessage(tx, payload.messageId);
    if (!found) return undefined;
    const { message: row, rows } = found;
    const { untrue, undecided } = await this.stillTrue.judge(tx, rows, at);
    for (const [id, reason] of untrue) this.store.end(tx, [id], 'dropped', reason, at);
    const [open] = undecided;
    // The other parts do not wait for these: they go into another message, if they are still true then.
    if (open !== undefined) {
      this.store.takeOut(tx, [...undecided]);
      work.schedule(cause, lookAgain(open, at));
    }
    const left = rows.filter(({ id }) => !untrue.has(id) && !undecided.has(id));
    if (left.length === 0) return undefined;
    if (row.refusal === null) this.store.countTry(tx, row.messageId);
    const recipient = this.notifying?.config.recipients.find(({ name }) => name === row.recipient);
    return {
      row,
      message: {
        id: row.messageId,
        event: row.event,
        items: left.map(({ facts, until }) => ({ facts, until })),
        publicUrl: this.settings.publicUrl,
        timeZone: recipient?.timeZone ?? 'UTC',
      },
    };
  }

  private async send(row: MessageRow, message: Message, now: string): Promise<Delivery> {
    const channel = this.notifying?.channels.get(row.channel);
    const address = this.notifying?.addressOf(row.recipient, row.channel);
    if (!channel) return { outcome: 'refused', words: `${notThere(row)} any more` };
    switch (channel.kind) {
      case 'email':
        return address === undefined
          ? { outcome: 'refused', words: `${notThere(row)} any more` }
          : sendMail(channel, address, message);
      case 'slack':
        return sendSlack(channel, address, message);
      case 'teams':
        return sendTeams(channel, message);
      case 'webhook':
        return sendWebhook(channel, message, row.madeAt, now);
    }
  }

  private note({ channel }: MessageRow, delivery: Delivery): void {
    if (delivery.outcome === 'sent') this.troubled.delete(channel);
    else {
      if (!this.troubled.has(channel)) this.log.warn(`the channel ${channel}: ${delivery.words}`);
      this.troubled.set(channel, delivery.words);
    }
  }

  /** Reports that the message was not delivered. A replay of the dead letter sends it again. */
  async giveUp({ payload }: SendJob, { tx, at }: Work, fault: Fault): Promise<boolean> {
    this.store.endMessage(tx, payload.messageId, 'failed', fault.detail, at);
    this.store.refuse(tx, payload.messageId, null);
    return false;
  }
}

import { randomUUID } from 'node:crypto';
import { derivedId, Instant, Name, Uuid } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Headers, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { NotificationsAnswer, notificationStates, TestTakenAnswer } from '../core/notification.answers.js';
import { channelsOf, notification } from '../core/notify.js';
import { problem } from '../core/problem.js';
import { testThing } from '../core/things.js';
import { IdempotencyKey } from './idempotency-key.js';
import { Limit } from './limit.js';
import { NotificationStore } from './notifications.repository.js';
import { Notifier } from './notifier.service.js';
import { NOTIFYING, type Notifying } from './notifying.js';
import { type ConsoleRequest, Needs } from './people.access.js';

const Cursor = z
  .string()
  .max(100)
  .transform((text, context) => {
    const [madeAt, id] = text.split('_');
    const read = z.object({ madeAt: Instant, id: Uuid }).safeParse({ madeAt, id });
    if (read.success) return read.data;
    context.addIssue('is no cursor of this list');
    return z.NEVER;
  });
const Listing = z.object({ state: z.enum(notificationStates).optional(), cursor: Cursor.optional(), limit: Limit });
const TestRequest = z.strictObject({ recipient: Name, channel: Name.optional() });

@Controller('v1/notifications')
export class NotificationPages {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(NOTIFYING) private readonly notifying: Notifying | undefined,
    @Inject(NotificationStore) private readonly store: NotificationStore,
    @Inject(Notifier) private readonly notifier: Notifier,
  ) {}

  @Get()
  @Documented({ summary: 'Who was told of what, the latest first', answers: { 200: NotificationsAnswer } })
  async list(@Query({ schema: Listing }) { state, cursor, limit }: z.infer<typeof Listing>) {
    const found = await this.store.list(state, cursor, limit);
    const last = found.length === limit ? found.at(-1) : undefined;
    return {
      // A file without a rule notifies no one, like a missing file.
      configured: (this.notifying?.config.tell.length ?? 0) > 0,
      notifications: found,
      next: last ? `${last.madeAt}_${last.id}` : null,
    };
  }

  @Post('test')
  @HttpCode(202)
  @Needs('operator')
  @Documented({
    summary: 'Send a test message to a recipient',
    description:
      'It goes at once, on every channel of the recipient or on the one named. The list says what came of it.',
    headers: { 'idempotency-key': IdempotencyKey },
    answers: { 202: TestTakenAnswer },
    problems: [404],
  })
  async test(
    @Body({ schema: TestRequest }) { recipient, channel }: z.infer<typeof TestRequest>,
    @Headers('idempotency-key') header: string | undefined,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const key = readBy(IdempotencyKey, header, 'Idempotency-Key');
    const found = this.notifying?.config.recipients.find(({ name }) => name === recipient);
    const channels = found ? channelsOf(found, channel === undefined ? undefined : [channel]) : [];
    if (channels.length === 0) {
      const detail = `notifications.yaml has no recipient ${recipient}${channel === undefined ? '' : ` with the channel ${channel}`}`;
      throw new Refused(problem(404, 'No such recipient', detail, 'recipient'));
    }
    const id = key === undefined ? randomUUID() : derivedId('test', person.person, recipient, channel ?? '', key);
    const rowsAt = (at: string) => channels.map((name) => notification(testThing(id, at), recipient, name, at));
    const cause = { source: '/countersign/console', id, correlationid: id };
    await this.runtime.transact(cause, async (work) => this.notifier.schedule(work, cause, rowsAt(work.at)));
    const rows = rowsAt(this.runtime.now());
    return { notifications: rows.map((row) => ({ id: row.id, channel: row.channel })) };
  }
}

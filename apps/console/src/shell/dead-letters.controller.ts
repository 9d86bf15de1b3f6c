import { randomUUID } from 'node:crypto';
import { derivedId, services, topics, Uuid } from '@countersign/contracts';
import { Documented, type Reader, Refused, RUNTIME, type Runtime, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { DeadLetterAnswer, DeadLettersAnswer } from '../core/answers.js';
import { PartCursor, paged } from '../core/cursor.js';
import { noSuchLetter, ReplayRequest } from '../core/replay.js';
import { changedSince } from '../core/seen.js';
import { FailureStore, placeOfLetter } from './failures.repository.js';
import { IdempotencyKey } from './idempotency-key.js';
import { Limit } from './limit.js';
import { PathId } from './path-id.js';
import { type ConsoleRequest, Needs } from './people.access.js';

const Listing = z.object({ service: z.enum(services).optional(), cursor: PartCursor.optional(), limit: Limit });

/** Records and jobs that services could not handle, and a person's order to handle one again. */
@Controller('v1/dead-letters')
export class DeadLetters {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(FailureStore) private readonly store: FailureStore,
  ) {}

  @Get()
  @Documented({ summary: 'What services could not handle, open first', answers: { 200: DeadLettersAnswer } })
  async list(@Query({ schema: Listing }) { service, cursor, limit }: z.infer<typeof Listing>) {
    const { page, next } = paged(await this.store.list(service, cursor, limit + 1), limit, placeOfLetter);
    return { deadLetters: page, next };
  }

  @Get(':deadLetterId')
  @Documented({ summary: 'One dead letter', answers: { 200: DeadLetterAnswer }, problems: [404] })
  show(@Param('deadLetterId', { schema: PathId }) deadLetterId: string) {
    return this.letter(deadLetterId, this.store.forPages);
  }

  /**
   * The order goes to the service that the letter belongs to. The service handles a letter until that succeeds, and then never again,
   * however often it is ordered.
   */
  @Post(':deadLetterId/replays')
  @HttpCode(202)
  @Needs('operator')
  @Documented({
    summary: 'Order the service to handle it again',
    headers: { 'idempotency-key': IdempotencyKey },
    answers: { 202: DeadLetterAnswer },
    problems: [404, 409],
  })
  async replay(
    @Param('deadLetterId', { schema: PathId }) deadLetterId: string,
    @Body({ schema: ReplayRequest }) request: z.infer<typeof ReplayRequest>,
    @Headers('idempotency-key') header: string | undefined,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const key = readBy(IdempotencyKey, header, 'Idempotency-Key');
    const { service } = await this.letter(deadLetterId);
    const id = key === undefined ? randomUUID() : derivedId('replay', person.person, deadLetterId, key);
    const cause = { source: '/countersign/console', id, correlationid: id };
    await this.runtime.transact(cause, async (work) => {
      // Within the transaction, so that a repeat is not refused because of its own first try.
      const changed =
        request.seen && changedSince('this dead letter', await this.store.lock(work.tx, deadLetterId), request);
      if (changed) throw new Refused(changed);
      const data = { deadLetterId, service, by: person.person, ...request, at: work.at };
      this.store.order(work.tx, data);
      work.emit(cause, topics.deadLettersReplayed, { key: deadLetterId, subject: deadLetterId, data });
    });
    return this.letter(deadLetterId);
  }

  private async letter(deadLetterId: string, reader?: Reader) {
    const found = Uuid.safeParse(deadLetterId).success ? await this.store.find(deadLetterId, reader) : undefined;
    if (!found) throw new Refused(noSuchLetter(deadLetterId));
    return found;
  }
}

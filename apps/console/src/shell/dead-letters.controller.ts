import { randomUUID } from 'node:crypto';
import { derivedId, services, topics, Uuid } from '@countersign/contracts';
import { type Reader, Refused, RUNTIME, type Runtime, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { noSuchLetter, ReplayRequest } from '../core/replay.js';
import { FailureStore } from './failures.repository.js';
import { Limit } from './limit.js';
import { type ConsoleRequest, Needs } from './people.access.js';

const Listing = z.object({ service: z.enum(services).optional(), limit: Limit });

/** What services could not handle, and a person's order to handle it again. */
@Controller('v1/dead-letters')
export class DeadLetters {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(FailureStore) private readonly store: FailureStore,
  ) {}

  @Get()
  async list(@Query({ schema: Listing }) { service, limit }: z.infer<typeof Listing>) {
    return { deadLetters: await this.store.list(service, limit) };
  }

  @Get(':deadLetterId')
  show(@Param('deadLetterId') deadLetterId: string) {
    return this.letter(deadLetterId, this.store.forPages);
  }

  /**
   * The order goes to the service that the letter is of. The service handles a letter until that succeeds, and then never again,
   * however often it is ordered.
   */
  @Post(':deadLetterId/replays')
  @HttpCode(202)
  @Needs('operator')
  async replay(
    @Param('deadLetterId') deadLetterId: string,
    @Body({ schema: ReplayRequest }) { note }: z.infer<typeof ReplayRequest>,
    @Headers('idempotency-key') header: string | undefined,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const key = readBy(z.string().min(1).max(200).optional(), header, 'Idempotency-Key');
    const { service } = await this.letter(deadLetterId);
    const id = key === undefined ? randomUUID() : derivedId('replay', person.person, deadLetterId, key);
    const cause = { source: '/countersign/console', id, correlationid: id };
    await this.runtime.transact(cause, async (work) => {
      const data = { deadLetterId, service, by: person.person, note, at: work.at };
      this.store.order(work.tx, data);
      work.emit(cause, topics.deadLettersReplayed, { key: deadLetterId, subject: deadLetterId, data });
    });
    return this.letter(deadLetterId);
  }

  private async letter(deadLetterId: string, reader?: Reader) {
    const found = Uuid.safeParse(deadLetterId).success ? await this.store.one(deadLetterId, reader) : undefined;
    if (!found) throw new Refused(noSuchLetter(deadLetterId));
    return found;
  }
}

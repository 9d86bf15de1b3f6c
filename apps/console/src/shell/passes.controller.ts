import { randomUUID } from 'node:crypto';
import { topics } from '@countersign/contracts';
import { Documented, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { Cursor, paged } from '../core/cursor.js';
import { PassAskedAnswer, PassesAnswer } from '../core/record.answers.js';
import { passMs, RecordPassRequest } from '../core/record-pass.js';
import { later } from '../core/session.js';
import { Limit } from './limit.js';
import { PassStore, storePasses } from './passes.repository.js';
import { type ConsoleRequest, Needs } from './people.access.js';

const Page = z.object({ cursor: Cursor.optional(), limit: Limit });

/**
 * Passes to read the whole record. A person asks for one here, with a reason that goes on the record. The record gives its export to the
 * holder of the pass's secret.
 */
@Controller('v1/record/passes')
export class Passes {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(PassStore) private readonly store: PassStore,
  ) {}

  @Get()
  @Documented({
    summary: 'Who asked to read the whole record, and why, the latest first',
    answers: { 200: PassesAnswer },
  })
  async list(@Query({ schema: Page }) { cursor, limit }: z.infer<typeof Page>) {
    const { page, next } = paged(
      await this.store.list(cursor, limit + 1),
      limit,
      ({ passId, at }) => `${at},${passId}`,
    );
    return { passes: page, next };
  }

  @Post()
  @HttpCode(202)
  @Needs('auditor')
  @Documented({
    summary: 'Ask to read the whole record',
    description:
      'The request goes on the record. The audit-recorder then gives its export (GET /v1/passes/export there) to whoever sends the secret of this SHA-256 as bearer token. The console never has the secret.',
    answers: { 202: PassAskedAnswer },
  })
  async ask(@Body({ schema: RecordPassRequest }) request: RecordPassRequest, @Req() { principal }: ConsoleRequest) {
    const passId = randomUUID();
    const cause = { source: '/countersign/console', id: passId, correlationid: passId };
    const done = await this.runtime.transact(cause, async (work) => {
      const { at } = work;
      const data = { passId, ...request, by: principal.person, at, expiresAt: later(at, passMs) };
      work.emit(cause, topics.recordPasses, { key: passId, subject: passId, data });
      storePasses(work.tx, [data]);
      return { passId, expiresAt: data.expiresAt };
    });
    if (done.repeated) throw new TypeError('an id that was made at random was there before');
    return done.result;
  }
}

import { randomUUID } from 'node:crypto';
import { services, topics } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { GapAnswer, GapsAnswer } from '../core/answers.js';
import { AcknowledgeRequest, acknowledgementIdOf } from '../core/gap.js';
import { problem } from '../core/problem.js';
import { GapStore, storeAcknowledgements } from './gaps.repository.js';
import { Limit } from './limit.js';
import { type ConsoleRequest, Needs } from './people.access.js';

const Listing = z.object({ limit: Limit });

/** People acknowledge that a service can no longer read certain records. */
@Controller('v1/gaps')
export class Gaps {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(GapStore) private readonly store: GapStore,
  ) {}

  @Get('acknowledged')
  @Documented({ summary: 'Gaps that people have acknowledged, the latest first', answers: { 200: GapsAnswer } })
  async list(@Query({ schema: Listing }) { limit }: z.infer<typeof Listing>) {
    return { acknowledged: await this.store.list(limit) };
  }

  /**
   * The acknowledgement goes to the service, which then no longer reports the gap. If the gap was acknowledged before, the answer is the
   * first acknowledgement.
   */
  @Post('acknowledged')
  @HttpCode(202)
  @Needs('operator')
  @Documented({
    summary: 'Acknowledge that records were lost',
    answers: { 202: GapAnswer },
  })
  async acknowledge(
    @Body({ schema: AcknowledgeRequest }) request: z.infer<typeof AcknowledgeRequest>,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const known: readonly string[] = services;
    if (!known.includes(request.service))
      throw new Refused(
        problem(400, 'No such service', `no service is called so; there is ${known.join(', ')}`, 'service'),
      );
    // A restored database may have the gap again, and its service needs the acknowledgement again.
    const id = randomUUID();
    const cause = { source: '/countersign/console', id, correlationid: id };
    await this.runtime.transact(cause, async (work) => {
      const data = { ...request, by: person.person, at: work.at };
      storeAcknowledgements(work.tx, [data]);
      const subject = `${request.topic}/${request.partition}`;
      work.emit(cause, topics.gapsAcknowledged, { key: request.service, subject, data });
    });
    return this.store.find(acknowledgementIdOf(request));
  }
}

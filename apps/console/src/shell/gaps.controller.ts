import { randomUUID } from 'node:crypto';
import { services, topics, topology } from '@countersign/contracts';
import { Documented, deployment, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { AcknowledgedGapsAnswer, GapAnswer, OpenGapsAnswer } from '../core/answers.js';
import { Cursor, paged } from '../core/cursor.js';
import { AcknowledgeRequest, gapIdOf, refusalOf, stateOf } from '../core/gap.js';
import { problem } from '../core/problem.js';
import { changedSince } from '../core/seen.js';
import { GapStore, type OpenGap, storeAcknowledgements } from './gaps.repository.js';
import { Limit } from './limit.js';
import { type ConsoleRequest, Needs } from './people.access.js';

const installed = topology(deployment());
const OpenListing = z.object({ cursor: Cursor.optional(), limit: Limit });
const Listing = z.object({ limit: Limit });

/** Records that services can no longer read, and people's acknowledgements of that. */
@Controller('v1/gaps')
export class Gaps {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(GapStore) private readonly store: GapStore,
  ) {}

  @Get()
  @Documented({ summary: 'Gaps that services report as open, the oldest first', answers: { 200: OpenGapsAnswer } })
  async open(@Query({ schema: OpenListing }) { cursor, limit }: z.infer<typeof OpenListing>) {
    const found = await this.store.open(cursor, limit + 1);
    const { page, next } = paged(found, limit, ({ noticedAt, gapId }) => `${noticedAt},${gapId}`);
    return { open: await this.withState(page), next };
  }

  @Get('acknowledged')
  @Documented({
    summary: 'Gaps that people have acknowledged, the latest first',
    answers: { 200: AcknowledgedGapsAnswer },
  })
  async acknowledged(@Query({ schema: Listing }) { limit }: z.infer<typeof Listing>) {
    return { acknowledged: await this.store.acknowledged(limit) };
  }

  /**
   * The acknowledgement goes to the service, which then no longer reports the gap and answers. Only a gap that the service has
   * reported, and that is open, can be acknowledged. If several people acknowledge it at once, the service obeys the first.
   */
  @Post('acknowledged')
  @HttpCode(202)
  @Needs('operator')
  @Documented({
    summary: 'Acknowledge that records were lost',
    answers: { 202: GapAnswer },
    problems: [404, 409],
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
    const gapId = gapIdOf(request);
    const refusal = refusalOf(request, await this.store.known(gapId));
    if (refusal) throw new Refused(refusal);
    const changed = request.seen && changedSince('this gap', await this.shown(gapId), request);
    if (changed) throw new Refused(changed);
    const id = randomUUID();
    const cause = { source: '/countersign/console', id, correlationid: id };
    const done = await this.runtime.transact(cause, async (work) => {
      const data = { ...request, by: person.person, at: work.at };
      storeAcknowledgements(work.tx, [data]);
      const subject = `${request.topic}/${request.partition}`;
      work.emit(cause, topics.gapsAcknowledged, { key: request.service, subject, data });
      return work.at;
    });
    if (done.repeated) throw new TypeError('an id that was made at random was there before');
    return this.store.find(gapId, done.result);
  }

  /** An open gap as the list has it; null if it is not open any more. */
  private async shown(gapId: string) {
    const [gap] = await this.withState(await this.store.open(undefined, 1, gapId));
    return gap ?? null;
  }

  private async withState(gaps: readonly OpenGap[]) {
    const madeAgain = await this.store.madeAgain([...new Set(gaps.map(({ topic }) => topic))]);
    return gaps.map((gap) => ({ ...gap, state: stateOf(gap, installed, madeAgain) }));
  }
}

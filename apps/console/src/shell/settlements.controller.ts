import { topics, Uuid } from '@countersign/contracts';
import { Documented, type Reader, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { UnresolvedAnswer, UnresolvedListAnswer } from '../core/answers.js';
import { Cursor, paged } from '../core/cursor.js';
import { problem } from '../core/problem.js';
import { decide, decisionIdOf, notUnresolved, SettleRequest, shown, type Unresolved } from '../core/settle.js';
import { Limit } from './limit.js';
import { PathId } from './path-id.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { UnresolvedStore } from './unresolved.repository.js';

const Listing = z.object({ cursor: Cursor.optional(), limit: Limit });

/** Permits that ended unresolved: only a person can find out what happened. */
@Controller('v1/settlements')
export class Settlements {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(UnresolvedStore) private readonly store: UnresolvedStore,
  ) {}

  @Get()
  @Documented({ summary: 'Permits that ended unresolved', answers: { 200: UnresolvedListAnswer } })
  async list(@Query({ schema: Listing }) { cursor, limit }: z.infer<typeof Listing>) {
    const found = await this.store.waiting(cursor, limit + 1);
    const { page, next } = paged(found, limit, ({ at, permitId }) => `${at},${permitId}`);
    return { unresolved: page.map(shown), next };
  }

  @Get(':permitId')
  @Documented({ summary: 'One permit that ended unresolved', answers: { 200: UnresolvedAnswer }, problems: [404, 409] })
  async show(@Param('permitId', { schema: PathId }) permitId: string) {
    return shown(await this.unresolved(permitId, this.store.forPages));
  }

  /** The decision goes to the executor. Its result shows here after the executor has settled it. */
  @Post(':permitId')
  @HttpCode(202)
  @Needs('reviewer')
  @Documented({
    summary: 'Say whether it was executed or failed',
    answers: { 202: UnresolvedAnswer },
    problems: [404, 409],
  })
  async settle(
    @Param('permitId', { schema: PathId }) permitId: string,
    @Body({ schema: SettleRequest }) request: z.infer<typeof SettleRequest>,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const { correlationId, traceparent } = await this.unresolved(permitId);
    const cause = { source: '/countersign/console', id: decisionIdOf(permitId), correlationid: correlationId };
    const done = await this.runtime.transact(
      cause,
      async (work) => {
        const found = await this.store.lock(work.tx, permitId);
        if (!found) throw noSuch(permitId);
        const { decided, repeated } = accepted(decide(request, found, person.person, work.at));
        if (repeated) return;
        this.store.insertDecision(work.tx, decided);
        work.emit(cause, topics.settlementsDecided, {
          key: found.key,
          subject: permitId,
          data: decided,
        });
      },
      traceparent,
    );
    const now = await this.unresolved(permitId);
    // There is a decision already: the same decision is accepted, and a different one is answered with the person who decided first.
    if (done.repeated) accepted(decide(request, now, person.person, this.runtime.now()));
    return shown(now);
  }

  private async unresolved(permitId: string, reader?: Reader): Promise<Unresolved> {
    if (!Uuid.safeParse(permitId).success) throw noSuch(permitId);
    const found = await this.store.permit(permitId, reader);
    if (found) return found;
    const outcome = await this.store.outcomeOf(permitId, reader);
    throw outcome === undefined ? noSuch(permitId) : new Refused(notUnresolved(permitId, outcome));
  }
}

function accepted(outcome: ReturnType<typeof decide>) {
  if (!outcome.ok) throw new Refused(outcome.problem);
  return outcome;
}

const noSuch = (permitId: string): Refused =>
  new Refused(
    problem(
      404,
      'No such permit',
      `no settlement of a permit ${permitId} is known: it has not ended, or there is none`,
    ),
  );

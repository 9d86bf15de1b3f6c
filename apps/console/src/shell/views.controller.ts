import { Documented, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { EventsAnswer, FunnelAnswer, WhoamiAnswer } from '../core/answers.js';
import { funnel } from '../core/funnel.js';
import { Store } from './console.repository.js';
import { Limit } from './limit.js';
import type { ConsoleRequest } from './people.access.js';

const Chain = z.object({ correlation: z.string().min(1).max(300), limit: Limit });

@Controller('v1')
export class Views {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
  ) {}

  @Get('whoami')
  @Documented({ summary: 'Whose token this is', answers: { 200: WhoamiAnswer } })
  whoami(@Req() { principal: person }: ConsoleRequest) {
    return { person: person.person, roles: person.roles };
  }

  @Get('funnel')
  @Documented({ summary: 'The way from signals to effects, in numbers', answers: { 200: FunnelAnswer } })
  async funnel() {
    const at = this.runtime.now();
    return funnel(await this.store.counts(), await this.store.openCounts(at), at);
  }

  /** `correlation`: a correlation id, or the id of a task, a proposal or a dead letter in the chain. */
  @Get('events')
  @Documented({ summary: 'What happened in the chain that an id belongs to', answers: { 200: EventsAnswer } })
  async events(@Query({ schema: Chain }) { correlation, limit }: z.infer<typeof Chain>) {
    return { events: await this.store.activities(correlation, limit) };
  }
}

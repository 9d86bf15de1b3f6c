import { problemLine } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { EventsAnswer, FunnelAnswer, PolicyAnswer, PublishedAnswer, WhoamiAnswer } from '../core/answers.js';
import { funnel } from '../core/funnel.js';
import { problem } from '../core/problem.js';
import { Store } from './console.repository.js';
import { Limit } from './limit.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { Policies } from './policies.service.js';

const Chain = z.object({ correlation: z.string().min(1).max(300), limit: Limit });

@Controller('v1')
export class Views {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(Policies) private readonly policies: Policies,
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

  @Get('policies')
  @Documented({ summary: 'The policy in force', answers: { 200: PolicyAnswer }, problems: [404] })
  async policy() {
    const policy = await this.store.policy(this.store.forPages);
    if (!policy) throw new Refused(problem(404, 'No policy', 'no policy has been published; everything is refused'));
    return policy;
  }

  @Post('policies/publish')
  @HttpCode(200)
  @Needs('publisher')
  @Documented({
    summary: 'Publish the configuration folder as the policy in force',
    answers: { 200: PublishedAnswer },
    problems: [422],
  })
  async publish(@Req() { principal: person }: ConsoleRequest) {
    const publication = await this.policies.publish(person.person);
    if (publication.ok) return publication;
    const lines = publication.problems.map(problemLine);
    throw new Refused(problem(422, 'Configuration not valid', lines.join('\n')));
  }
}

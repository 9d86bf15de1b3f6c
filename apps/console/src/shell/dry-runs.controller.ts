import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics, Uuid } from '@countersign/contracts';
import { ago, type Batch, Consumes, Documented, Refused, RUNTIME, type Runtime, type Work } from '@countersign/runtime';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { z } from 'zod';
import { DryRunAnswer } from '../core/answers.js';
import { problem } from '../core/problem.js';
import { DryRunRequest, tried } from '../core/review.js';
import { Store } from './console.repository.js';
import { DryRunStore } from './dry-runs.repository.js';
import { PathId } from './path-id.js';
import { type ConsoleRequest, Needs } from './people.access.js';

/** How long a page waits for the validator, and how often is looked, in milliseconds. */
const waitMs = 3_000;
const pollMs = 40;
const retentionMs = 600_000;

/** What verdict an answer would have, before it is given: an approval, or an edit while it is written. */
@Controller('v1/reviews')
export class DryRuns {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(DryRunStore) private readonly dryRuns: DryRunStore,
  ) {}

  @Post(':subjectId/dry-run')
  @HttpCode(200)
  @Needs('reviewer')
  @Documented({
    summary: 'What verdict it would have at this moment, as it is or changed',
    description:
      'Without a payload it is asked of the action that waits. Nothing is reserved and nothing follows from it; the verdict on the answer itself may be another one.',
    answers: { 200: DryRunAnswer },
    problems: [404, 409],
  })
  async ask(
    @Param('subjectId', { schema: PathId }) subjectId: string,
    @Body({ schema: DryRunRequest }) asked: z.infer<typeof DryRunRequest>,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const at = this.runtime.now();
    const found = Uuid.safeParse(subjectId).success ? await this.store.escalation(at, subjectId) : undefined;
    if (!found) throw new Refused(problem(404, 'Nothing to review', `no proposal ${subjectId} was escalated`));
    const { escalation, standing } = found;
    const dryRunId = randomUUID();
    const answer = tried(asked, escalation, standing, person, dryRunId, at);
    if (!answer.ok) throw new Refused(answer.problem);
    const { action } = answer;
    const cause = { source: '/countersign/console', id: dryRunId, correlationid: escalation.correlationId };
    const ask = async (work: Work) => {
      const data = { dryRunId, proposalId: subjectId, action, by: person.person, at: work.at };
      this.dryRuns.ask(work.tx, data, new Date(Date.parse(work.at) - retentionMs).toISOString());
      work.emit(cause, topics.dryRunsAsked, { key: subjectId, data, subject: subjectId });
    };
    // Each has an id of its own, which no request can repeat, and there are as many as somebody types letters and opens cards.
    await this.runtime.transact(cause, ask, undefined, 'for a week');
    for (const waited = ago(); waited() < waitMs; await sleep(pollMs)) {
      const verdict = await this.dryRuns.verdict(dryRunId);
      if (verdict) return { judged: true as const, ...verdict };
    }
    return { judged: false as const };
  }

  @Consumes(topics.dryRunsJudged)
  async onJudged(@Payload() batch: Batch<'DryRunJudged'>): Promise<void> {
    this.dryRuns.judged(
      batch.tx,
      batch.events.map(({ event }) => event.data),
    );
  }
}

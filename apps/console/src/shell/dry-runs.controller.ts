import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics, Uuid } from '@countersign/contracts';
import {
  type Ago,
  ago,
  type Batch,
  Consumes,
  Documented,
  Refused,
  RUNTIME,
  type Runtime,
  type Work,
} from '@countersign/runtime';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { z } from 'zod';
import { DryRunAnswer } from '../core/answers.js';
import { lossByRules } from '../core/loss.js';
import { problem } from '../core/problem.js';
import { DryRunRequest, tried } from '../core/review.js';
import { Store } from './console.repository.js';
import { DryRunStore, type DryVerdict } from './dry-runs.repository.js';
import type { CountDryRun } from './http.js';
import { PathId } from './path-id.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { ReviewFactStore } from './review-facts.repository.js';

/** How long a page waits for the validator, and how often the console looks for the answer, in milliseconds. */
const waitMs = 3_000;
const pollMs = 40;
const retentionMs = 600_000;
/**
 * For this long, a verdict on an unedited proposal also answers the same person's next request for it, if no fact behind it has changed.
 */
const knownMs = 5_000;

interface Known {
  /** The digest of the facts behind the verdict, taken before the verdict was requested. */
  readonly facts: string;
  readonly verdict: DryVerdict;
  readonly since: Ago;
}

const tooMany = problem(
  429,
  'Too many dry runs',
  'you have asked the rules too often within a minute; nothing was asked. Wait, or send your answer: it is judged then',
);

const judgedAnswer = (verdict: DryVerdict) => ({ judged: true as const, ...verdict, loss: lossByRules(verdict) });

/** Shows the verdict that an answer would have, before it is given: for an approval, or for an edit while a person writes it. */
@Controller('v1/reviews')
export class DryRuns {
  private readonly known = new Map<string, Known>();

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(DryRunStore) private readonly dryRuns: DryRunStore,
    @Inject(ReviewFactStore) private readonly facts: ReviewFactStore,
  ) {}

  @Post(':subjectId/dry-run')
  @HttpCode(200)
  @Needs('reviewer')
  @Documented({
    summary: 'What verdict it would have at this moment, as it is or changed',
    description:
      'Without a payload it is asked of the action that waits. Nothing is reserved and nothing follows from it. Within five seconds the same question may get the answer of before, if nothing changed that it rests on; the verdict on the answer itself may be another one.',
    answers: { 200: DryRunAnswer },
    problems: [404, 409, 429],
  })
  async ask(
    @Param('subjectId', { schema: PathId }) subjectId: string,
    @Body({ schema: DryRunRequest }) asked: z.infer<typeof DryRunRequest>,
    @Req() request: ConsoleRequest & { readonly server: { readonly countDryRun: CountDryRun } },
  ) {
    const { principal: person, server } = request;
    const at = this.runtime.now();
    const found = Uuid.safeParse(subjectId).success ? await this.store.escalation(at, subjectId) : undefined;
    if (!found) throw new Refused(problem(404, 'Nothing to review', `no proposal ${subjectId} was escalated`));
    const { escalation, standing } = found;
    const dryRunId = randomUUID();
    const answer = tried(asked, escalation, standing, person, dryRunId, at);
    if (!answer.ok) throw new Refused(answer.problem);
    const key = JSON.stringify([person.person, subjectId]);
    const facts = asked.payload === undefined ? await this.facts.digest(escalation, at) : undefined;
    const known = facts === undefined ? undefined : this.known.get(key);
    if (known && known.facts === facts && known.since() < knownMs) return judgedAnswer(known.verdict);
    const retryAfter = await server.countDryRun(request);
    if (retryAfter !== undefined) throw new Refused({ ...tooMany, retryAfter });
    const { action } = answer;
    const cause = { source: '/countersign/console', id: dryRunId, correlationid: escalation.correlationId };
    const ask = async (work: Work) => {
      const data = { dryRunId, proposalId: subjectId, action, by: person.person, at: work.at };
      this.dryRuns.ask(work.tx, data, new Date(Date.parse(work.at) - retentionMs).toISOString());
      work.emit(cause, topics.dryRunsAsked, { key: subjectId, data, subject: subjectId });
    };
    // Each dry run has an id of its own, which no request can repeat. There are as many as people type letters and open cards.
    await this.runtime.transact(cause, ask, undefined, 'for a week');
    for (const waited = ago(); waited() < waitMs; await sleep(pollMs)) {
      const verdict = await this.dryRuns.verdict(dryRunId);
      if (!verdict) continue;
      if (facts !== undefined) this.remember(key, { facts, verdict, since: ago() });
      return judgedAnswer(verdict);
    }
    return { judged: false as const };
  }

  private remember(key: string, known: Known): void {
    for (const [each, { since }] of this.known) if (since() >= knownMs) this.known.delete(each);
    this.known.set(key, known);
  }

  @Consumes(topics.dryRunsJudged)
  async onJudged(@Payload() batch: Batch<'DryRunJudged'>): Promise<void> {
    this.dryRuns.judged(
      batch.tx,
      batch.events.map(({ event }) => event.data),
    );
  }
}

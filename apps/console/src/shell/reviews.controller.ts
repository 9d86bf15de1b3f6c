import { randomUUID } from 'node:crypto';
import { topics, Uuid } from '@countersign/contracts';
import { Documented, type Reader, Refused, RUNTIME, type Runtime, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import {
  ReviewAnswer,
  ReviewFactsAnswer,
  ReviewResultAnswer,
  ReviewsAnswer,
  ReviewTakenAnswer,
} from '../core/answers.js';
import { cardOf, otherRules } from '../core/card.js';
import { Cursor, paged } from '../core/cursor.js';
import { scopesOf, underStop } from '../core/loss.js';
import { problem } from '../core/problem.js';
import { resultOf } from '../core/result.js';
import { fingerprint, ReviewRequest, review, reviewIdOf, standings } from '../core/review.js';
import { type Standings, Store } from './console.repository.js';
import { ControlStore } from './controls.repository.js';
import { IdempotencyKey } from './idempotency-key.js';
import { Limit } from './limit.js';
import { PathId } from './path-id.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { ReviewFactStore } from './review-facts.repository.js';

const Listing = z.object({ state: z.enum(standings).optional(), cursor: Cursor.optional(), limit: Limit });

@Controller('v1/reviews')
export class Reviews {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(ReviewFactStore) private readonly facts: ReviewFactStore,
    @Inject(ControlStore) private readonly controls: ControlStore,
  ) {}

  @Get()
  @Documented({ summary: 'What waits, or waited, for a person', answers: { 200: ReviewsAnswer } })
  async list(@Query({ schema: Listing }) { state, cursor, limit }: z.infer<typeof Listing>) {
    const at = this.runtime.now();
    const found = await this.store.escalations(at, state, cursor, limit + 1);
    const { page, next } = paged(
      found,
      limit,
      ({ escalation: { deadline, at: escalatedAt, actionId } }) =>
        `${state === 'open' ? deadline : escalatedAt},${actionId}`,
    );
    const [parts, campaigns] = await Promise.all([
      this.partsFor(page),
      this.facts.campaigns(page.map(({ escalation }) => escalation)),
    ]);
    return {
      reviews: page.map(({ escalation, standing, ending }) =>
        cardOf(escalation, standing, at, { ending, parts, campaigns }),
      ),
      next,
    };
  }

  @Get(':subjectId')
  @Documented({
    summary: 'One proposal or checkpoint that was escalated, and its answers',
    answers: { 200: ReviewAnswer },
    problems: [404],
  })
  async show(@Param('subjectId', { schema: PathId }) subjectId: string) {
    const at = this.runtime.now();
    const found = await this.escalation(at, subjectId, this.store.forPages);
    const { escalation, standing, ending } = found;
    const open = standing === 'open';
    const [answers, regions, parts, campaigns, stops] = await Promise.all([
      this.store.answers(subjectId),
      this.facts.regions(escalation),
      this.partsFor([found]),
      this.facts.campaigns([escalation]),
      open ? this.controls.stopsOf(scopesOf(escalation.card)) : [],
    ]);
    const card = cardOf(escalation, standing, at, { ending, parts, campaigns });
    return {
      ...card,
      answers,
      otherRules: otherRules(escalation),
      regions,
      underStop: underStop(escalation.card, stops),
    };
  }

  @Get(':subjectId/facts')
  @Documented({
    summary: 'Whether something changed that its verdict rests on',
    answers: { 200: ReviewFactsAnswer },
    problems: [404],
  })
  async changes(@Param('subjectId', { schema: PathId }) subjectId: string) {
    const at = this.runtime.now();
    const { escalation } = await this.escalation(at, subjectId, this.store.forPages);
    return { digest: await this.facts.digest(escalation, at), at };
  }

  @Post(':subjectId')
  @HttpCode(202)
  @Needs('reviewer')
  @Documented({
    summary: 'Approve, edit or reject it',
    headers: { 'idempotency-key': IdempotencyKey },
    answers: { 202: ReviewTakenAnswer },
    problems: [404, 409, 422],
  })
  async answer(
    @Param('subjectId', { schema: PathId }) subjectId: string,
    @Body({ schema: ReviewRequest }) request: z.infer<typeof ReviewRequest>,
    @Headers('idempotency-key') header: string | undefined,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const key = readBy(IdempotencyKey, header, 'Idempotency-Key');
    const { escalation } = await this.escalation(this.runtime.now(), subjectId);
    const reviewId = key === undefined ? randomUUID() : reviewIdOf(person.person, subjectId, key);
    const asked = fingerprint(subjectId, request);
    const cause = { source: '/countersign/console', id: reviewId, correlationid: escalation.correlationId };

    const done = await this.runtime.transact(
      cause,
      async (work) => {
        const found = await this.store.lockEscalation(work.tx, work.at, subjectId);
        if (!found) throw noSuch(subjectId);
        const answer = review(request, found.escalation, found.standing, person, reviewId, work.at, found.answer);
        if (!answer.ok) throw new Refused(answer.problem);
        await this.store.insertReview(work.tx, answer.decided, asked);
        work.emit(cause, topics.reviewsDecided, {
          key: found.escalation.key,
          subject: subjectId,
          data: answer.decided,
        });
      },
      escalation.traceparent,
    );
    if (done.repeated && (await this.store.requestDigest(reviewId)) !== asked) {
      const detail = 'this key was used before with another answer; take a new one';
      throw new Refused(problem(422, 'Key used before', detail, 'Idempotency-Key'));
    }
    return { reviewId, result: `/v1/reviews/${reviewId}/result` };
  }

  @Get(':reviewId/result')
  @Documented({ summary: 'What became of an answer', answers: { 200: ReviewResultAnswer }, problems: [404] })
  async result(@Param('reviewId', { schema: PathId }) reviewId: string) {
    const record = Uuid.safeParse(reviewId).success ? await this.store.review(reviewId) : undefined;
    if (!record) throw new Refused(problem(404, 'No such review', `nobody gave a review ${reviewId}`));
    return resultOf(record);
  }

  /** What an approval would let out depends on the play in force, as long as a checkpoint waits. */
  private async partsFor(found: readonly Standings[]) {
    const waits = found.some(
      ({ escalation, standing }) => escalation.subject.kind === 'checkpoint' && standing === 'open',
    );
    return waits ? this.store.partsInForce() : undefined;
  }

  private async escalation(at: string, subjectId: string, reader?: Reader) {
    const found = Uuid.safeParse(subjectId).success ? await this.store.escalation(at, subjectId, reader) : undefined;
    if (!found) throw noSuch(subjectId);
    return found;
  }
}

const noSuch = (subjectId: string): Refused =>
  new Refused(problem(404, 'Nothing to review', `no proposal or checkpoint ${subjectId} was escalated`));

import { actionKey, type ReviewDecided, topics } from '@countersign/contracts';
import {
  type Batch,
  type Cause,
  Consumes,
  causeOf,
  type Job,
  type JobContext,
  type JobKind,
} from '@countersign/runtime';
import { Controller, Inject, Injectable, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type Answer, answer, endOf, reviewersOf } from '../core/answer.js';
import { refusedBecause, refusedEvent } from '../core/events.js';
import { verdictsOf, waitsUntil } from '../core/past.js';
import { type NewVerdict, Store, type StoredEscalation } from './verdicts.repository.js';
import { type Case, DEADLINE, VerdictsService } from './verdicts.service.js';

const takenAs = { approve: 'approved', reject: 'refused', edit: 'superseded' } as const;

type Judged = Extract<Answer, { kind: 'judge' }>;

/** Takes people's answers in. Answers, edits and the deadline lock the escalation's row; the first one counts. */
@Controller()
export class Reviews {
  private readonly log = new Logger('reviews');

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(VerdictsService) private readonly verdicts: VerdictsService,
  ) {}

  @Consumes(topics.reviewsDecided)
  async onDecided(@Payload() batch: Batch<'ReviewDecided'>): Promise<void> {
    const reviews = batch.events.filter(({ event }) => event.data.subject.kind === 'proposal');
    if (reviews.length === 0) return;
    const ids = [...new Set(reviews.map(({ event }) => event.data.subject.id))];
    const rows = await this.store.lockEscalations(batch.tx, ids);
    await mustHaveBeenRead(
      batch,
      ids.filter((id) => !rows.has(id)),
    );
    const inForce = await this.verdicts.policyInForce(batch.tx);
    // The first answer in this batch closes the row for the later ones, before any of them is written.
    const taken = new Map<string, ReviewDecided>();
    const judge: { answer: Judged; review: ReviewDecided; case: Case }[] = [];
    for (const received of reviews) {
      const review = received.event.data;
      const row = rows.get(review.subject.id);
      const before = taken.get(review.subject.id);
      const now = row && before ? { ...row, state: takenAs[before.decision], closedBy: before.by } : row;
      const found = answer(review, now, reviewersOf(row, inForce.policy?.content), batch.at);
      const cause = chained(causeOf(received), row);
      if (found.kind === 'set-aside') this.setAside(batch, cause, review, found, row);
      else {
        taken.set(review.subject.id, review);
        judge.push({ answer: found, review, case: { request: found.request, cause } });
      }
    }
    const superseded: NewVerdict[] = [];
    for (const { answer: found, review, case: judged } of judge) {
      if (!found.replaces) continue;
      const row = rows.get(review.subject.id) as StoredEscalation;
      const { tier, policy: under } = row.verdict;
      const detail = `the edit of ${review.by} takes its place`;
      const verdict = refusedBecause('superseded', detail, { tier, policy: under }, batch.at);
      const { proposal } = found.replaces;
      superseded.push({ proposal, digest: row.digest, verdict, facts: null });
      batch.emit(judged.cause, topics.actionsRefused, {
        key: actionKey(proposal.action),
        data: refusedEvent(found.replaces, row.digest, verdict, {
          supersededBy: judged.request.proposal.action.actionId,
        }),
        subject: proposal.proposalId,
      });
    }
    this.store.saveVerdicts(batch.tx, superseded, [], batch.at);
    const results = await this.verdicts.decideVerdicts(
      batch,
      judge.map((h) => h.case),
      inForce,
    );
    const closed = judge.map(({ review }, n) => ({
      proposalId: review.subject.id,
      state: endOf(review.decision, results[n]?.judgement.verdict.outcome ?? 'refused'),
      by: review.by,
    }));
    this.store.closeEscalations(batch.tx, closed, batch.at);
  }

  private setAside(
    batch: Batch<'ReviewDecided'>,
    cause: Cause,
    review: ReviewDecided,
    { reason }: Extract<Answer, { kind: 'set-aside' }>,
    row: StoredEscalation | undefined,
  ): void {
    this.log.warn(`answer ${review.reviewId} to ${review.subject.id} set aside: ${reason.code}`);
    batch.emit(cause, topics.actionsEscalated, {
      key: row ? actionKey(row.proposal.action) : review.subject.id,
      type: 'ReviewSetAside',
      data: { reviewId: review.reviewId, proposalId: review.subject.id, by: review.by, reason, at: batch.at },
      subject: review.subject.id,
    });
  }
}

/** After a restore, an answer may be read before its proposal is read again. It then waits, at most until the deadline. */
async function mustHaveBeenRead(batch: Batch, ids: readonly string[]): Promise<void> {
  const published = await batch.published('subject', ids);
  const missing = [...published].find(([, events]) => waitsUntil(verdictsOf(events)) >= batch.at);
  if (missing) throw new NotReadYet(`${missing[0]} was escalated before the restore and is not read again yet`);
}

/** Its code makes it transient: the answer is delivered again. */
class NotReadYet extends Error {
  readonly code = 'ETIMEDOUT';
}

/** An answer belongs to the chain of its escalation, whatever chain its own event names. */
const chained = (cause: Cause, row: StoredEscalation | undefined): Cause =>
  row?.correlationId ? { ...cause, correlationid: row.correlationId } : cause;

/** Refuses proposals that were not answered in time. */
@Injectable()
export class DeadlineJobs implements JobKind {
  readonly kind = DEADLINE;
  readonly leaseMs = 30_000;
  readonly batch = 50;

  constructor(@Inject(Store) private readonly store: Store) {}

  async work(jobs: readonly Job[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (owned, work) => {
      const rows = await this.store.lockEscalations(
        work.tx,
        owned.map((job) => job.id),
      );
      const expired = owned.flatMap((job) => {
        const row = rows.get(job.id);
        return row?.state === 'open' ? [{ job, row }] : [];
      });
      const verdicts: NewVerdict[] = [];
      for (const { job, row } of expired) {
        const { proposal, author, digest } = row;
        const { tier, policy } = row.verdict;
        const detail = `nobody had answered by ${row.deadlineAt}`;
        const verdict = refusedBecause('review-deadline', detail, { tier, policy }, work.at);
        verdicts.push({ proposal, digest, verdict, facts: null });
        work.emit(job.cause, topics.actionsRefused, {
          key: actionKey(proposal.action),
          data: refusedEvent({ proposal, author }, digest, verdict),
          subject: proposal.proposalId,
        });
      }
      this.store.saveVerdicts(work.tx, verdicts, [], work.at);
      this.store.closeEscalations(
        work.tx,
        expired.map(({ row }) => ({ proposalId: row.proposalId, state: 'expired' as const, by: null })),
        work.at,
      );
    });
  }
}

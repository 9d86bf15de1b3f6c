import { topics } from '@countersign/contracts';
import { type Batch, Consumes, causeOf } from '@countersign/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { answer, reviewersOf } from '../core/answer.js';
import { dryVerdict, isForgotten, triedAnswer } from '../core/dry-run.js';
import { runningTotals } from '../core/events.js';
import type { VerdictResult } from '../core/verdicts.js';
import { Store } from './verdicts.repository.js';
import { VerdictsService } from './verdicts.service.js';

/** Says which verdict an approval or an edit would have, before a person gives it. Reserves and stores nothing. */
@Controller()
export class DryRuns {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(VerdictsService) private readonly verdicts: VerdictsService,
  ) {}

  @Consumes(topics.dryRunsAsked)
  async onAsked(@Payload() batch: Batch<'DryRunAsked'>): Promise<void> {
    const asked = batch.events.filter(({ event }) => !isForgotten(event.data.at, batch.at));
    if (asked.length === 0) return;
    const rows = await this.store.seeEscalations(batch.tx, [
      ...new Set(asked.map(({ event }) => event.data.proposalId)),
    ]);
    const inForce = await this.verdicts.policyInForce(batch.tx);
    const found = asked.map((received) => {
      const { data } = received.event;
      const row = rows.get(data.proposalId);
      return {
        received,
        answer: answer(triedAnswer(data, row), row, reviewersOf(row, inForce.policy?.content), batch.at),
      };
    });
    const judged = found.flatMap((each) => (each.answer.kind === 'judge' ? [each.answer.request] : []));
    const results = [...(await this.verdicts.weigh(batch, judged, inForce))];
    for (const { received, answer: taken } of found) {
      const result = taken.kind === 'judge' ? results.shift() : undefined;
      const { dryRunId, proposalId } = received.event.data;
      const verdict = dryVerdict(taken, result?.judgement.verdict);
      const data = { dryRunId, proposalId, ...verdict, ...(result && standing(result)), at: batch.at };
      batch.emit(causeOf(received), topics.dryRunsJudged, { key: proposalId, data, subject: proposalId });
    }
  }
}

/** What it was judged under, so that it can be compared with what the card shows. */
const standing = (result: VerdictResult) => ({
  policy: result.judgement.verdict.policy,
  runningTotals: runningTotals(result),
});

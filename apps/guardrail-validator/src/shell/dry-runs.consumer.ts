import { type DryRunAsked, type DryRunJudged, type ReviewDecided, topics } from '@countersign/contracts';
import { type Batch, Consumes, causeOf } from '@countersign/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { answer, reviewersOf } from '../core/answer.js';
import { dryVerdict, isForgotten } from '../core/dry-run.js';
import { Store } from './verdicts.repository.js';
import { VerdictsService } from './verdicts.service.js';

/** Says what verdict an edit would have, while a person still writes it. Reserves nothing and keeps nothing. */
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
        answer: answer(asEdit(data, row?.digest), row, reviewersOf(row, inForce.policy?.content), batch.at),
      };
    });
    const judged = found.flatMap((each) => (each.answer.kind === 'judge' ? [each.answer.request] : []));
    const results = [...(await this.verdicts.weigh(batch, judged, inForce))];
    for (const { received, answer: taken } of found) {
      const verdict = taken.kind === 'judge' ? results.shift()?.judgement.verdict : undefined;
      const data = judgedOf(received.event.data, dryVerdict(taken, verdict), batch.at);
      batch.emit(causeOf(received), topics.dryRunsJudged, { key: data.proposalId, data, subject: data.proposalId });
    }
  }
}

/** The edit that it would be, of what waits now. */
const asEdit = ({ dryRunId, proposalId, action, by, at }: DryRunAsked, digest = ''): ReviewDecided => ({
  reviewId: dryRunId,
  subject: { kind: 'proposal', id: proposalId },
  digest,
  decision: 'edit',
  action,
  by,
  at,
});

const judgedOf = (
  { dryRunId, proposalId }: DryRunAsked,
  verdict: Pick<DryRunJudged, 'outcome' | 'reasons'>,
  at: string,
): DryRunJudged => ({ dryRunId, proposalId, ...verdict, at });

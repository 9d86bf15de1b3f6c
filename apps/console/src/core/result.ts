import { type Ending, nextAfter } from './card.js';
import type { Settlement, Verdict } from './project.js';

/** What is on record about one review. */
export interface ReviewRecord {
  readonly reviewId: string;
  readonly subject: { readonly kind: 'proposal' | 'checkpoint'; readonly id: string };
  readonly decision: 'approve' | 'edit' | 'reject';
  readonly by: string;
  readonly at: string;
  readonly setAside: { readonly code: string; readonly detail: string } | null;
  readonly verdict: Omit<Verdict, 'stopped'> | null;
  readonly settlement: Omit<Settlement, 'permitId' | 'digest' | 'spentMinor' | 'code'> | null;
  /** When the tasks of a checkpoint were assigned. */
  readonly tasksAssignedAt: string | null;
  /** How a checkpoint ended whose tasks never go out; null if it is not known that they do not. */
  readonly ending: Ending | null;
}

export type ResultState = 'waiting' | 'set-aside' | 'approved' | 'refused' | 'rejected' | 'tasks-assigned' | 'withheld';

/** The outcome of a review, as a word and a sentence. */
export function resultOf(record: ReviewRecord) {
  const { verdict, settlement, setAside } = record;
  const shown = {
    reviewId: record.reviewId,
    subject: record.subject,
    decision: record.decision,
    by: record.by,
    at: record.at,
  };
  const result = (state: ResultState, detail: string) => ({
    ...shown,
    state,
    detail,
    reasons: verdict?.reasons ?? [],
    runsFrom: verdict?.notBefore ?? null,
    settlement,
  });

  if (setAside) return result('set-aside', `set aside: ${setAside.detail}`);
  if (record.subject.kind === 'checkpoint') {
    if (record.decision === 'reject') return result('rejected', 'rejected: the tasks do not go out');
    if (record.ending)
      return result('withheld', `no task goes out: ${record.ending.reason.detail}. ${nextAfter(record.ending)}`);
    return record.tasksAssignedAt === null
      ? result('waiting', 'sent; the orchestrator has not answered yet')
      : result('tasks-assigned', `the tasks went out at ${record.tasksAssignedAt}`);
  }
  if (!verdict) return result('waiting', 'sent; the validator has not answered yet');
  if (verdict.outcome === 'refused') {
    if (record.decision === 'reject') return result('rejected', 'rejected: nothing runs');
    return result('refused', `refused all the same: ${verdict.reasons.map((r) => r.detail).join('; ')}`);
  }
  if (!settlement) {
    const start = verdict.notBefore === null ? '' : `, runs from ${verdict.notBefore}`;
    return result('approved', `approved${start}`);
  }
  return result(
    'approved',
    `approved; ${settlement.outcome}${settlement.detail === null ? '' : `: ${settlement.detail}`}`,
  );
}

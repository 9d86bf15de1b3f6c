import {
  type ActionProposed,
  answerersOf,
  digestOf,
  type Fault,
  type PolicyContent,
  type ReviewDecided,
  type Verdict,
} from '@countersign/contracts';
import { edited } from './events.js';
import type { VerdictRequest } from './verdicts.js';

/** A proposal that waits, or waited, for a person. */
export interface Escalation {
  readonly proposalId: string;
  readonly digest: string;
  readonly state: 'open' | 'approved' | 'refused' | 'expired' | 'superseded';
  readonly deadlineAt: string;
  readonly author: string;
  readonly proposal: ActionProposed;
  /** The verdict that escalated it. */
  readonly verdict: Verdict;
  readonly reviewers: readonly string[];
  readonly closedBy: string | null;
}

export type Answer =
  | { readonly kind: 'set-aside'; readonly reason: Fault }
  | {
      readonly kind: 'judge';
      readonly request: VerdictRequest;
      /** For an edit: the replaced action is closed, whatever the result of the new one is. */
      readonly replaces?: VerdictRequest;
    };

/**
 * What a person's answer does to the escalation that it names, whose row is locked. The first answer that is in time, by a
 * reviewer, and about the waiting digest is judged. Every other answer is set aside with a reason. `at` is the batch's time: an
 * answer that is handled past the deadline is late, even if the deadline's own job has not run.
 */
export function answer(
  review: ReviewDecided,
  row: Escalation | undefined,
  /** From the charter in force, or from the time of the escalation if there is no charter now. */
  reviewers: readonly string[],
  at: string,
): Answer {
  const aside = (code: string, detail: string): Answer => ({ kind: 'set-aside', reason: { code, detail } });
  if (!row) return aside('no-escalation', 'no proposal of this id waits for a person');
  if (row.state !== 'open') return aside('closed', closed(row));
  if (at > row.deadlineAt || review.at > row.deadlineAt) {
    return aside('late', `the deadline was ${row.deadlineAt}`);
  }
  if (!reviewers.includes(review.by))
    return aside('no-reviewer', `${review.by} is no reviewer of ${row.proposal.agent}`);
  if (review.digest !== row.digest) {
    return aside('other-digest', `the answer is about ${review.digest}, what waits is ${row.digest}`);
  }
  const fact = { reviewId: review.reviewId, by: review.by, decision: review.decision, at: review.at };
  const category = review.decision === 'reject' && review.category !== undefined && { category: review.category };
  const original = {
    proposal: row.proposal,
    author: row.author,
    review: { ...fact, ...category, digest: review.digest },
  };
  if (review.decision !== 'edit') return { kind: 'judge', request: original };
  if (!review.action) return aside('no-action', 'an edit carries the action that takes the place');
  if (review.action.actionId === row.proposal.action.actionId) {
    return aside('same-action', 'an edit is a new action with an id of its own');
  }
  const proposal = edited(row.proposal, review.action);
  // The author of the edit has approved it: the same answer counts for the new digest.
  const request = { proposal, author: row.author, review: { ...fact, digest: digestOf(review.action) } };
  return { kind: 'judge', request, replaces: original };
}

/** Who may answer, by the charter in force, or as at the time of the escalation if there is no charter now. */
export const reviewersOf = (
  row: Pick<Escalation, 'proposal' | 'reviewers'> | undefined,
  policy: Pick<PolicyContent, 'charters'> | undefined,
): readonly string[] => {
  const charter = policy?.charters.find((c) => c.agent === row?.proposal.agent);
  return charter && row ? answerersOf(charter, row.proposal.action.kind) : (row?.reviewers ?? []);
};

/** How the escalation ends with this answer. */
export function endOf(decision: ReviewDecided['decision'], outcome: Verdict['outcome']): Escalation['state'] {
  if (decision === 'edit') return 'superseded';
  return outcome === 'approved' ? 'approved' : 'refused';
}

function closed(row: Escalation): string {
  switch (row.state) {
    case 'open':
      return 'it waits';
    case 'approved':
      return `it was approved before${by(row)}`;
    case 'refused':
      return `it was refused before${by(row)}`;
    case 'superseded':
      return `an edit took its place${by(row)}`;
    case 'expired':
      return `nobody had answered by ${row.deadlineAt}`;
  }
}

const by = (row: Escalation): string => (row.closedBy ? `, by ${row.closedBy}` : '');

import type { ReviewDecided } from '@countersign/contracts';

/** A checkpoint as it is stored. Its row is locked while an answer is judged. */
export interface Checkpoint {
  readonly checkpointId: string;
  readonly digest: string;
  readonly reviewers: readonly string[];
  readonly deadline: string;
  /** Absent until somebody answers or the deadline's job runs. */
  readonly answer: string | null;
}

export type Answer =
  | { readonly outcome: 'approved' | 'rejected' }
  | { readonly outcome: 'set-aside'; readonly reason: string };

/**
 * What a person's answer does. The first valid answer counts. An answer is late by its own time, whether or not the deadline's
 * job has run. An answer is bound to the tasks that the person saw.
 */
export function answerCheckpoint(checkpoint: Checkpoint, review: ReviewDecided): Answer {
  const setAside = (reason: string): Answer => ({ outcome: 'set-aside', reason });
  if (!checkpoint.reviewers.includes(review.by)) return setAside(`${review.by} is no reviewer of this checkpoint`);
  if (review.digest !== checkpoint.digest) return setAside('the answer is to other tasks than the ones that wait');
  if (Date.parse(review.at) > Date.parse(checkpoint.deadline)) {
    return setAside(`answered at ${review.at}, after the deadline ${checkpoint.deadline}`);
  }
  if (checkpoint.answer !== null) return setAside(`already ${checkpoint.answer}`);
  switch (review.decision) {
    case 'approve':
      return { outcome: 'approved' };
    case 'reject':
      return { outcome: 'rejected' };
    case 'edit':
      return setAside('tasks cannot be edited, only approved or rejected');
  }
}

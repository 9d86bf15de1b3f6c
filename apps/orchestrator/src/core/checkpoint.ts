import type { Control, Fault, ReviewDecided, TaskAssigned, TaskWithheld } from '@countersign/contracts';
import { stopText } from './detect.js';

/** A checkpoint as it is stored. Its row is locked while an answer is judged. */
export interface Checkpoint {
  readonly checkpointId: string;
  /** A play has at least one. */
  readonly tasks: readonly [TaskAssigned, ...TaskAssigned[]];
  readonly digest: string;
  readonly reviewers: readonly string[];
  /** Of the play under which the run began; null if the checkpoint was stored before this was noted. */
  readonly playDigest: string | null;
  readonly deadline: string;
  /** Null until somebody answers or the deadline's job runs. */
  readonly answer: 'approved' | 'rejected' | 'expired' | null;
  readonly answeredBy: string | null;
}

export type Answer<C = Checkpoint> =
  | { readonly outcome: 'approved' | 'rejected'; readonly checkpoint: C }
  | { readonly outcome: 'set-aside'; readonly reason: Fault };

/**
 * What a person's answer does. The first valid answer counts. An answer is late by its own time, whether or not the deadline's
 * job has run. An answer is bound to the tasks that the person saw.
 */
export function answerCheckpoint<C extends Checkpoint>(checkpoint: C | undefined, review: ReviewDecided): Answer<C> {
  const setAside = (code: string, detail: string): Answer<C> => ({ outcome: 'set-aside', reason: { code, detail } });
  if (!checkpoint) return setAside('no-checkpoint', 'no checkpoint of this id waits for a person');
  if (!checkpoint.reviewers.includes(review.by))
    return setAside('no-reviewer', `${review.by} is no reviewer of this checkpoint`);
  if (review.digest !== checkpoint.digest)
    return setAside('other-digest', 'the answer is to other tasks than the ones that wait');
  if (Date.parse(review.at) > Date.parse(checkpoint.deadline))
    return setAside('late', `the deadline was ${checkpoint.deadline}`);
  if (checkpoint.answer !== null) return setAside('closed', closedText(checkpoint));
  switch (review.decision) {
    case 'approve':
      return { outcome: 'approved', checkpoint };
    case 'reject':
      return { outcome: 'rejected', checkpoint };
    case 'edit':
      return setAside('no-edit', 'tasks cannot be edited, only approved or rejected');
  }
}

function closedText({ answer, answeredBy, deadline }: Checkpoint): string {
  // The answer was given in time, and the orchestrator could not read it by then.
  if (answer === 'expired') return `the orchestrator read it after the deadline ${deadline}`;
  return `${answeredBy ?? 'somebody'} ${answer} it before`;
}

/**
 * Why an approval lets no task out at this moment: a stop holds, or the play in force is not the one that asked. Null if it lets
 * them out. `playNow` is the digest of the play in force, if there is one.
 */
export function heldBack(
  { tasks, playDigest }: Pick<Checkpoint, 'tasks' | 'playDigest'>,
  stoppedBy: Control | null,
  playNow: string | undefined,
): Fault | null {
  const play = tasks[0].play.id;
  if (stoppedBy) return { code: 'stopped', detail: stopText(stoppedBy) };
  if (playNow === undefined) return { code: 'play-withdrawn', detail: `the play ${play} is not in force any more` };
  if (playDigest !== null && playDigest !== playNow)
    return { code: 'play-changed', detail: `the play ${play} was changed after it asked` };
  return null;
}

/** The event for the end of a checkpoint whose tasks never go out. */
export const withheld = (
  { checkpointId, tasks }: Pick<Checkpoint, 'checkpointId' | 'tasks'>,
  end: Pick<TaskWithheld, 'outcome' | 'reason' | 'review'>,
  at: string,
): TaskWithheld => ({ checkpointId, play: tasks[0].play, ...end, at });

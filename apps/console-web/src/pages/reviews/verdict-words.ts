import type { Answer } from '../../app/answers.js';
import { isSignedOut } from '../../app/api-problem.js';
import { problemText } from '../../parts/problem-text.js';

type DryRun = Answer<'dryRuns_ask'>;
export type Judged = Extract<DryRun, { judged: true }>;
/**
 * The present verdict of the rules on an approval; `unknown` if they cannot be asked or have not answered in time. `why` says the
 * reason, and what to do.
 */
export type LiveVerdict =
  | { readonly state: 'asking' | 'not-asked' }
  | { readonly state: 'unknown'; readonly why?: string }
  | { readonly state: 'known'; readonly judged: Judged };

/** What is known of the verdict after the last request: its error, or its answer. */
export function liveVerdict(error: Error | null, answer: DryRun | undefined): LiveVerdict {
  // If the session is over, the frame says so.
  if (error) return { state: 'unknown', ...(!isSignedOut(error) && { why: problemText(error) }) };
  if (!answer) return { state: 'asking' };
  return answer.judged
    ? { state: 'known', judged: answer }
    : { state: 'unknown', why: 'The rules have not answered in time. The validator may be busy or away.' };
}

type Outcome = Pick<Judged, 'outcome'> & { readonly policy: object | null };

/**
 * The result of an answer. If no policy is named, the rules were not asked: the answer is set aside, and the card waits for another
 * one.
 */
export const effectOf = ({ outcome, policy }: Outcome): 'approved' | 'refused' | 'none' =>
  outcome === 'approved' ? 'approved' : policy === null ? 'none' : 'refused';

/** The heading over the reasons against an approval; undefined if there are none. */
export function titleAgainst(judged: Outcome): string | undefined {
  switch (effectOf(judged)) {
    case 'approved':
      return undefined;
    case 'refused':
      return 'If you approve it now, it is refused and cannot be approved later';
    case 'none':
      return 'Your answer would have no effect';
  }
}

/** Under the buttons: the result at the time of the verdict, and what follows from it. Undefined if the rules let it through. */
export function underButtons(judged: Outcome): readonly [now: string, then: string] | undefined {
  switch (effectOf(judged)) {
    case 'approved':
      return undefined;
    case 'refused':
      return ['The rules would refuse it', 'If you approve it, it cannot be approved later.'];
    case 'none':
      return ['Your answer would have no effect', 'The rules were not asked.'];
  }
}

import type { Judged } from './use-live-verdict.js';

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

/** Under the buttons: the result at the time of the verdict, and what follows from it. */
export function underButtons(judged: Outcome): readonly [now: string, then: string] {
  switch (effectOf(judged)) {
    case 'approved':
      return [
        'The rules would let it through',
        'They are applied once more before it runs. You approve this one action and nothing like it later.',
      ];
    case 'refused':
      return ['The rules would refuse it', 'If you approve it, it cannot be approved later.'];
    case 'none':
      return ['Your answer would have no effect', 'The rules were not asked.'];
  }
}

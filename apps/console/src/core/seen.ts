import { digestOf, Seen } from '@countersign/contracts';
import { type Problem, problem } from './problem.js';

/** In the request of every act of a person: what its author saw. Its place in the event has the same name. */
export const seen = { seen: Seen.strict().optional() };

/** Why an act is refused: the content that its author saw is not the present one. If the request does not say what was seen, nothing is wrong. */
export const changedSince = (
  what: string,
  now: unknown,
  { seen }: { readonly seen?: Seen | undefined },
): Problem | undefined =>
  seen === undefined || seen.digest === digestOf(now)
    ? undefined
    : problem(
        409,
        'It has changed',
        `${what} has changed since it was shown to you, so nothing was done: look at it again, then decide`,
        'seen.digest',
      );

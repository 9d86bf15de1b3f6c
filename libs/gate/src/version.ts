/**
 * Part of each verdict. Raise it with every change that gives another judgement for the same proposal, facts and policy, even
 * another word of a reason: only verdicts of the same version can be compared with a second judgement. `judge.spec.ts` finds a
 * forgotten change.
 */
export const gateVersion = 10;

/**
 * SHA-256 of the version and of its judgements of the proposals of `judge.spec.ts`. The spec fails and prints the new one if
 * either changes.
 */
export const judgementsDigest = 'a92a9c90de61824609b3420bddb57d53fab5fd53ec67d3a72bb728fa724a75dc';

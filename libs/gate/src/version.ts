/**
 * Part of each verdict. Raise it with every change that gives another judgement for the same proposal, facts and policy, even
 * another word of a reason: only verdicts of the same version can be compared with a second judgement. `judge.spec.ts` finds a
 * forgotten change.
 */
export const gateVersion = 12;

/**
 * SHA-256 of the version and of its judgements of the proposals of `judge.spec.ts`. The spec fails and prints the new one if
 * either changes.
 */
export const judgementsDigest = '8738fa62b49b70324bf09d7ebc93aa7c74839917e7f5033a0605ece0a5be1955';

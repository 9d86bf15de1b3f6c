/**
 * Part of each verdict. Raise it with every change that gives another judgement for the same proposal, facts and policy, even
 * another word of a reason: only verdicts of the same version can be compared with a second judgement. `judge.spec.ts` finds a
 * forgotten change.
 */
export const gateVersion = 11;

/**
 * SHA-256 of the version and of its judgements of the proposals of `judge.spec.ts`. The spec fails and prints the new one if
 * either changes.
 */
export const judgementsDigest = '1bc2b7a751c0d87b57a6a18146a0b47aa0d9ac9c728204abe92e8e67dad96b42';

/**
 * Part of each verdict. Raise it with every change that gives another judgement for the same proposal, facts and policy, even
 * another word of a reason: only verdicts of the same version can be compared with a second judgement. `judge.spec.ts` finds a
 * forgotten change.
 */
export const gateVersion = 17;

/**
 * SHA-256 of the version and of its judgements of the proposals of `judge.spec.ts`. The spec fails and prints the new one if
 * either changes.
 */
export const judgementsDigest = '0996734eb6944b9cc49b1943995ba25c731c2b4e8d43fa968070dc1b9b87bbf4';

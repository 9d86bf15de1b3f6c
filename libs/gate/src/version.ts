/**
 * Stands in each verdict. Raised with every change that makes another judgement of the same proposal, facts and policy, be it a
 * word of a reason: only verdicts of the same version can be compared with what is judged again. `judge.spec.ts` notices.
 */
export const gateVersion = 8;

/** SHA-256 of the version and what it makes of the proposals of `judge.spec.ts`, which fails and prints the new one when either changes. */
export const judgementsDigest = 'd709dda4144158b9ce3fbdda2afe4f8bdc6d5d4653072c1d20baf90805f72e20';

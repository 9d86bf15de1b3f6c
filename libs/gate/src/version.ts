/**
 * Stands in each verdict. Raised with every change that makes another judgement of the same proposal, facts and policy, be it a
 * word of a reason: only verdicts of the same version can be compared with what is judged again. `judge.spec.ts` notices.
 */
export const gateVersion = 9;

/** SHA-256 of the version and what it makes of the proposals of `judge.spec.ts`, which fails and prints the new one when either changes. */
export const judgementsDigest = '5875c20b509d0c4ef01864f33a2aa05c2e659f9b230e3068bb07da58eb5137c3';

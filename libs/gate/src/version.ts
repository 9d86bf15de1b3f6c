/**
 * Part of each verdict. Raise it with every change that gives another judgement for the same proposal, facts and policy, even
 * another word of a reason: only verdicts of the same version can be compared with a second judgement. `judge.spec.ts` finds a
 * forgotten change.
 */
export const gateVersion = 15;

/**
 * SHA-256 of the version and of its judgements of the proposals of `judge.spec.ts`. The spec fails and prints the new one if
 * either changes.
 */
export const judgementsDigest = '6893474827aeb136864b6fbf0ae8d52b82af2d0b8cffd4eefe399edef8545a11';

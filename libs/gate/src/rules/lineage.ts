import { escalate, pass, type Rule } from '../rule.js';

/** A proposal that free text from outside influenced may not run without a person. A missing label counts as untrusted. */
export const lineage: Rule = {
  name: 'lineage',
  weigh: ({ proposal }) =>
    proposal.lineage === 'trusted'
      ? pass('made from trusted facts only')
      : escalate(
          proposal.lineage === undefined
            ? 'where it was made from is not stated, so it may not act alone'
            : 'text from outside had a part in it, so it may not act alone',
          { lineage: proposal.lineage ?? null },
        ),
};

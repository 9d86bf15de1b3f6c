import { own } from '@countersign/contracts';
import { pass, type Rule, unclear } from '../rule.js';

/** The proposal uses newer facts than this service knows. */
export const factsBehind: Rule = {
  name: 'facts-behind',
  weigh: ({ proposal, facts }) => {
    const behind = Object.entries(proposal.madeFrom)
      .filter(([key, version]) => (own(facts.versions, key) ?? 0) < version)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const first = behind[0];
    if (!first) return pass('every fact it was made from is known here');
    const [key, version] = first;
    const known = own(facts.versions, key) ?? 0;
    return unclear(
      `it was made from version ${version} of ${key}, here it is ${known}${behind.length > 1 ? `, and ${behind.length - 1} more` : ''}`,
      { key, version, known },
    );
  },
};

import { actionKindNames } from '@countersign/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Facts, Proposal } from './facts.js';
import { judge } from './judge.js';
import { comparedBy, open } from './open.js';
import { approvedEvent, at, factsFor, permitKeys, policyOf, proposalOf, stateFor } from './testing.js';

const { signing, keys } = permitKeys();
const policy = policyOf();
const kinds = fc.constantFrom(...actionKindNames, 'no.such_kind', '__proto__');

test('judge never throws and never approves a payload that is anything', () => {
  fc.assert(
    fc.property(kinds, fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (kind, payload, madeFrom) => {
      const proposal = {
        ...proposalOf('ads.set_bid'),
        action: { ...proposalOf('ads.set_bid').action, kind, payload },
        madeFrom: (typeof madeFrom === 'object' && madeFrom !== null ? madeFrom : {}) as Record<string, number>,
      };
      expect(judge(proposal, factsFor(proposal), policy, at).verdict.outcome).not.toBe('approved');
    }),
    { numRuns: 500 },
  );
});

test('[case 17] [case 26] judge never approves with a part of the facts missing that it needs', () => {
  const members = ['controls', 'consents', 'ledgers', 'versions', 'contacts', 'adAccounts', 'author'] as const;
  const proposal = proposalOf('email.send', {}, { madeFrom: { 'profile:contact:x': 2 } });
  const shift = proposalOf('ads.shift_budget');
  const lacking = (proposed: Proposal, member: (typeof members)[number]): string => {
    const { [member]: _left, ...rest } = factsFor(proposed);
    return judge(proposed, rest as Facts, policy, at).verdict.outcome;
  };
  for (const member of ['controls', 'consents', 'ledgers', 'versions', 'contacts', 'author'] as const) {
    expect(lacking(proposal, member), member).not.toBe('approved');
  }
  for (const member of ['controls', 'ledgers', 'adAccounts', 'author'] as const) {
    expect(lacking(shift, member), member).not.toBe('approved');
  }
});

test('open never throws, whatever it is given, and opens nothing but the event that was approved', () => {
  const proposal = proposalOf('ads.shift_budget');
  const facts = factsFor(proposal);
  const event = approvedEvent(proposal, judge(proposal, facts, policy, at), signing);
  const members = Object.keys(event) as (keyof typeof event)[];
  // What a person may read but no executor acts on: the verdict's words, the task, the review, the play's run and title.
  const bound = members.filter((m) => !['verdict', 'taskId', 'review', 'play'].includes(m));
  fc.assert(
    fc.property(fc.constantFrom(...bound), fc.jsonValue(), (member, value) => {
      const changed = { ...event, [member]: value };
      comparedBy(changed);
      const result = open(changed, {
        keys,
        audience: 'action-executor/ads',
        at,
        state: stateFor(facts),
        spent: false,
      });
      expect(result.ok).toBe(JSON.stringify(value) === JSON.stringify(event[member]));
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.anything(), (anything) => {
      comparedBy(anything);
      const result = open(anything, { keys, audience: [], at, state: stateFor(facts), spent: false });
      expect(result.ok).toBe(false);
    }),
  );
});

import type { DataOf } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { type Around, cardOf, nextAfter } from './card.js';
import { at, checkpoint, escalated, task } from './given.js';
import type { Escalation } from './project.js';

const cardFor = (card: Escalation['card'], around?: Around) => {
  const escalation: Escalation = {
    actionId: 'a',
    subject: { kind: 'action' in card ? 'proposal' : 'checkpoint', id: 's' },
    runId: card.play.runId,
    key: 'k',
    digest: card.digest,
    correlationId: 'c',
    deadline: card.deadline,
    at,
    card,
  };
  return cardOf(escalation, 'open', at, around);
};

test('[case 36] a card holds facts first and quotes the agent apart, marked as its own words', () => {
  const card = cardFor(escalated());
  expect(Object.keys(card).indexOf('facts')).toBeLessThan(Object.keys(card).indexOf('agentSays'));
  expect(card).toMatchObject({
    detail: 'move EUR 600.00 of daily budget from c-1 to c-2',
    facts: {
      ...{ kind: 'ads.shift_budget', does: 'move daily budget from one campaign to another' },
      ...{ money: { amountMinor: 60_000, currency: 'EUR' }, reversible: 'for 72 hours' },
    },
    agentSays: { quote: 'c-2 returns more', marked: "the agent's own words, not checked" },
  });
  expect(JSON.stringify('facts' in card && card.facts)).not.toContain('c-2 returns more');
});

test('[case 36] what the agent considered and left is among its own words, not among the facts', () => {
  const alternatives = [{ detail: 'pause c-1', rejectedBecause: 'it still returns something' }];
  const card = cardFor(escalated({ alternatives }));
  expect(card).toMatchObject({ agentSays: { alternatives, marked: "the agent's own words, not checked" } });
  expect(JSON.stringify('facts' in card && card.facts)).not.toContain('it still returns something');
});

test('an escalation of before they were told has no alternatives on its card', () => {
  expect(cardFor(escalated())).toMatchObject({ agentSays: { alternatives: [] } });
});

test('a card says why a person is asked, without the rules that passed', () => {
  expect(cardFor(escalated())).toMatchObject({
    facts: { whyAsked: [{ rule: 'approval-threshold', detail: 'EUR 600.00 is above EUR 100.00' }] },
  });
});

test('[case 36] a card says that approving runs it now, and only it', () => {
  expect(cardFor(escalated()).approving).toBe(
    'Approving runs it now, unless a rule refuses it by then: this action only, nothing like it later.',
  );
});

test('a card of a message that is to be sent later says when approving makes it run', () => {
  const message = {
    contactId: '5f0c954c-9d3a-4c0e-8b2c-0c9f5a7c1d2e',
    purpose: 'sales',
    template: 'hello',
    subject: 'Hello',
    body: 'Hello {{contact.firstName}}',
    sendAt: '2026-11-21T15:00:00.000Z',
  };
  const action = { actionId: escalated().actionId, kind: 'email.send', payload: message };
  expect(cardFor(escalated({ action })).approving).toContain('runs it at 2026-11-21T15:00:00.000Z');
});

test('a card of a checkpoint lists the tasks that wait', () => {
  expect(cardFor(checkpoint())).toMatchObject({
    detail: 'one task for paid-media-agent',
    facts: {
      adAccountId: 'ads-1',
      contacts: 0,
      tasks: [{ agent: 'paid-media-agent', purpose: 'Stop the loss', may: 'pause a campaign', has: '30 minutes' }],
    },
    unanswered: expect.stringContaining('no task goes out'),
  });
});

test('a card of a checkpoint has the name of its campaign, if the console knows it', () => {
  const asked = { ...checkpoint(), tasks: [{ ...task(), adAccountId: 'ads-1', campaignId: 'c-2' }] };
  const under = (key: string): Around => ({ ending: null, parts: undefined, campaigns: new Map([[key, 'Search']]) });
  const campaigns = [{ campaignId: 'c-2', name: 'Search' }];
  expect(cardFor(asked, under('campaign:ads-1 c-2'))).toMatchObject({ facts: { campaignId: 'c-2', campaigns } });
  expect(cardFor(asked, under('campaign:ads-2 c-2'))).toMatchObject({ facts: { campaigns: [] } });
});

test('a card of a checkpoint says before the answer if the play in force is not the one that asked', () => {
  const asked = { ...checkpoint(), playDigest: 'a'.repeat(64) };
  const name = `play:${asked.play.id}`;
  const under = (parts: Record<string, string> | undefined, card: DataOf<'TaskEscalated'> = asked) => {
    const shown = cardFor(card, { ending: null, parts });
    return 'playChanged' in shown && [shown.playChanged, shown.approving];
  };
  const plain = expect.stringMatching(/^Approving gives these tasks/);
  expect(under({ [name]: 'a'.repeat(64) })).toEqual([null, plain]);
  expect(under({ [name]: 'b'.repeat(64) })).toEqual([
    'changed',
    expect.stringMatching(/Approving lets no task go out/),
  ]);
  expect(under({})).toEqual(['withdrawn', expect.stringMatching(/not in force any more/)]);
  // An older checkpoint does not say which play asked, and without a policy nothing is known.
  expect(under({ [name]: 'b'.repeat(64) }, checkpoint())).toEqual([null, plain]);
  expect(under(undefined)).toEqual([null, plain]);
});

test('a card tells people and account by what a reviewer recognises, beside their ids', () => {
  const contactId = '5f0c954c-9d3a-4c0e-8b2c-0c9f5a7c1d2e';
  const payload = { contactId, sequenceId: 'welcome', purpose: 'sales' };
  const action = { actionId: escalated().actionId, kind: 'sequence.enroll', accountId: 'lumen-health', payload };
  const person = {
    contactId,
    seniority: 'c-suite',
    jobFunction: 'finance\u001b[2J',
    accountName: 'Lumen Health',
  } as const;
  const given = { ...escalated().card, detail: `enrol contact ${contactId} in welcome`, people: [person] };
  expect(cardFor(escalated({ action, card: { ...given, accountName: 'Lumen Health' } }))).toMatchObject({
    detail: `enrol c-suite, finance\ufffd[2J, at Lumen Health (contact ${contactId}) in welcome`,
    facts: { account: 'Lumen Health', accountId: 'lumen-health', people: [person] },
  });
  const unknown = { contactId, seniority: 'unknown' } as const;
  expect(cardFor(escalated({ action, card: { ...given, people: [unknown] } }))).toMatchObject({
    detail: `enrol contact ${contactId} in welcome`,
    facts: { account: 'lumen-health', accountId: 'lumen-health' },
  });
});

test('a card whose payload cannot be read keeps what the validator said of it', () => {
  const action = { actionId: escalated().actionId, kind: 'ads.shift_budget', payload: {} };
  expect(cardFor(escalated({ action })).detail).toBe('move EUR 600.00 of daily budget from c-1 to c-2');
});

test('a checkpoint tells its account by name and id', () => {
  const card = { ...checkpoint(), accountId: 'lumen-health', accountName: 'Lumen Health' };
  expect(cardFor(card)).toMatchObject({ facts: { account: 'Lumen Health', accountId: 'lumen-health' } });
});

test('a checkpoint that ended says what a person can do now', () => {
  const next = (code: string, outcome: 'rejected' | 'suppressed' | 'expired' = 'suppressed') =>
    nextAfter({ outcome, reason: { code, detail: 'd' } });
  expect(next('stopped')).toMatch(/^It cannot be approved again\..* if the stop is lifted by then\.$/);
  expect(next('play-withdrawn')).toMatch(/until it is published again\.$/);
  expect(next('play-changed')).toMatch(/^It cannot be approved again\..* when its cool-down has passed\.$/);
  expect(next('late', 'expired')).toMatch(/^This run of the play is over\..* checkpoint\.withinMinutes\.$/);
  expect(next('rejected', 'rejected')).toMatch(/^This run of the play is over\..* when its cool-down has passed\.$/);
});

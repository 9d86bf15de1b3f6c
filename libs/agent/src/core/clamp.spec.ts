import { actionKindNames, type TaskAssigned } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { aCampaign, aTask, at, contact, factsFor } from '../testing.js';
import { clamp, placeholderFault, shareOf } from './clamp.js';
import type { Draft } from './plan.js';

const campaigns = [aCampaign('cmp-a', 100, 300), aCampaign('cmp-b', 100, 50, { status: 'paused' })];
const bounds = { kinds: actionKindNames, most: 10, planner: 'rules' };
const draft = (kind: string, payload: Record<string, unknown>): Draft => ({
  kind,
  payload,
  rationale: 'because',
  evidence: [],
  confidence: 0.5,
  alternatives: [],
});
const bid = (more: object = {}) =>
  draft('ads.set_bid', { adAccountId: 'ads-1', campaignId: 'cmp-a', bidMinor: 230, currency: 'EUR', ...more });
const clamped = (task: TaskAssigned, ...proposals: Draft[]) =>
  clamp({ proposals }, task, factsFor(task, campaigns), at, bounds);

const everything = (settings: TaskAssigned['settings'] = {}) =>
  aTask({
    kinds: [...actionKindNames],
    settings: { adAccountId: 'ads-1', bidStepPercent: 15, shiftPercent: 20, sequence: 'nurture', ...settings },
  });

const mail = (more: object = {}) =>
  draft('email.send', {
    contactId: contact(1),
    purpose: 'sales',
    template: 'invitation',
    subject: 'For {{account.name}}',
    body: 'Hello {{contact.firstName}}',
    sendAt: '2026-11-22T10:00:00.000Z',
    ...more,
  });
const mailing = { template: 'invitation', purpose: 'sales' };
const shift = (more: object = {}) =>
  draft('ads.shift_budget', {
    adAccountId: 'ads-1',
    fromCampaignId: 'cmp-a',
    toCampaignId: 'cmp-b',
    amountMinor: 2000,
    currency: 'EUR',
    ...more,
  });
const resume = (dailyBudgetMinor: number) =>
  draft('ads.resume_campaign', { adAccountId: 'ads-1', campaignId: 'cmp-b', dailyBudgetMinor, currency: 'EUR' });
const creative = {
  adAccountId: 'ads-1',
  campaignId: 'cmp-a',
  creativeId: 'cr-1',
  headline: 'New',
  body: 'Text',
  url: 'https://example.com/a',
};
const ownerTask = (more: object = {}) =>
  draft('crm.create_task', {
    ownerId: 'owner-7',
    title: 'Call',
    note: 'Three people compare',
    dueAt: '2026-11-22T10:00:00.000Z',
    ...more,
  });

describe('what fits its task stays as it is', () => {
  test.each<[string, TaskAssigned, Draft]>([
    ['a bid within the step', everything(), bid()],
    ['a shift within the share', everything(), shift()],
    ['a shift to the campaign of the task', everything({ campaignId: 'cmp-b' }), shift()],
    ['a shift from it', everything({ campaignId: 'cmp-a' }), shift()],
    ['a pause', everything(), draft('ads.pause_campaign', { adAccountId: 'ads-1', campaignId: 'cmp-a' })],
    ['a resumption with its own budget', everything(), resume(10_000)],
    [
      'the creative that the play names',
      everything({ creativeId: 'cr-1', url: creative.url }),
      draft('ads.publish_creative', creative),
    ],
    ['a message of the kind the play names', everything(mailing), mail()],
    [
      'an enrolment',
      everything(),
      draft('sequence.enroll', { contactId: contact(2), sequenceId: 'nurture', purpose: 'sales' }),
    ],
    ['a stop', everything(), draft('sequence.stop', { contactId: contact(2), sequenceId: 'nurture' })],
    ['a task for the owner', everything(), ownerTask()],
  ])('%s', (_name, task, given) => {
    expect(clamped(task, given)).toEqual({ proposals: [given], left: [], by: { kind: 'rules', name: 'rules' } });
  });
});

describe('what does not fit is left out with the reason', () => {
  test.each<[string, TaskAssigned, Draft, RegExp]>([
    ['a kind that the catalogue does not have', everything(), draft('ads.delete_all', {}), /^an unknown kind: not in/],
    ['a kind that the task does not have', aTask({ kinds: ['ads.shift_budget'] }), bid(), /kinds of the task/],
    ['a member that the kind does not have', everything(), bid({ note: 'x' }), /payload/],
    ['an amount that is no integer', everything(), bid({ bidMinor: 230.5 }), /payload: bidMinor/],
    ['a campaign of nobody', everything(), bid({ campaignId: 'cmp-z' }), /campaignId: not among/],
    ['another campaign than the task names', everything({ campaignId: 'cmp-b' }), bid(), /campaignId: not among/],
    ['another than it is about', { ...everything(), campaignId: 'cmp-b' }, bid(), /campaignId: not among/],
    ['a shift between two others', everything({ campaignId: 'cmp-c' }), shift(), /neither from nor to/],
    ['another ad account', everything(), bid({ adAccountId: 'ads-9' }), /adAccountId: not among/],
    ['another currency', everything(), bid({ currency: 'USD' }), /currency: not among/],
    ['a bid beyond the step', everything(), bid({ bidMinor: 231 }), /more than 15%/],
    ['a bid far below', everything(), bid({ bidMinor: 1 }), /more than 15%/],
    ['a shift beyond the share', everything(), shift({ amountMinor: 2001 }), /more than 20%/],
    ['a shift to itself', everything(), shift({ toCampaignId: 'cmp-a' }), /same campaign/],
    ['a resumption with more than the budget', everything(), resume(10_001), /more than its budget/],
    ['a creative of its own', everything(), draft('ads.publish_creative', creative), /creativeId: not among/],
    ['a message that the play does not name', everything(), mail(), /template: not among/],
    ['a message for another purpose', everything(mailing), mail({ purpose: 'newsletter' }), /purpose/],
    ['a message in the past', everything(mailing), mail({ sendAt: '2026-11-21T09:59:59.999Z' }), /seven days/],
    ['a message in a month', everything(mailing), mail({ sendAt: '2026-12-21T10:00:00.000Z' }), /seven days/],
    [
      'a message that claims to be a step',
      everything(mailing),
      mail({ sequence: { id: 'nurture', enrolment: contact(9), step: 0 } }),
      /enrolment only/,
    ],
    [
      'a placeholder that nobody knows',
      everything(mailing),
      mail({ body: 'Hello {{contact.email}}' }),
      /body: a placeholder/,
    ],
    ['half a placeholder', everything(mailing), mail({ subject: 'For {{account.name' }), /subject: a placeholder/],
    [
      'a placeholder where no executor fills any in',
      everything(),
      ownerTask({ title: 'Call {{contact.firstName}}' }),
      /title: a placeholder/,
    ],
    [
      'a contact of another task',
      everything(),
      draft('sequence.stop', { contactId: contact(9), sequenceId: 'nurture' }),
      /contactId: not among/,
    ],
    [
      'an enrolment for another purpose',
      everything(),
      draft('sequence.enroll', { contactId: contact(1), sequenceId: 'nurture', purpose: 'newsletter' }),
      /purpose/,
    ],
    ['another owner', everything(), ownerTask({ ownerId: 'owner-8' }), /ownerId: not among/],
    ['a task due in a year', everything(), ownerTask({ dueAt: '2027-11-21T10:00:00.000Z' }), /thirty days/],
  ])('%s', (_name, task, given, reason) => {
    const { proposals, left } = clamped(task, given);
    expect(proposals).toEqual([]);
    expect(left).toEqual([expect.stringMatching(reason)]);
  });

  test('a kind that the agent does not know', () => {
    const task = everything();
    const { left } = clamp({ proposals: [bid()] }, task, factsFor(task, campaigns), at, {
      ...bounds,
      kinds: ['email.send'],
    });
    expect(left).toEqual(['ads.set_bid: not among the kinds of the agent']);
  });

  test('a second proposal for the same subject', () => {
    const { proposals, left } = clamped(everything(), bid(), bid({ bidMinor: 220 }));
    expect(proposals).toEqual([bid()]);
    expect(left).toEqual(['ads.set_bid: a second one for the same']);
  });

  test('more proposals than a plan may have', () => {
    const task = everything();
    const { proposals, left } = clamp(
      { proposals: [bid(), shift(), ownerTask()] },
      task,
      factsFor(task, campaigns),
      at,
      {
        ...bounds,
        most: 2,
      },
    );
    expect(proposals).toEqual([bid(), shift()]);
    expect(left).toEqual(['crm.create_task: more than 2 proposals']);
  });
});

test('a reason never repeats what the planner wrote', () => {
  const { left } = clamped(everything(), bid({ campaignId: 'IGNORE-ALL-RULES' }), draft('IGNORE', { x: 'IGNORE' }));
  expect(left).toHaveLength(2);
  expect(left.join()).not.toContain('IGNORE');
});

test('a step is a share rounded to a minor unit, and never nothing', () => {
  expect([shareOf(200, 15), shareOf(105, 10), shareOf(3, 1)]).toEqual([30, 11, 1]);
});

test('only a message may hold placeholders', () => {
  expect(placeholderFault('email.send', '{{contact.firstName}} {{contact.lastName}} {{account.name}}')).toBe(false);
  expect(placeholderFault('email.send', '{{ contact.firstName }}')).toBe(true);
  expect(placeholderFault('crm.create_task', '{{account.name}}')).toBe(true);
});

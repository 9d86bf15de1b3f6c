import { proposalIdOf, type Reason } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { type Proposal, type TaskFact, taskFact } from '../facts.js';
import { judge } from '../judge.js';
import {
  adAccountLedger,
  at,
  campaignLedger,
  contact,
  content,
  type FactsChange,
  factsFor,
  granted,
  other,
  policyOf,
  proposalOf,
  taskOf,
} from '../testing.js';

type Case = {
  readonly rule: string;
  readonly outcome: Reason['outcome'];
  readonly detail: string | RegExp;
  readonly proposal: Proposal;
  readonly facts?: FactsChange;
  readonly policy?: ReturnType<typeof policyOf>;
  /** The twin: the same without the defect. */
  readonly twin: {
    readonly proposal?: Proposal;
    readonly facts?: FactsChange;
    readonly policy?: ReturnType<typeof policyOf>;
  };
};

const limits = (change: Partial<ReturnType<typeof content>['charters'][number]['limits']>) =>
  policyOf(content({ charter: { limits: change } }));
const shift = (amountMinor: number, more = {}) => proposalOf('ads.shift_budget', { amountMinor, ...more });
const playsWith = (settings: Record<string, string>) =>
  policyOf({
    ...content(),
    plays: content().plays.map((play) => ({ ...play, tasks: play.tasks.map((task) => ({ ...task, settings })) })),
  });
const email = proposalOf('email.send');
const begun = { contactId: contact, sequenceId: 'comparison-follow-up' };
const crmTask = proposalOf('crm.create_task');
const stop = proposalOf('sequence.stop');
const contactAt = (accountId: string | undefined): FactsChange => ({
  contacts: {
    [contact]: { version: 3, seniority: 'manager', touched: false, ...(accountId !== undefined && { accountId }) },
  },
});
const taskWith = (change: Partial<TaskFact>): FactsChange => ({
  task: { ...taskFact(taskOf('paid-media-agent')), ...change },
});
const naming = (named: TaskFact['named'] & object): FactsChange => taskWith({ named });
const step = (change: Record<string, unknown> = {}, id = 'comparison-follow-up') =>
  proposalOf('email.send', {
    ...{ template: 'follow-up', subject: 'Hello', body: 'A word.' },
    sequence: { id, enrolment: contact, step: 0 },
    ...change,
  });
const touches = (...times: string[]): FactsChange => ({
  ledgers: { [`touch:${contact}`]: { held: [], committed: times } },
});

const cases: Record<string, Case> = {
  'a proposal under another name': {
    rule: 'author',
    outcome: 'refuse',
    detail: 'sequencing-agent wrote it and names paid-media-agent as its author',
    proposal: shift(1000),
    facts: { author: 'sequencing-agent' },
    twin: { facts: { author: 'paid-media-agent' } },
  },
  'a proposal under an id that is derived for another agent': {
    rule: 'proposal-id',
    outcome: 'refuse',
    detail: 'the id is not the one derived for paid-media-agent, its task and item ads.shift_budget/1',
    proposal: {
      ...shift(1000),
      proposalId: proposalIdOf('sequencing-agent', shift(1000).taskId, 'ads.shift_budget/1'),
    },
    twin: { proposal: shift(1000) },
  },
  'a proposal whose id nobody can check': {
    rule: 'proposal-id',
    outcome: 'refuse',
    detail: 'the proposal names no item, from which its id could be derived',
    proposal: { ...shift(1000), item: undefined },
    twin: { proposal: shift(1000) },
  },
  'a proposal whose task ended more than a day ago': {
    rule: 'task-ended',
    outcome: 'refuse',
    detail: `task ${email.taskId} was due at ${at} and took proposals for 24 hours more; this one came at 2026-11-22T10:00:00.001Z: propose under a task that is open`,
    proposal: email,
    facts: { takenAt: '2026-11-22T10:00:00.001Z' },
    twin: { facts: { takenAt: '2026-11-22T10:00:00.000Z' } },
  },
  'the proposal beyond those that its task may have': {
    rule: 'proposals-per-task',
    outcome: 'refuse',
    detail:
      "3 of 3 proposals of the task came before it, so it is one too many: propose the rest under another task, or have the charter's limits.proposalsPerTask raised",
    proposal: email,
    facts: { counted: { proposals: 3, waiting: 0 } },
    policy: limits({ proposalsPerTask: 3 }),
    twin: { facts: { counted: { proposals: 2, waiting: 0 } } },
  },
  'a proposal beyond one of each contact and five, where the charter says no number': {
    rule: 'proposals-per-task',
    outcome: 'refuse',
    detail: /^7 of 7 proposals of the task came before it/,
    proposal: email,
    facts: { counted: { proposals: 7, waiting: 0 } },
    policy: limits({ proposalsPerTask: undefined }),
    twin: { facts: { counted: { proposals: 6, waiting: 0 } } },
  },
  'a message beyond the steps of its sequence': {
    rule: 'proposals-per-task',
    outcome: 'refuse',
    detail:
      '6 of 6 messages of the enrolment came before it, so it is one too many: a step that was refused so often is left out',
    proposal: step(),
    facts: { counted: { proposals: 6, waiting: 0 } },
    // The messages come after the task, and are not counted with what else it had.
    policy: limits({ proposalsPerTask: 1 }),
    twin: { facts: { counted: { proposals: 5, waiting: 0 }, takenAt: '2027-11-21T10:00:00.000Z' } },
  },
  'a message of an enrolment that nobody approved': {
    rule: 'enrolment',
    outcome: 'refuse',
    detail: `enrolment ${contact} was not approved under this task: propose sequence.enroll, and its messages once it has run`,
    proposal: step(),
    facts: { enrolment: null },
    twin: { facts: { enrolment: begun } },
  },
  'a message of an enrolment that was approved, and of which nothing came': {
    rule: 'enrolment',
    outcome: 'refuse',
    detail: `enrolment ${contact} came to nothing (failed): propose sequence.enroll anew, and its messages once it has run`,
    proposal: step(),
    facts: { enrolment: { ...begun, ended: 'failed' } },
    twin: { facts: { enrolment: begun } },
  },
  'a message of an enrolment after the sequence was stopped for the contact': {
    rule: 'enrolment',
    outcome: 'refuse',
    detail: `sequence comparison-follow-up was stopped for contact ${contact} after enrolment ${contact} was approved: none of its messages is sent any more`,
    proposal: step(),
    facts: { enrolment: { ...begun, ended: 'stopped' } },
    twin: { facts: { enrolment: begun } },
  },
  'a step of an enrolment a second time': {
    rule: 'enrolment-step',
    outcome: 'refuse',
    detail: `a message for step 1 of enrolment ${contact} was approved before or waits for a person: a step is sent once, and proposed again only where the message before was refused or came to nothing`,
    proposal: step(),
    facts: { sameStep: 1 },
    twin: { facts: { sameStep: 0 } },
  },
  'an enrolment of a contact in a sequence a second time under one task': {
    rule: 'enrolled-once',
    outcome: 'refuse',
    detail: `an enrolment of contact ${contact} in comparison-follow-up was approved under this task or waits for a person: it is proposed again only where the one before was refused or came to nothing, or under another task`,
    proposal: proposalOf('sequence.enroll'),
    facts: { sameStep: 1 },
    twin: { facts: { sameStep: 0 } },
  },
  'a message to another contact than was enrolled': {
    rule: 'enrolment',
    outcome: 'refuse',
    detail: `the enrolment is of contact ${other}, the message is to another one`,
    proposal: step(),
    facts: { enrolment: { ...begun, contactId: other } },
    twin: { facts: { enrolment: begun } },
  },
  'a message of another sequence than the contact was enrolled in': {
    rule: 'enrolment',
    outcome: 'refuse',
    detail: 'the enrolment is in nurture, the message says comparison-follow-up',
    proposal: step(),
    facts: { enrolment: { ...begun, sequenceId: 'nurture' } },
    twin: { facts: { enrolment: begun } },
  },
  'an action with the id of another one': {
    rule: 'action-id',
    outcome: 'refuse',
    detail: /^the action's id is not the one derived from /,
    proposal: { ...shift(1000), action: { ...shift(1000).action, actionId: email.action.actionId } },
    twin: { proposal: shift(1000) },
  },
  'a proposal beyond the size': {
    rule: 'size',
    outcome: 'refuse',
    detail: '65537 bytes, 1 more than the limit of 65536',
    proposal: shift(1000),
    facts: { proposalBytes: 65_537 },
    twin: { facts: { proposalBytes: 65_536 } },
  },
  'a prohibited kind': {
    rule: 'prohibited-kind',
    outcome: 'refuse',
    detail: 'ads.shift_budget is prohibited for everybody',
    proposal: shift(1000),
    policy: policyOf(content({ rules: { prohibitedKinds: ['ads.shift_budget'] } })),
    twin: { policy: policyOf(content({ rules: { prohibitedKinds: ['email.send'] } })) },
  },
  'a kind that the charter does not list': {
    rule: 'allowed-kind',
    outcome: 'refuse',
    detail: 'the charter of paid-media-agent does not list ads.set_bid',
    proposal: proposalOf('ads.set_bid'),
    policy: policyOf({
      ...content(),
      charters: content().charters.map((c) => ({ ...c, kinds: { 'ads.pause_campaign': 'auto' as const } })),
    }),
    twin: { policy: policyOf() },
  },
  'a kind that the task does not allow': {
    rule: 'allowed-kind',
    outcome: 'refuse',
    detail: 'the task allows email.send, not ads.shift_budget',
    proposal: proposalOf('ads.shift_budget', {}, { kinds: ['email.send'] }),
    twin: { proposal: proposalOf('ads.shift_budget', {}, { kinds: ['ads.shift_budget'] }) },
  },
  'a kind that the play gives no task for, whatever the agent says': {
    rule: 'allowed-kind',
    outcome: 'refuse',
    detail: 'the play return-below-floor gives paid-media-agent no task with ads.shift_budget',
    proposal: shift(1000),
    policy: policyOf({
      ...content(),
      plays: content().plays.map((p) => ({
        ...p,
        tasks: p.tasks.map((t) => ({ ...t, kinds: ['email.send' as const] })),
      })),
    }),
    twin: { policy: policyOf() },
  },
  'a play that is not in force': {
    rule: 'allowed-kind',
    outcome: 'refuse',
    detail: 'the play return-below-floor is not in force',
    proposal: shift(1000),
    policy: policyOf({ ...content(), plays: [] }),
    twin: { policy: policyOf() },
  },
  'a stopped agent': {
    rule: 'kill-control',
    outcome: 'refuse',
    detail: 'stopped: agent:paid-media-agent by lea: odd bids',
    proposal: shift(1000),
    facts: { controls: { 'agent:paid-media-agent': { version: 1, state: 'stopped', by: 'lea', reason: 'odd bids' } } },
    twin: { facts: { controls: { 'agent:paid-media-agent': { version: 2, state: 'running' } } } },
  },
  'a control state that is not known': {
    rule: 'kill-control',
    outcome: 'refuse',
    detail: 'the state of account:acme is not known, which counts as stopped',
    proposal: shift(1000),
    facts: { controls: { 'account:acme': undefined as never } },
    twin: { facts: { controls: { 'account:acme': { version: 0, state: 'running' } } } },
  },
  'a contact without consent': {
    rule: 'consent',
    outcome: 'refuse',
    detail: `contact ${contact} has no consent to sales by email on record, and unknown is no`,
    proposal: email,
    facts: { consents: { [contact]: { version: 0, entries: [], suppressions: [] } } },
    twin: { facts: { consents: { [contact]: granted() } } },
  },
  'a contact who agreed to something else': {
    rule: 'consent',
    outcome: 'refuse',
    detail: /no consent to sales by email/,
    proposal: email,
    facts: { consents: { [contact]: granted('newsletter') } },
    twin: { facts: { consents: { [contact]: granted('sales') } } },
  },
  'a contact who withdrew': {
    rule: 'consent',
    outcome: 'refuse',
    detail: `contact ${contact} withdrew consent to sales by email on 2026-10-01T08:00:00.000Z`,
    proposal: email,
    facts: {
      consents: {
        [contact]: { ...granted(), entries: granted().entries.map((e) => ({ ...e, status: 'withdrawn' as const })) },
      },
    },
    twin: {},
  },
  'sources that disagree on consent': {
    rule: 'consent',
    outcome: 'escalate',
    detail: `facts unclear: sources disagree whether contact ${contact} agreed to sales by email (/sources/website)`,
    proposal: email,
    facts: {
      consents: {
        [contact]: { ...granted(), entries: granted().entries.map((e) => ({ ...e, status: 'disputed' as const })) },
      },
    },
    twin: {},
  },
  'a suppressed contact who once agreed': {
    rule: 'consent',
    outcome: 'refuse',
    detail: `contact ${contact} is suppressed for email (complained) since 2026-11-01T00:00:00.000Z`,
    proposal: email,
    facts: {
      consents: {
        [contact]: {
          ...granted(),
          suppressions: [{ channel: 'email', reason: 'complained', at: '2026-11-01T00:00:00.000Z', signalId: 's' }],
        },
      },
    },
    twin: {
      facts: {
        consents: {
          [contact]: {
            ...granted(),
            suppressions: [{ channel: 'crm', reason: 'complained', at: '2026-11-01T00:00:00.000Z', signalId: 's' }],
          },
        },
      },
    },
  },
  'a third touch within the window': {
    rule: 'contact-frequency',
    outcome: 'refuse',
    detail: `2 of 2 touches of contact ${contact} in 7 days are used; the next slot opens 2026-11-25T10:00:00.000Z`,
    proposal: email,
    facts: touches('2026-11-18T10:00:00.000Z', '2026-11-20T10:00:00.000Z'),
    twin: { facts: touches('2026-11-14T10:00:00.000Z', '2026-11-20T10:00:00.000Z') },
  },
  'a touch that is only planned counts too': {
    rule: 'contact-frequency',
    outcome: 'refuse',
    detail: /next slot opens 2026-11-27T10:00:00.000Z/,
    proposal: email,
    facts: {
      ledgers: {
        [`touch:${contact}`]: { held: ['2026-11-23T10:00:00.000Z'], committed: ['2026-11-20T10:00:00.000Z'] },
      },
    },
    twin: { facts: { ledgers: { [`touch:${contact}`]: { held: ['2026-11-23T10:00:00.000Z'], committed: [] } } } },
  },
  'a fourth send within the hour': {
    rule: 'sends-per-hour',
    outcome: 'refuse',
    detail: '3 of 3 sends of paid-media-agent in an hour are used; the next slot opens 2026-11-21T10:10:00.000Z',
    proposal: email,
    facts: {
      ledgers: {
        'sends:paid-media-agent': {
          held: ['2026-11-21T09:10:00.000Z', '2026-11-21T09:20:00.000Z'],
          committed: ['2026-11-21T09:30:00.000Z'],
        },
      },
    },
    twin: {
      facts: {
        ledgers: {
          'sends:paid-media-agent': {
            held: ['2026-11-21T09:00:00.000Z', '2026-11-21T09:20:00.000Z'],
            committed: ['2026-11-21T09:30:00.000Z'],
          },
        },
      },
    },
  },
  'an agent that may send nothing': {
    rule: 'sends-per-hour',
    outcome: 'refuse',
    detail: 'none of sends of paid-media-agent in an hour is allowed: the limit is 0',
    proposal: email,
    policy: limits({ sendsPerHour: 0 }),
    twin: { policy: limits({ sendsPerHour: 1 }) },
  },
  'money in another currency than the charter': {
    rule: 'currency',
    outcome: 'refuse',
    detail: "the action is in USD, the charter's limits are in EUR",
    proposal: proposalOf('ads.set_bid', { currency: 'USD' }),
    twin: { proposal: proposalOf('ads.set_bid') },
  },
  'money in another currency than the ad account': {
    rule: 'currency',
    outcome: 'refuse',
    detail: 'the action is in EUR, ad account ads-emea is in GBP',
    proposal: proposalOf('ads.set_bid'),
    facts: { adAccounts: { 'ads-emea': { version: 1, currency: 'GBP', campaigns: {} } } },
    twin: {
      facts: {
        adAccounts: { 'ads-emea': { version: 1, currency: 'EUR', campaigns: { 'cmp-to': { bidMinor: 110 } } } },
      },
    },
  },
  'spend over the daily cap of the campaign': {
    rule: 'spend-cap-campaign',
    outcome: 'refuse',
    detail:
      'EUR 20.00 over the daily cap of EUR 500.00 of campaign cmp-to: EUR 480.00 held or spent today, EUR 40.00 asked for',
    proposal: shift(4000),
    facts: { ledgers: { [campaignLedger]: { held: 18_000, committed: 30_000, currency: 'EUR' } } },
    twin: { facts: { ledgers: { [campaignLedger]: { held: 16_000, committed: 30_000, currency: 'EUR' } } } },
  },
  'spend over the daily cap of the ad account': {
    rule: 'spend-cap-ad-account',
    outcome: 'refuse',
    detail:
      'EUR 0.01 over the daily cap of EUR 800.00 of ad account ads-emea: EUR 770.01 held or spent today, EUR 30.00 asked for',
    proposal: shift(3000),
    facts: { ledgers: { [adAccountLedger]: { held: 77_001, committed: 0, currency: 'EUR' } } },
    twin: { facts: { ledgers: { [adAccountLedger]: { held: 77_000, committed: 0, currency: 'EUR' } } } },
  },
  'spend of all that a number can say': {
    rule: 'spend-cap-campaign',
    outcome: 'refuse',
    detail:
      /over the daily cap of EUR 500.00 of campaign cmp-to: EUR 90,071,992,547,409.91 held or spent today, EUR 40.00 asked for/,
    proposal: shift(4000),
    facts: {
      ledgers: {
        [campaignLedger]: { held: Number.MAX_SAFE_INTEGER, committed: Number.MAX_SAFE_INTEGER, currency: 'EUR' },
      },
    },
    twin: { facts: { ledgers: { [campaignLedger]: { held: 0, committed: 0, currency: 'EUR' } } } },
  },
  'spend that was booked in another currency today': {
    rule: 'spend-cap-campaign',
    outcome: 'refuse',
    detail:
      'USD held or spent today on campaign cmp-to cannot be compared with the daily cap in EUR: the policy has no exchange rates',
    proposal: shift(3000),
    facts: { ledgers: { [campaignLedger]: { held: 1, committed: 0, currency: 'USD' } } },
    twin: { facts: { ledgers: { [campaignLedger]: { held: 1, committed: 0, currency: 'EUR' } } } },
  },
  'a bid of any size': {
    rule: 'bid-threshold',
    outcome: 'escalate',
    detail: 'a change of EUR 90,071,992,547,408.81 for campaign cmp-to is above EUR 200.00, the most without a person',
    proposal: proposalOf('ads.set_bid', { bidMinor: Number.MAX_SAFE_INTEGER }),
    twin: { proposal: proposalOf('ads.set_bid') },
  },
  'a budget change above the amount': {
    rule: 'budget-threshold',
    outcome: 'escalate',
    detail: /a change of EUR 200.01 for campaign cmp-from is above EUR 200.00, the most without a person/,
    proposal: shift(20_001),
    policy: limits({ approvalAbovePercent: 100 }),
    twin: { proposal: shift(20_000) },
  },
  'a budget change above the percentage': {
    rule: 'budget-threshold',
    outcome: 'escalate',
    detail: /a change of EUR 100.01 is 25.0 % of the daily budget EUR 400.00 of campaign cmp-from, above 25 %/,
    proposal: shift(10_001),
    twin: { proposal: shift(10_000) },
  },
  'a budget that is not known': {
    rule: 'budget-threshold',
    outcome: 'escalate',
    detail: /facts unclear: the daily budget of campaign cmp-from is not known/,
    proposal: shift(1000),
    facts: { adAccounts: { 'ads-emea': null } },
    twin: {},
  },
  'a new creative': {
    rule: 'new-creative',
    outcome: 'escalate',
    detail: 'a new creative needs a person',
    proposal: proposalOf('ads.publish_creative'),
    twin: { policy: policyOf(content({ rules: { creativeNeedsPerson: false } })) },
  },
  'the first touch of the C-suite': {
    rule: 'first-touch',
    outcome: 'escalate',
    detail: `first touch of contact ${contact} (c-suite) needs a person`,
    proposal: email,
    facts: { contacts: { [contact]: { version: 1, seniority: 'c-suite', touched: false, accountId: 'acme' } } },
    twin: {
      facts: { contacts: { [contact]: { version: 1, seniority: 'c-suite', touched: true, accountId: 'acme' } } },
    },
  },
  'the first touch of somebody unknown, where the rule lists unknown': {
    rule: 'first-touch',
    outcome: 'escalate',
    detail: /first touch of contact .* \(unknown\) needs a person/,
    proposal: email,
    facts: { contacts: { [contact]: { version: 1, seniority: 'unknown', touched: false, accountId: 'acme' } } },
    policy: policyOf(content({ rules: { firstTouchNeedsPerson: ['unknown'] } })),
    twin: { policy: policyOf() },
  },
  'facts that are newer where it was made': {
    rule: 'facts-behind',
    outcome: 'escalate',
    detail: 'facts unclear: it was made from version 2 of profile:contact:x, here it is 1',
    proposal: email,
    facts: { versions: { 'profile:contact:x': 1 } },
    twin: { facts: { versions: { 'profile:contact:x': 3 } } },
  },
  'facts whose name is one of every object': {
    rule: 'facts-behind',
    outcome: 'escalate',
    detail: 'facts unclear: it was made from version 2 of constructor, here it is 0',
    proposal: { ...email, madeFrom: { constructor: 2 } as never },
    facts: { versions: {} },
    twin: { facts: { versions: { constructor: 2 } as never } },
  },
  'untrusted text in its making': {
    rule: 'lineage',
    outcome: 'escalate',
    detail: 'text from outside had a part in it, so it may not act alone',
    proposal: proposalOf('ads.set_bid', {}, { lineage: 'untrusted' }),
    twin: { proposal: proposalOf('ads.set_bid') },
  },
  'no word on its making': {
    rule: 'lineage',
    outcome: 'escalate',
    detail: 'where it was made from is not stated, so it may not act alone',
    proposal: proposalOf('ads.set_bid', {}, { lineage: undefined as never }),
    twin: { proposal: proposalOf('ads.set_bid') },
  },
  'a message to somebody of another account than it names': {
    rule: 'account',
    outcome: 'refuse',
    detail: `contact ${contact} is of account globex, the action names acme`,
    proposal: email,
    facts: { contacts: { [contact]: { version: 3, seniority: 'manager', touched: false, accountId: 'globex' } } },
    twin: {
      facts: { contacts: { [contact]: { version: 3, seniority: 'manager', touched: false, accountId: 'acme' } } },
    },
  },
  'a message that names no account, so that no stop of one would reach it': {
    rule: 'account',
    outcome: 'refuse',
    detail: `contact ${contact} is of account acme, the action names none`,
    proposal: { ...email, action: { ...email.action, accountId: undefined as never } },
    facts: { contacts: { [contact]: { version: 3, seniority: 'manager', touched: false, accountId: 'acme' } } },
    twin: { proposal: email },
  },
  'a CRM task about somebody of another account than it names, for the route of that one': {
    rule: 'account',
    outcome: 'refuse',
    detail: `contact ${contact} is of account globex, the action names acme`,
    proposal: crmTask,
    facts: contactAt('globex'),
    twin: { facts: contactAt('acme') },
  },
  'a CRM task that names no account, so that no stop of one would reach it': {
    rule: 'account',
    outcome: 'refuse',
    detail: `contact ${contact} is of account acme, the action names none`,
    proposal: { ...crmTask, action: { ...crmTask.action, accountId: undefined as never } },
    facts: contactAt('acme'),
    twin: { proposal: crmTask, facts: contactAt('acme') },
  },
  'a CRM task that names an account for somebody of no known one': {
    rule: 'account',
    outcome: 'refuse',
    detail: `contact ${contact} is of no account that is known, the action names acme`,
    proposal: crmTask,
    facts: contactAt(undefined),
    twin: { facts: contactAt('acme') },
  },
  'what concerns somebody of no known account, under a task of none, so that its author says alone whom it is about': {
    rule: 'account',
    outcome: 'escalate',
    detail: `facts unclear: contact ${contact} is of no account that is known, and the action names none`,
    proposal: { ...stop, action: { ...stop.action, accountId: undefined as never } },
    facts: contactAt(undefined),
    twin: { proposal: stop, facts: contactAt('acme') },
  },
  'a CRM task about nobody, so that its author says alone what it is about': {
    rule: 'account',
    outcome: 'escalate',
    detail: 'facts unclear: it names no contact, so no profile says that it is of account acme',
    proposal: proposalOf('crm.create_task', { contactId: undefined }),
    twin: { proposal: crmTask },
  },
  'a sequence that is stopped for somebody of another account': {
    rule: 'account',
    outcome: 'refuse',
    detail: `contact ${contact} is of account globex, the action names acme`,
    proposal: proposalOf('sequence.stop'),
    facts: contactAt('globex'),
    twin: { facts: contactAt('acme') },
  },
  'a message for another purpose than the play has': {
    rule: 'purpose',
    outcome: 'refuse',
    detail: 'the play return-below-floor is for sales, the action says newsletter',
    proposal: proposalOf('email.send', { purpose: 'newsletter' }),
    facts: { consents: { [contact]: granted('newsletter') } },
    twin: { proposal: email, facts: {} },
  },
  'a message for another purpose than the sequence of its play has': {
    rule: 'purpose',
    outcome: 'refuse',
    detail: 'the play return-below-floor is for sales, the action says newsletter',
    proposal: proposalOf('email.send', { purpose: 'newsletter' }),
    facts: { consents: { [contact]: granted('newsletter') } },
    policy: playsWith({ sequence: 'comparison-follow-up' }),
    twin: { proposal: email, facts: {} },
  },
  'a message of a play that does not say what it is for': {
    rule: 'purpose',
    outcome: 'escalate',
    detail: 'facts unclear: the play return-below-floor does not say what it is for',
    proposal: email,
    policy: playsWith({}),
    twin: { policy: policyOf() },
  },
  'a campaign that is not of the ad account it names': {
    rule: 'campaign',
    outcome: 'escalate',
    detail: 'facts unclear: ad account ads-emea is not known to have campaign constructor',
    proposal: proposalOf('ads.set_bid', { campaignId: 'constructor' }),
    twin: { proposal: proposalOf('ads.set_bid') },
  },
  'a creative for a campaign of an ad account that nothing is known of': {
    rule: 'campaign',
    outcome: 'escalate',
    detail: 'facts unclear: ad account ads-emea is not known to have campaign cmp-to',
    proposal: proposalOf('ads.publish_creative'),
    policy: policyOf(content({ rules: { creativeNeedsPerson: false } })),
    facts: { adAccounts: {} },
    twin: { proposal: proposalOf('ads.publish_creative') },
  },
  'a budget that is raised by resuming': {
    rule: 'budget-threshold',
    outcome: 'escalate',
    detail: /a change of EUR 100.01 is 25.0 % of the daily budget EUR 400.00 of campaign cmp-to, above 25 %/,
    proposal: proposalOf('ads.resume_campaign', { dailyBudgetMinor: 50_001 }),
    policy: limits({ campaignSpendPerDayMinor: 80_000 }),
    twin: { proposal: proposalOf('ads.resume_campaign', { dailyBudgetMinor: 50_000 }) },
  },
  'a message for a time that is far away': {
    rule: 'send-time',
    outcome: 'refuse',
    detail: 'it is to be sent at 2026-12-21T10:00:00.001Z, more than 30 days ahead',
    proposal: proposalOf('email.send', { sendAt: '2026-12-21T10:00:00.001Z' }),
    twin: { proposal: proposalOf('email.send', { sendAt: '2026-12-21T10:00:00.000Z' }) },
  },
  'an enrolment under another purpose than the sequence has': {
    rule: 'sequence',
    outcome: 'refuse',
    detail: 'sequence comparison-follow-up is for sales, the action says newsletter',
    proposal: proposalOf('sequence.enroll', { purpose: 'newsletter' }),
    facts: { consents: { [contact]: granted('newsletter') } },
    twin: { proposal: proposalOf('sequence.enroll'), facts: {} },
  },
  'a step of a sequence that is not in force': {
    rule: 'sequence',
    outcome: 'refuse',
    detail: 'the sequence gone is not in force',
    proposal: step({}, 'gone'),
    twin: {
      proposal: step(),
    },
  },
  'a message to somebody of the same account who is not of the task': {
    rule: 'task',
    outcome: 'refuse',
    detail: `contact ${other} is not among those of the task`,
    proposal: proposalOf('email.send', { contactId: other }),
    facts: taskWith({ contactIds: [contact] }),
    twin: { facts: taskWith({ contactIds: [contact, other] }) },
  },
  'a CRM task about somebody under a task about nobody': {
    rule: 'task',
    outcome: 'refuse',
    detail: `contact ${contact} is not among those of the task`,
    proposal: crmTask,
    facts: taskWith({ contactIds: [] }),
    twin: { facts: taskWith({ contactIds: [contact] }) },
  },
  'a sequence that is stopped for somebody who is not of the task': {
    rule: 'task',
    outcome: 'refuse',
    detail: `contact ${contact} is not among those of the task`,
    proposal: stop,
    facts: taskWith({ contactIds: [other] }),
    twin: { facts: taskWith({ contactIds: [contact] }) },
  },
  'an enrolment in another sequence than the task names, even one of the same purpose': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the sequence of the task is pricing-follow-up, that of the proposal is comparison-follow-up',
    proposal: proposalOf('sequence.enroll'),
    facts: naming({ sequence: 'pricing-follow-up', purpose: 'sales' }),
    twin: { facts: naming({ sequence: 'comparison-follow-up' }) },
  },
  'a step of another sequence than the task names': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the sequence of the task is pricing-follow-up, that of the proposal is comparison-follow-up',
    proposal: step(),
    facts: naming({ sequence: 'pricing-follow-up' }),
    twin: { facts: naming({ sequence: 'comparison-follow-up' }) },
  },
  'another sequence than the task names, to be stopped': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the sequence of the task is pricing-follow-up, that of the proposal is comparison-follow-up',
    proposal: stop,
    facts: naming({ sequence: 'pricing-follow-up' }),
    twin: { facts: naming({ sequence: 'comparison-follow-up' }) },
  },
  'an enrolment for another purpose than that of a task that leaves the sequence open': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the purpose of the task is newsletter, that of the proposal is sales',
    proposal: proposalOf('sequence.enroll'),
    facts: naming({ purpose: 'newsletter' }),
    twin: { facts: naming({ purpose: 'sales' }) },
  },
  'an enrolment whose task names neither sequence nor purpose, so that its author chooses the consent': {
    rule: 'task',
    outcome: 'escalate',
    detail: 'facts unclear: the task names no sequence, and the action names comparison-follow-up',
    proposal: proposalOf('sequence.enroll'),
    facts: naming({}),
    twin: { facts: naming({ sequence: 'comparison-follow-up' }) },
  },
  'another campaign of the ad account than the task is about': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the campaign of the task is cmp-from, that of the proposal is cmp-to',
    proposal: proposalOf('ads.set_bid'),
    facts: taskWith({ campaignId: 'cmp-from' }),
    twin: { facts: taskWith({ campaignId: 'cmp-to' }) },
  },
  'a budget that moves neither from nor to the campaign of the task': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the campaign of the task is cmp-low, that of the proposal is cmp-from, cmp-to',
    proposal: shift(1000),
    facts: taskWith({ campaignId: 'cmp-low' }),
    twin: { facts: taskWith({ campaignId: 'cmp-from' }) },
  },
  'a budget that moves between two others, while the task asks for reach': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the campaign of the task is cmp-best, that of the proposal is cmp-from, cmp-to',
    proposal: shift(1000),
    facts: taskWith({ campaignId: 'cmp-best' }),
    twin: { facts: taskWith({ campaignId: 'cmp-to' }) },
  },
  'a message of another template than the task names': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the template of the task is invitation, that of the proposal is follow-up',
    proposal: email,
    facts: naming({ purpose: 'sales', template: 'invitation' }),
    twin: { facts: naming({ purpose: 'sales', template: 'follow-up' }) },
  },
  'words of its author under a task that is about the messages of a sequence': {
    rule: 'task',
    outcome: 'escalate',
    detail:
      "facts unclear: the task is about the messages of sequence comparison-follow-up, and this is a message of its author's own",
    proposal: email,
    facts: naming({ sequence: 'comparison-follow-up' }),
    twin: { facts: naming({ sequence: 'comparison-follow-up', template: 'follow-up' }) },
  },
  'words of its author under a task that says nothing of words': {
    rule: 'task',
    outcome: 'escalate',
    detail: "facts unclear: the task names neither a purpose nor a template, and this is a message of its author's own",
    proposal: email,
    facts: naming({}),
    twin: { facts: naming({ purpose: 'sales' }) },
  },
  'a message for another purpose than its task has, which another task of the play has': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the purpose of the task is newsletter, that of the proposal is sales',
    proposal: email,
    facts: naming({ purpose: 'newsletter' }),
    twin: { facts: naming({ purpose: 'sales' }) },
  },
  'a message whose task names its template and nothing that says what it is for': {
    rule: 'task',
    outcome: 'escalate',
    detail: 'facts unclear: the task names no purpose, and the action says sales',
    proposal: email,
    facts: naming({ template: 'follow-up' }),
    twin: { facts: naming({ template: 'follow-up', sequence: 'comparison-follow-up' }) },
  },
  'a message for another purpose than the sequence of its task has, which another task of the play has': {
    rule: 'purpose',
    outcome: 'refuse',
    detail: 'the sequence comparison-follow-up of the task is for sales, the action says newsletter',
    proposal: proposalOf('email.send', { purpose: 'newsletter' }),
    policy: playsWith({ purpose: 'newsletter' }),
    facts: {
      ...naming({ template: 'follow-up', sequence: 'comparison-follow-up' }),
      consents: { [contact]: granted('newsletter') },
    },
    twin: {
      proposal: email,
      policy: policyOf(),
      facts: naming({ template: 'follow-up', sequence: 'comparison-follow-up' }),
    },
  },
  'a message whose task names a sequence that is not in force, which said what it is for': {
    rule: 'purpose',
    outcome: 'escalate',
    detail: 'facts unclear: the sequence gone of the task is not in force, the action says sales',
    proposal: email,
    facts: naming({ template: 'follow-up', sequence: 'gone' }),
    twin: { facts: naming({ template: 'follow-up', sequence: 'comparison-follow-up' }) },
  },
  'a creative whose address the task does not name': {
    rule: 'task',
    outcome: 'escalate',
    detail: 'facts unclear: the task names no url, and the action names https://example.com/compare',
    proposal: proposalOf('ads.publish_creative'),
    policy: policyOf(content({ rules: { creativeNeedsPerson: false } })),
    facts: naming({ creativeId: 'cr-1' }),
    twin: { facts: naming({ creativeId: 'cr-1', url: 'https://example.com/compare' }) },
  },
  'a creative that leads elsewhere than the task says': {
    rule: 'task',
    outcome: 'refuse',
    detail: 'the url of the task is https://example.com/ours, that of the proposal is https://example.com/compare',
    proposal: proposalOf('ads.publish_creative'),
    policy: policyOf(content({ rules: { creativeNeedsPerson: false } })),
    facts: naming({ creativeId: 'cr-1', url: 'https://example.com/ours' }),
    twin: { facts: naming({ creativeId: 'cr-1', url: 'https://example.com/compare' }) },
  },
  'a task that was kept before its contacts were': {
    rule: 'task',
    outcome: 'escalate',
    detail: 'facts unclear: the task was kept by a version that did not keep what it is about',
    proposal: email,
    facts: taskWith({ contactIds: undefined as never, named: undefined as never }),
    twin: { facts: taskWith({}) },
  },
  'a CRM task for somebody who does not own the account': {
    rule: 'owner',
    outcome: 'escalate',
    detail: 'facts unclear: the owner of account acme is owner-7, the action is for owner-8',
    proposal: proposalOf('crm.create_task', { ownerId: 'owner-8' }),
    twin: { proposal: crmTask },
  },
  'a CRM task for somebody, where nobody is known to own the account': {
    rule: 'owner',
    outcome: 'escalate',
    detail: 'facts unclear: the owner of account acme is not known, the action is for owner-7',
    proposal: crmTask,
    facts: { accounts: { acme: { version: 6 } } },
    twin: { facts: { accounts: { acme: { version: 6, ownerId: 'owner-7' } } } },
  },
  'a step of a sequence with another template than the policy says': {
    rule: 'sequence',
    outcome: 'refuse',
    detail: 'step 1 of sequence comparison-follow-up is follow-up, the action says offer',
    proposal: step({ template: 'offer' }),
    twin: { proposal: step() },
  },
  'a step that its sequence does not have': {
    rule: 'sequence',
    outcome: 'refuse',
    detail: 'sequence comparison-follow-up has no step 2',
    proposal: step({ sequence: { id: 'comparison-follow-up', enrolment: contact, step: 1 } }),
    twin: { proposal: step() },
  },
  'a step of a sequence with words of its own': {
    rule: 'sequence',
    outcome: 'escalate',
    detail:
      'the subject and the body of the message is not that of step 1 of sequence comparison-follow-up: a person answers for it',
    proposal: step({ subject: 'Everything at half price', body: 'Only today.' }),
    twin: { proposal: step() },
  },
  'an action that no executor runs': {
    rule: 'route',
    outcome: 'refuse',
    detail: 'no executor runs crm.create_task here',
    proposal: {
      ...proposalOf('crm.create_task'),
      action: { ...proposalOf('crm.create_task').action, accountId: 'globex' },
    },
    twin: { proposal: proposalOf('crm.create_task') },
  },
  'a kind that is only suggested': {
    rule: 'tier',
    outcome: 'escalate',
    detail: 'paid-media-agent only suggests ads.set_bid: a person answers each',
    proposal: proposalOf('ads.set_bid'),
    policy: policyOf(content({ charter: { kinds: { 'ads.set_bid': 'suggest' } } })),
    twin: { policy: policyOf() },
  },
};

const outcomes = { pass: 'approved', escalate: 'escalated', refuse: 'refused' } as const;

test.each(Object.entries(cases))(
  'the rule stops %s, and its twin passes',
  (_name, { rule, outcome, detail, proposal, facts, policy = policyOf(), twin }) => {
    const judgement = judge(proposal, factsFor(proposal, facts, policy), policy, at);
    const reason = judgement.verdict.reasons.find((r) => r.rule === rule);
    expect(reason).toMatchObject({ rule, outcome });
    if (typeof detail === 'string') expect(reason?.detail).toBe(detail);
    else expect(reason?.detail).toMatch(detail);
    expect(judgement.verdict.outcome).toBe(outcomes[outcome]);

    const other = { proposal, policy: twin.proposal || twin.facts ? policy : policyOf(), ...twin };
    const fine = judge(other.proposal, factsFor(other.proposal, twin.facts, other.policy), other.policy, at);
    expect(fine.verdict.reasons.find((r) => r.rule === rule)?.outcome).toBe('pass');
    expect(fine.verdict.outcome).toBe('approved');
  },
);

import {
  type ActionKindName,
  type ActionProposed,
  digestOf,
  moneyOf,
  type PolicyContent,
  type Rules,
} from '@countersign/contracts';
import { concerns, type Facts, moneyLedger, type PolicyInForce } from '@countersign/gate';
import {
  adAccountLedger,
  at,
  campaignLedger,
  contact,
  content,
  type FactsChange,
  factsFor,
  ofAccount,
  other,
  policyOf,
  proposalOf,
} from '@countersign/gate/testing';
import type { Case, Given } from './case.js';

export { at };

const minor = (amount: string): number => moneyOf(amount)?.minor ?? Number.NaN;

/** Turns the words of a case into proposal, facts and policy as `judge` takes them. */
export function stage(
  given: Given,
  when: Case['when'],
): {
  proposal: Pick<ActionProposed, 'rationale'> & ReturnType<typeof proposalOf>;
  facts: Facts;
  policy: PolicyInForce | null;
} {
  const payload: Record<string, unknown> = {};
  if (when.amount) {
    payload[{ 'ads.set_bid': 'bidMinor', 'ads.resume_campaign': 'dailyBudgetMinor' }[when.kind] ?? 'amountMinor'] =
      minor(when.amount);
    payload.currency = when.amount.slice(0, 3);
  }
  if (when.contact === 'none') payload.contactId = undefined;
  if (when.sendAt) payload.sendAt = when.sendAt;
  if (when.purpose) payload.purpose = when.purpose;
  if (when.owner) payload.ownerId = when.owner;
  if (when.step !== undefined) {
    const [{ template, subject, body } = {}] = content().sequences[0]?.steps ?? [];
    const sequence = { id: 'comparison-follow-up', enrolment: contact, step: when.step - 1 };
    Object.assign(payload, { template, subject, body, sequence });
  }
  if (when.template) payload.template = when.template;
  for (const text of ['subject', 'body', 'headline', 'url', 'title', 'note'] as const)
    if (when[text] !== undefined) payload[text] = when[text];
  if (when.extraField) payload[when.extraField] = true;
  if (when.alsoTo) payload.contactId = [contact, when.alsoTo];
  const base = proposalOf(when.kind, payload);
  const { accountId: _acme, ...unnamed } = base.action;
  const action =
    when.account === undefined
      ? base.action
      : when.account === 'none'
        ? unnamed
        : { ...base.action, accountId: when.account };
  const { lineage: _trusted, ...unlabelled } = base;
  const proposal = {
    ...unlabelled,
    ...(given.lineage !== 'not stated' && { lineage: given.lineage ?? ('trusted' as const) }),
    ...(given.taskAllows && { kinds: given.taskAllows }),
    action,
    rationale: when.rationale ?? '',
  };
  const policy = given.policy === 'none' ? null : policyOf(contentOf(given, when.kind));
  return { proposal, facts: factsOf(given, proposal, policy), policy };
}

function contentOf(given: Given, kind: string): PolicyContent {
  const base = content({
    charter: {
      ...(given.charterTexts && { texts: given.charterTexts }),
      ...(given.firstReviewed !== undefined && { firstReviewed: given.firstReviewed }),
      ...(given.tier && { kinds: { [kind as ActionKindName]: given.tier } }),
      limits: {
        ...(given.campaignCap && { campaignSpendPerDayMinor: minor(given.campaignCap) }),
        ...(given.adAccountCap && { adAccountSpendPerDayMinor: minor(given.adAccountCap) }),
        ...(given.campaignMonthCap && { campaignSpendPerMonthMinor: minor(given.campaignMonthCap) }),
        ...(given.adAccountMonthCap && { adAccountSpendPerMonthMinor: minor(given.adAccountMonthCap) }),
        ...(given.agentCap && { agentSpendPerDayMinor: minor(given.agentCap) }),
        ...(given.agentMonthCap && { agentSpendPerMonthMinor: minor(given.agentMonthCap) }),
        ...(given.personAboveTotal && { approvalAboveAdAccountTotalPerDayMinor: minor(given.personAboveTotal) }),
        ...(given.personAbove && { approvalAboveMinor: minor(given.personAbove) }),
        ...(given.personAbovePercent !== undefined && { approvalAbovePercent: given.personAbovePercent }),
        ...(given.actionsPerHour !== undefined && { actionsPerHour: given.actionsPerHour }),
        ...(given.accountActionsPerHour !== undefined && { accountActionsPerHour: given.accountActionsPerHour }),
        ...(given.proposalsPerTask !== undefined && { proposalsPerTask: given.proposalsPerTask }),
        ...(given.reviewsWaiting !== undefined && { reviewsWaiting: given.reviewsWaiting }),
        ...(given.sendsPerHour !== undefined && { sendsPerHour: given.sendsPerHour }),
      },
    },
    rules: {
      ...(given.rules as Partial<Rules>),
      ...(given.touchesAllowed && { contactFrequency: given.touchesAllowed }),
      ...(given.prohibited && { prohibitedKinds: given.prohibited }),
      ...(given.firstTouchNeedsPerson && { firstTouchNeedsPerson: given.firstTouchNeedsPerson }),
      ...(given.creativeNeedsPerson !== undefined && { creativeNeedsPerson: given.creativeNeedsPerson }),
    },
    ...(given.rates && { rates: given.rates }),
  });
  const { allowed, playAllows } = given;
  return {
    ...base,
    ...(allowed && {
      charters: base.charters.map((c) => ({
        ...c,
        kinds: Object.fromEntries(allowed.map((k) => [k, 'auto' as const])),
      })),
    }),
    ...(playAllows && {
      plays: base.plays.map((p) => ({ ...p, tasks: p.tasks.map((t) => ({ ...t, kinds: playAllows })) })),
    }),
  };
}

function factsOf(given: Given, proposal: ReturnType<typeof stage>['proposal'], policy: PolicyInForce | null): Facts {
  const money = (held?: string, spent: string | readonly string[] = []) => {
    const parts = [
      ...(held ? [{ currency: held.slice(0, 3), held: minor(held), committed: 0 }] : []),
      ...[spent].flat().map((text) => ({ currency: text.slice(0, 3), held: 0, committed: minor(text) })),
    ];
    const currencies = [...new Set(parts.map(({ currency }) => currency))];
    return moneyLedger(
      currencies.map((currency) => {
        const same = parts.filter((part) => part.currency === currency);
        const sum = (member: 'held' | 'committed') => same.reduce((total, part) => total + part[member], 0);
        return { currency, held: sum('held'), committed: sum('committed') };
      }),
    );
  };
  const budget = {
    ...(given.dailyBudget !== 'unknown' && { dailyBudgetMinor: minor(given.dailyBudget ?? 'EUR 400.00') }),
    ...(given.bid !== 'unknown' && { bidMinor: minor(given.bid ?? 'EUR 1.10') }),
  };
  const message = concerns(proposal, policy, at).draws.find(({ kind }) => kind === 'message')?.ledger;
  const change: FactsChange = {
    ledgers: {
      ...(message !== undefined && { [message]: { held: [], committed: given.sameMessage ?? [] } }),
      [campaignLedger]: money(given.campaignHeld, given.campaignSpent),
      [adAccountLedger]: money(given.adAccountHeld, given.adAccountSpent),
      'spend:campaign:cmp-to:2026-11': money(undefined, given.campaignMonthSpent),
      'spend:ad-account:ads-emea:2026-11': money(undefined, given.adAccountMonthSpent),
      'spend:agent:paid-media-agent:2026-11-21': money(undefined, given.agentSpent),
      'spend:agent:paid-media-agent:2026-11': money(undefined, given.agentMonthSpent),
      [`touch:${contact}`]: { held: given.touchesPlanned ?? [], committed: given.touches ?? [] },
      'actions:paid-media-agent': { held: [], committed: given.approvals ?? [] },
      'actions:paid-media-agent:ads-emea': { held: [], committed: given.approvalsForAccount ?? [] },
      'actions:paid-media-agent:acme': {
        held: [],
        committed: given.approvalsForCrmAccount ?? given.approvalsForAccount ?? [],
      },
      'sends:paid-media-agent': { held: [], committed: given.sends ?? [] },
    },
    adAccounts: {
      'ads-emea': {
        version: 5,
        currency: given.adAccountCurrency ?? 'EUR',
        campaigns: given.campaigns === 'unknown' ? {} : { 'cmp-from': budget, 'cmp-to': budget },
      },
    },
    ...(given.owner !== undefined && {
      accounts: { acme: { version: 6, ...(given.owner !== 'unknown' && { ownerId: given.owner }) } },
    }),
    consents: { [contact]: consentOf(given) },
    contacts: {
      [contact]: {
        version: 3,
        seniority: given.seniority ?? 'manager',
        touched: given.touchedBefore ?? false,
        ...(given.contactOf === undefined
          ? ofAccount(proposal)
          : given.contactOf !== 'unknown' && { accountId: given.contactOf }),
      },
    },
    ...((given.country !== undefined || given.dataFrom || given.addressFrom !== undefined) && {
      origins: {
        [contact]: {
          version: 3,
          ...(given.country !== undefined && { country: given.country }),
          ...(given.addressFrom !== 'unknown' && { address: given.addressFrom ?? '/sources/website' }),
          sources: given.dataFrom ?? ['/sources/website'],
        },
      },
    }),
    ...((given.timeZone !== undefined || given.rules?.quietHours || given.rules?.workingDays) && {
      whereabouts: {
        [contact]: {
          version: 3,
          ...(given.timeZone !== 'unknown' && { timeZone: given.timeZone ?? 'Europe/Berlin' }),
          ...(given.country !== undefined && { country: given.country }),
        },
      },
    }),
    ...(given.stopped && {
      controls: { [given.stopped]: { version: 1, state: 'stopped' as const, by: 'lea', reason: 'a drill' } },
    }),
    ...(given.task !== undefined && { task: taskOf(given.task, proposal) }),
    ...(given.taken !== undefined && { takenAt: given.taken }),
    ...(given.decidedBefore !== undefined && { decided: given.decidedBefore }),
    ...((given.proposedBefore !== undefined || given.waiting !== undefined) && {
      counted: { proposals: given.proposedBefore ?? 0, waiting: given.waiting ?? 0 },
    }),
    ...((given.enrolled !== undefined || given.enrolmentEnded !== undefined) && { enrolment: enrolmentOf(given) }),
    ...(given.sameStep !== undefined && { sameStep: given.sameStep }),
    ...(given.writtenBy && { author: given.writtenBy }),
    ...(given.bytes !== undefined && { proposalBytes: given.bytes }),
    ...(given.factsHere === 'behind' && { versions: {} }),
    ...(given.answer && {
      review: {
        reviewId: contact,
        by: given.answer.by,
        decision: given.answer.decision,
        digest: given.answer.about === 'this action' ? digestOf(proposal.action) : digestOf('another action'),
        at: '2026-11-21T09:59:00.000Z',
      },
    }),
  };
  return factsFor(proposal, change, policy ? policyOf(policy.content) : policyOf());
}

function enrolmentOf({ enrolled, enrolmentEnded: ended }: Given): Facts['enrolment'] & (object | null) {
  if (enrolled === 'nobody') return null;
  const contactId = enrolled === 'another contact' ? other : contact;
  return { contactId, sequenceId: 'comparison-follow-up', ...(ended !== undefined && ended !== 'no' && { ended }) };
}

function taskOf(given: NonNullable<Given['task']>, proposal: ReturnType<typeof proposalOf>): Facts['task'] {
  const { task } = factsFor(proposal);
  if (given === 'unknown' || !task) return null;
  const { sequence, purpose, template, url } = given;
  const named = {
    ...task.named,
    ...(sequence && { sequence }),
    ...(purpose && { purpose }),
    ...(template && { template }),
    ...(url && { url }),
  };
  return {
    ...task,
    named: Object.fromEntries(Object.entries(named).filter(([, value]) => value !== 'none')),
    ...(given.campaign !== undefined && { campaignId: given.campaign }),
    ...(given.about !== undefined && {
      contactIds: { 'the contact': [contact], 'somebody else': [other], nobody: [] }[given.about],
    }),
    ...(given.agent !== undefined && { agent: given.agent }),
    ...(given.play !== undefined && { play: { ...task.play, id: given.play } }),
    ...(given.account !== undefined && { accountId: given.account }),
    ...(given.adAccount !== undefined && { adAccountId: given.adAccount }),
    ...(given.allows !== undefined && { kinds: given.allows }),
  };
}

function consentOf(given: Given): Facts['consents'][string] {
  const since = '2026-10-01T08:00:00.000Z';
  const entry = (
    purpose: 'sales' | 'newsletter',
    channel: 'email' | 'crm',
    status: 'granted' | 'withdrawn' | 'disputed',
  ) => ({
    version: 4,
    entries: [{ purpose, channel, status, at: since, source: '/sources/website', signalId: 's-1' }],
    suppressions:
      given.suppressed && given.suppressed !== 'no'
        ? [{ channel: 'email' as const, reason: given.suppressed, at: since, signalId: 's-2' }]
        : [],
  });
  switch (given.consent ?? 'sales by email') {
    case 'sales by email':
      return entry('sales', 'email', 'granted');
    case 'newsletter by email':
      return entry('newsletter', 'email', 'granted');
    case 'sales by crm':
      return entry('sales', 'crm', 'granted');
    case 'withdrawn':
      return entry('sales', 'email', 'withdrawn');
    case 'disputed':
      return entry('sales', 'email', 'disputed');
    case 'none':
      return { version: 0, entries: [], suppressions: [] };
  }
}

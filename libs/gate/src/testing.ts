import { generateKeyPairSync } from 'node:crypto';
import {
  type Action,
  type ActionApproved,
  type Charter,
  canonical,
  derivedId,
  type Policy,
  type PolicyContent,
  policyDigests,
  proposalIdOf,
  type Rates,
  type Rules,
  type TaskAssigned,
} from '@countersign/contracts';
import { type Facts, type MoneyLedger, type Proposal, type TaskFact, taskFact } from './facts.js';
import type { Judgement } from './judge.js';
import { readSigningKey, readVerifyKeys, type SigningKey, type VerifyKeys } from './keys.js';
import type { GateState } from './open.js';
import { seal } from './permit.js';
import { ratesFact } from './rates.js';
import { rateOf, slotOf, windowOf } from './rolling.js';
import { concerns, enrolsIn, subjectOf } from './subject.js';

/* A small world in which everything allows a proposal. Each test changes one thing. For tests of this lib and its users. */

export const at = '2026-11-21T10:00:00.000Z';
export const contact = derivedId('contact', 'ann');
export const other = derivedId('contact', 'bob');
export const day = '2026-11-21';
export const adAccountLedger = `spend:ad-account:ads-emea:${day}`;
export const campaignLedger = `spend:campaign:cmp-to:${day}`;

type Deep<T> = { [K in keyof T]?: T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? Deep<T[K]> : T[K] };

export const rules: Rules = {
  permitSeconds: 900,
  contactFrequency: { touches: 2, days: 7 },
  firstTouchNeedsPerson: ['c-suite'],
  prohibitedKinds: [],
  creativeNeedsPerson: true,
  maxProposalBytes: 65_536,
};

export const charter: Charter = {
  agent: 'paid-media-agent',
  owner: 'dana',
  reviewers: ['lea', 'marc'],
  kinds: {
    'ads.shift_budget': 'auto',
    'ads.set_bid': 'auto',
    'ads.pause_campaign': 'auto',
    'ads.resume_campaign': 'auto',
    'ads.publish_creative': 'auto',
    'email.send': 'auto',
    'sequence.enroll': 'auto',
    'sequence.stop': 'auto',
    'crm.create_task': 'auto',
  },
  currency: 'EUR',
  timeZone: 'Europe/Berlin',
  limits: {
    campaignSpendPerDayMinor: 50_000,
    adAccountSpendPerDayMinor: 80_000,
    sendsPerHour: 3,
    // One task serves many proposals of a test.
    proposalsPerTask: 10_000,
    approvalAbovePercent: 25,
    approvalAboveMinor: 20_000,
  },
  reviewWithinMinutes: 60,
};

const kinds = Object.keys(charter.kinds) as (keyof Charter['kinds'])[];

export const content = (
  change: { charter?: Deep<Charter>; rules?: Partial<Rules>; rates?: Rates } = {},
): PolicyContent => {
  const changed: Charter = {
    ...charter,
    ...change.charter,
    kinds: { ...charter.kinds, ...change.charter?.kinds },
    limits: { ...charter.limits, ...change.charter?.limits },
  };
  return {
    charters: [changed, { ...changed, agent: 'sequencing-agent' }],
    plays: [
      {
        id: 'return-below-floor',
        title: 'Return below floor',
        freshWithinDays: 3,
        trigger: {
          pattern: 'return-below-floor',
          signal: 'CampaignPerformanceReported',
          floorPercent: 100,
          withinDays: 7,
          minimumSpendMinor: 0,
        },
        coolDownDays: 1,
        tasks: ['paid-media-agent', 'sequencing-agent'].map((agent) => ({
          agent,
          purpose: 'bring the return back',
          kinds,
          dueInMinutes: 30,
          settings: { purpose: 'sales' },
        })),
      },
    ],
    sequences: [
      {
        id: 'comparison-follow-up',
        purpose: 'sales',
        steps: [{ template: 'follow-up', subject: 'Hello', body: 'A word.', afterSeconds: 0 }],
      },
    ],
    rules: { ...rules, ...change.rules },
    routes: [
      {
        kinds: ['ads.shift_budget', 'ads.set_bid', 'ads.pause_campaign', 'ads.resume_campaign', 'ads.publish_creative'],
        executor: 'action-executor',
        connector: 'ads',
      },
      { kinds: ['email.send'], executor: 'action-executor', connector: 'mailer' },
      { kinds: ['sequence.enroll', 'sequence.stop'], executor: 'action-executor', connector: 'crm' },
      { kinds: ['crm.create_task'], accounts: ['acme'], executor: 'action-executor', connector: 'crm' },
    ],
    ...(change.rates && { rates: change.rates }),
  };
};

export const policyOf = (policyContent: PolicyContent = content(), version = 7): Policy => ({
  version,
  changedAt: '2026-11-20T10:00:00.000Z',
  bundle: 'main',
  ...policyDigests(policyContent),
  by: 'dana',
  content: policyContent,
});

const payloads: Record<string, Record<string, unknown>> = {
  'ads.shift_budget': {
    adAccountId: 'ads-emea',
    fromCampaignId: 'cmp-from',
    toCampaignId: 'cmp-to',
    amountMinor: 3_000,
    currency: 'EUR',
  },
  'ads.set_bid': { adAccountId: 'ads-emea', campaignId: 'cmp-to', bidMinor: 120, currency: 'EUR' },
  'ads.pause_campaign': { adAccountId: 'ads-emea', campaignId: 'cmp-from' },
  'ads.resume_campaign': { adAccountId: 'ads-emea', campaignId: 'cmp-to', dailyBudgetMinor: 10_000, currency: 'EUR' },
  'ads.publish_creative': {
    adAccountId: 'ads-emea',
    campaignId: 'cmp-to',
    creativeId: 'cr-1',
    headline: 'Compare',
    body: 'See how the two differ.',
    url: 'https://example.com/compare',
  },
  'email.send': {
    contactId: contact,
    purpose: 'sales',
    template: 'follow-up',
    subject: 'Hello {{contact.firstName}}',
    body: 'A word on {{account.name}}.',
    sendAt: at,
  },
  'sequence.enroll': { contactId: contact, sequenceId: 'comparison-follow-up', purpose: 'sales' },
  'sequence.stop': { contactId: contact, sequenceId: 'comparison-follow-up' },
  'crm.create_task': { contactId: contact, ownerId: 'owner-7', title: 'Call them', note: 'They compared.', dueAt: at },
};

const play = { id: 'return-below-floor', runId: derivedId('run', 1), title: 'Return below floor' };

/** The task that the proposals here name for an agent. */
export const taskOf = (agent: string, change: Partial<TaskAssigned> = {}): TaskAssigned => ({
  taskId: derivedId('task', agent),
  agent,
  play,
  purpose: 'bring the return back',
  kinds: [...kinds],
  settings: {
    purpose: 'sales',
    sequence: 'comparison-follow-up',
    creativeId: 'cr-1',
    url: 'https://example.com/compare',
  },
  accountId: 'acme',
  adAccountId: 'ads-emea',
  contactIds: [contact, other],
  evidence: [],
  assignedAt: at,
  dueAt: at,
  madeFrom: {},
  ...change,
});

/** The id that `proposalOf` gives. */
const idOf = (kind: string, n: number, agent = 'paid-media-agent', taskId = taskOf(agent).taskId): string =>
  proposalIdOf(agent, taskId, `${kind}/${n}`);

export const actionOf = (
  kind: string,
  payload: Record<string, unknown> = {},
  n = 1,
  { agent, taskId }: Partial<Proposal> = {},
): Action => ({
  actionId: derivedId('action', idOf(kind, n, agent, taskId)),
  kind,
  accountId: 'acme',
  payload: { ...payloads[kind], ...payload },
});

export const proposalOf = (
  kind: string,
  payload: Record<string, unknown> = {},
  change: Partial<Proposal> = {},
  n = 1,
): Proposal => ({
  proposalId: idOf(kind, n, change.agent, change.taskId),
  item: `${kind}/${n}`,
  taskId: taskOf(change.agent ?? 'paid-media-agent').taskId,
  agent: 'paid-media-agent',
  play,
  kinds: [...kinds],
  action: actionOf(kind, payload, n, change),
  lineage: 'trusted',
  madeFrom: { 'profile:contact:x': 2 },
  ...change,
});

/** A ledger as a test gives it; for a rolling one the times of its counts. */
type LedgerChange = MoneyLedger | { readonly held: readonly string[]; readonly committed: readonly string[] };

/** The facts that a test changes. */
export type FactsChange = Omit<Partial<Facts>, 'ledgers'> & {
  readonly ledgers?: Readonly<Record<string, LedgerChange>>;
};

/** Facts in which everything allows a proposal, with the values of `change` instead. */
export function factsFor(
  proposal: Proposal,
  change: FactsChange = {},
  policy: Policy | null = policyOf(),
  now = at,
): Facts {
  const { contacts, origins, whereabouts, accounts, adAccounts, controls, decisions, draws } = concerns(
    proposal,
    policy,
    now,
  );
  const facts: Facts = {
    author: proposal.agent,
    task: taskFor(proposal),
    ...(!change.review && { takenAt: at, counted: { proposals: 0, waiting: 0 } }),
    ...(decisions > 0 && { decided: decisions }),
    ...enrolmentFor(proposal, change.review !== undefined),
    proposalBytes: Buffer.byteLength(canonical(proposal)),
    contacts: Object.fromEntries(
      contacts.map((id) => [id, { version: 3, seniority: 'manager' as const, touched: false, ...ofAccount(proposal) }]),
    ),
    ...(origins.length > 0 && {
      origins: Object.fromEntries(
        origins.map((id) => [id, { version: 3, address: '/sources/website', sources: ['/sources/website'] }]),
      ),
    }),
    ...(whereabouts.length > 0 && {
      whereabouts: Object.fromEntries(whereabouts.map((id) => [id, { version: 3, timeZone: 'Europe/Berlin' }])),
    }),
    accounts: Object.fromEntries(accounts.map((id) => [id, { version: 6, ownerId: 'owner-7' }])),
    adAccounts: Object.fromEntries(
      adAccounts.map((id) => [
        id,
        {
          version: 5,
          currency: 'EUR',
          campaigns: {
            'cmp-from': { dailyBudgetMinor: 40_000, bidMinor: 110 },
            'cmp-to': { dailyBudgetMinor: 40_000, bidMinor: 110 },
          },
        },
      ]),
    ),
    consents: Object.fromEntries(contacts.map((id) => [id, granted()])),
    controls: Object.fromEntries(controls.map((scope) => [scope, { version: 0, state: 'running' as const }])),
    ledgers: Object.fromEntries(
      draws.map((draw) => {
        const given = change.ledgers?.[draw.ledger];
        if ('rateMs' in draw) {
          const slots = given && !('currency' in given) ? given.committed.map((t) => [slotOf(t), 1] as const) : [];
          return [draw.ledger, rateOf(draw, { slots }, now)] as const;
        }
        if ('currency' in draw) return [draw.ledger, given && 'currency' in given ? given : emptyMoney] as const;
        const times = given && !('currency' in given) ? given : { held: [], committed: [] };
        return [draw.ledger, windowOf(draw, { held: sorted(times.held), committed: sorted(times.committed) })] as const;
      }),
    ),
    versions: { 'profile:contact:x': 2 },
  };
  const charter = policy?.content.charters.find((c) => c.agent === proposal.agent);
  const read = subjectOf(proposal.action);
  const currencies = [
    ...(read.ok ? [read.subject.currency] : []),
    ...Object.values(facts.ledgers).flatMap((ledger) =>
      'currency' in ledger ? [ledger.currency, ...(ledger.others ?? []).map(({ currency }) => currency)] : [],
    ),
  ];
  const rates = charter && ratesFact(policy?.content.rates, charter.currency, currencies);
  return {
    ...facts,
    ...(rates && { rates }),
    ...change,
    contacts: { ...facts.contacts, ...change.contacts },
    consents: { ...facts.consents, ...change.consents },
    controls: { ...facts.controls, ...change.controls },
    ledgers: facts.ledgers,
  };
}

/** The approved enrolment of a message of a sequence, with no approved message for its step; and the same for an enrolment. */
function enrolmentFor({ action }: Proposal, reviewed: boolean): Pick<Facts, 'enrolment' | 'sameStep'> {
  const read = subjectOf(action);
  const named = read.ok ? read.subject.sequence : undefined;
  if (read.ok && enrolsIn(read.subject) !== undefined) return { sameStep: 0 };
  if (!read.ok || !named?.step) return {};
  const enrolment = { contactId: read.subject.contacts[0] ?? '', sequenceId: named.id };
  return { ...(!reviewed && { enrolment }), sameStep: 0 };
}

/** A task that allows what the proposal proposes. */
function taskFor({ agent, play, action }: Proposal): TaskFact {
  const { accountId: _account, adAccountId: _ads, ...task } = taskFact({ ...taskOf(agent), play });
  const read = subjectOf(action);
  const adAccountId = read.ok ? read.subject.adAccountId : undefined;
  return {
    ...task,
    contactIds: read.ok ? read.subject.contacts : [],
    ...(action.accountId !== undefined && { accountId: action.accountId }),
    ...(adAccountId !== undefined && { adAccountId }),
  };
}

/** The account that the action names, if it names one. */
export const ofAccount = ({ action: { accountId } }: Proposal): { accountId?: string } =>
  accountId === undefined ? {} : { accountId };

const emptyMoney: MoneyLedger = { held: 0, committed: 0, currency: null };
const sorted = (times: readonly string[]): number[] => times.map((time) => Date.parse(time)).sort((a, b) => a - b);

export const granted = (purpose: 'sales' | 'newsletter' = 'sales'): Facts['consents'][string] => ({
  version: 4,
  entries: [
    {
      purpose,
      channel: 'email',
      status: 'granted',
      at: '2026-10-01T08:00:00.000Z',
      source: '/sources/website',
      signalId: 's-1',
    },
  ],
  suppressions: [],
});

/** A new key pair for permits, which nothing else uses. */
export function permitKeys(kid = 'test-1'): { signing: SigningKey; keys: VerifyKeys; jwk: Record<string, unknown> } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid } as Record<string, unknown>;
  const signing = readSigningKey(jwk);
  return { signing, keys: readVerifyKeys({ keys: [signing.publicJwk] }), jwk };
}

/** The event that the validator emits for an approval. */
export function approvedEvent(proposal: Proposal, judgement: Judgement, key: SigningKey): ActionApproved {
  const { claims } = judgement;
  if (!claims) throw new TypeError(`not approved: ${JSON.stringify(judgement.verdict.reasons)}`);
  const [executor = '', connector = ''] = claims.aud.split('/');
  return {
    proposalId: proposal.proposalId,
    actionId: proposal.action.actionId,
    taskId: proposal.taskId,
    agent: proposal.agent,
    play: proposal.play,
    digest: judgement.digest,
    verdict: judgement.verdict,
    action: proposal.action,
    permit: seal(judgement, key),
    permitId: claims.jti,
    executor,
    connector,
    notBefore: new Date(claims.nbf * 1000).toISOString(),
    expiresAt: new Date(claims.exp * 1000).toISOString(),
    reservations: claims.reservations,
  };
}

/** What an executor knows right after the verdict: exactly the state under which the proposal was judged. */
export const stateFor = (facts: Facts, policy: Policy = policyOf()): GateState => ({
  controls: facts.controls,
  consents: facts.consents,
  policy: { version: policy.version, parts: policy.parts },
  ageMs: { controls: 0, consents: 0, policies: 0 },
});

import { type DataOf, type EventType, eventSchemas, toBinary, topicNamed, topology } from '@countersign/contracts';
import type { KafkaFact } from './record.js';
import type { Recorded } from './story.js';

/** Ids of the one chain that the tests use. */
export const ids = {
  signal: 'sig-1',
  otherSignal: 'sig-2',
  contact: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1101',
  run: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1102',
  task: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1103',
  otherTask: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1104',
  proposal: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1105',
  otherProposal: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1106',
  action: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1107',
  editedAction: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1108',
  otherAction: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1109',
  permit: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a110a',
  review: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a110b',
  deadLetter: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a110c',
} as const;

const digest = 'ab'.repeat(32);
const minute = (n: number): string => `2026-11-21T10:${String(n).padStart(2, '0')}:00.000Z`;

const play = { id: 'tier-1-comparison-surge', runId: ids.run, title: 'Tier-1 comparison surge' };
const evidence = [
  {
    source: '/sources/website',
    signalId: ids.signal,
    type: 'ContentEngaged',
    occurredAt: minute(0),
    accountId: 'acme',
    detail: 'a contact of acme read a comparison',
  },
];

/** Ten euros moved between campaigns, and twenty. */
const shift = (actionId: string, amountMinor: number) => ({
  actionId,
  kind: 'ads.shift_budget',
  accountId: 'acme',
  payload: { adAccountId: 'ad-1', fromCampaignId: 'c-1', toCampaignId: 'c-2', amountMinor, currency: 'EUR' },
});

const task = (taskId: string, agent: string): DataOf<'TaskAssigned'> => ({
  taskId,
  play,
  agent,
  purpose: 'move budget to what is compared',
  kinds: ['ads.shift_budget'],
  settings: {},
  accountId: 'acme',
  contactIds: [],
  evidence,
  assignedAt: minute(2),
  dueAt: minute(32),
  madeFrom: { 'profile:account:acme': 3 },
});

const proposal = (proposalId: string, taskId: string, actionId: string): DataOf<'ActionProposed'> => ({
  proposalId,
  taskId,
  agent: 'paid-media-agent',
  play,
  purpose: 'move budget to what is compared',
  kinds: ['ads.shift_budget'],
  action: shift(actionId, 2_000),
  rationale: 'Three people of acme compare vendors.',
  evidence,
  confidence: 0.8,
  alternatives: [{ detail: 'raise the bid', rejectedBecause: 'the bid is not what limits it' }],
  planner: { kind: 'rules', name: 'surge' },
  lineage: 'trusted',
  proposedAt: minute(3),
  madeFrom: { 'profile:account:acme': 4 },
});

const judged = (outcome: 'approved' | 'refused' | 'escalated', actionId: string) => ({
  proposalId: ids.proposal,
  actionId,
  taskId: ids.task,
  agent: 'paid-media-agent',
  play,
  digest,
  verdict: {
    outcome,
    reasons: [
      { rule: 'spend-cap', outcome: 'pass' as const, detail: 'EUR 20.00 of EUR 500.00 a day' },
      { rule: 'approval-threshold', outcome: 'escalate' as const, detail: 'more than 20 % of the daily budget' },
    ],
    tier: 'suggest' as const,
    policy: { version: 7, digest },
    at: minute(4),
  },
});

interface Given<T extends EventType> {
  readonly topic: string;
  readonly type: T;
  readonly data: DataOf<T>;
  readonly id: string;
  readonly at: string;
  readonly correlationid?: string;
}

const given = <T extends EventType>(topic: string, type: T, n: number, data: DataOf<T>): Given<T> => ({
  topic,
  type,
  data: eventSchemas[type].parse(data) as DataOf<T>,
  id: `event-${n}`,
  at: minute(n),
  correlationid: ids.signal,
});

const profile = (version: number, signals: number): DataOf<'ProfileChanged'> => ({
  version,
  changedAt: minute(1),
  kind: 'account',
  accountId: 'acme',
  name: 'Acme',
  tier: 1,
  deals: [],
  lastSignalAt: minute(1),
  signals,
  provenance: {},
});

/**
 * A budget shift: signal, profile, play, two tasks, proposal, escalation, an edit by Lea, permit, effect; and another task's
 * proposal beside it.
 */
export const chain: readonly Given<EventType>[] = [
  given('signals.accepted.v1', 'SignalAccepted', 1, {
    source: '/sources/website',
    signalId: ids.signal,
    type: 'ContentEngaged',
    occurredAt: minute(0),
    receivedAt: minute(1),
    accountId: 'acme',
    contactId: ids.contact,
    quality: { score: 87, freshness: 100, completeness: 74 },
    triggers: true,
    facts: { topic: 'comparison', seconds: 120 },
    madeFrom: {},
  }),
  given('profiles.v1', 'ProfileChanged', 1, profile(3, 12)),
  {
    ...given('profiles.v1', 'ProfileChanged', 2, profile(4, 13)),
    id: 'event-later-profile',
    correlationid: ids.otherSignal,
  },
  given('tasks.assigned.v1', 'TaskAssigned', 2, task(ids.task, 'paid-media-agent')),
  { ...given('tasks.assigned.v1', 'TaskAssigned', 2, task(ids.otherTask, 'sequencing-agent')), id: 'event-other-task' },
  given('actions.proposed.paid-media-agent.v1', 'ActionProposed', 3, proposal(ids.proposal, ids.task, ids.action)),
  {
    ...given(
      'actions.proposed.sequencing-agent.v1',
      'ActionProposed',
      3,
      proposal(ids.otherProposal, ids.otherTask, ids.otherAction),
    ),
    id: 'event-other-proposal',
  },
  given('actions.escalated.v1', 'ActionEscalated', 4, {
    ...judged('escalated', ids.action),
    action: shift(ids.action, 2_000),
    reviewers: ['lea'],
    deadline: minute(59),
    card: { detail: 'Move EUR 20.00 a day.', people: [], runningTotals: [], reversible: 'within 72 hours' },
    rationale: 'Three people of acme compare vendors.',
    confidence: 0.8,
    evidence,
  }),
  given('reviews.decided.v1', 'ReviewDecided', 5, {
    reviewId: ids.review,
    subject: { kind: 'proposal', id: ids.proposal },
    digest,
    decision: 'edit',
    action: shift(ids.editedAction, 1_000),
    by: 'lea',
    note: 'half is enough',
    at: minute(5),
  }),
  given('actions.approved.v1', 'ActionApproved', 6, {
    ...judged('approved', ids.editedAction),
    review: { reviewId: ids.review, by: 'lea', decision: 'edit' },
    action: shift(ids.editedAction, 1_000),
    permit: 'eyJ.e30.c2ln',
    permitId: ids.permit,
    executor: 'action-executor',
    connector: 'ads',
    notBefore: minute(6),
    expiresAt: minute(21),
    reservations: [{ ledger: 'spend:ad-account:ad-1:2026-11-21', amount: 1_000, currency: 'EUR' }],
  }),
  given('actions.settled.action-executor.v1', 'ActionSettled', 7, {
    permitId: ids.permit,
    actionId: ids.editedAction,
    proposalId: ids.proposal,
    digest,
    executor: 'action-executor',
    connector: 'ads',
    outcome: 'executed',
    externalReference: 'ads-991',
    before: { toDailyBudgetMinor: 5_000, currency: 'EUR' },
    after: { toDailyBudgetMinor: 6_000, currency: 'EUR' },
    at: minute(7),
  }),
];

/** A record of the chain as Kafka holds it. */
export function kafkaFact(event: Given<EventType>, offset: number, partition = 0): KafkaFact {
  const topic = topicNamed(event.topic, topology());
  const envelope = {
    id: event.id,
    source: topic.source,
    type: event.type,
    time: event.at,
    ...(event.correlationid !== undefined && { correlationid: event.correlationid }),
    data: event.data,
  };
  const { headers, value } = toBinary(envelope);
  return {
    topic: event.topic,
    partition,
    offset: String(offset),
    key: Buffer.from('acme'),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    value: Buffer.from(value),
    event: envelope,
  };
}

/** An inbound signal as an upstream published it. */
export const inboundSignal = (id: string, offset: number, email = 'pat@example.com'): KafkaFact => {
  const data = { account: { id: 'acme' }, contact: { email }, contentId: 'guide-7', topic: 'comparison' };
  const envelope = { id, source: '/sources/website', type: 'ContentEngaged', time: minute(0), data };
  const { headers, value } = toBinary(envelope);
  return {
    topic: 'signals.inbound.website.v1',
    partition: 0,
    offset: String(offset),
    key: Buffer.from(email),
    headers,
    value: Buffer.from(value),
    event: envelope,
  };
};

/** The chain as it is read back. */
export const recordedChain = (): Recorded[] =>
  chain.map((event, index) => {
    const fact = kafkaFact(event, index);
    return {
      index,
      at: event.at,
      topic: fact.topic,
      partition: 0,
      offset: fact.offset,
      source: fact.event?.source ?? null,
      id: event.id,
      sha256: `${index}`,
      kept: 'event',
      ...(fact.event && { event: fact.event }),
    };
  });

export { minute };

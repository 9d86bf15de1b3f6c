import { type DataOf, derivedId, digestOf } from '@countersign/contracts';

/* The data of tests: one escalated budget shift, one play's checkpoint, and what may follow. */

export const at = '2026-11-21T10:00:00.000Z';
const play = { id: 'return-below-floor', runId: derivedId('given', 'run'), title: 'Return below its floor' };
export const proposalId = derivedId('given', 'proposal');
export const actionId = derivedId('action', proposalId);

export const payload = {
  adAccountId: 'ads-1',
  fromCampaignId: 'c-1',
  toCampaignId: 'c-2',
  amountMinor: 60_000,
  currency: 'EUR',
};
const action = { actionId, kind: 'ads.shift_budget', accountId: 'acme', payload };

const verdict = (outcome: 'approved' | 'refused' | 'escalated', rule: string, detail: string, when = at) => ({
  outcome,
  reasons: [
    { rule: 'shape', outcome: 'pass' as const, detail: 'the payload is sound' },
    ...(outcome === 'approved'
      ? []
      : [{ rule, outcome: outcome === 'refused' ? ('refuse' as const) : ('escalate' as const), detail }]),
  ],
  tier: 'auto' as const,
  policy: { version: 1, digest: 'a'.repeat(64) },
  at: when,
});

const judged = {
  proposalId,
  actionId,
  taskId: derivedId('given', 'task'),
  agent: 'paid-media-agent',
  play,
  digest: digestOf(action),
};

export const escalated = (more: Partial<DataOf<'ActionEscalated'>> = {}): DataOf<'ActionEscalated'> => ({
  ...judged,
  verdict: verdict('escalated', 'approval-threshold', 'EUR 600.00 is above EUR 100.00'),
  action,
  reviewers: ['lea', 'tom'],
  deadline: '2026-11-21T11:00:00.000Z',
  card: {
    detail: 'move EUR 600.00 of daily budget from c-1 to c-2',
    people: [],
    money: { amountMinor: 60_000, currency: 'EUR' },
    runningTotals: [],
    reversible: 'for 72 hours',
  },
  rationale: 'c-2 returns more',
  confidence: 0.8,
  evidence: [],
  ...more,
});

export const refused = (more: Partial<DataOf<'ActionRefused'>> = {}, rule = 'spend-cap'): DataOf<'ActionRefused'> => ({
  ...judged,
  verdict: verdict('refused', rule, `refused by ${rule}`, '2026-11-21T10:05:00.000Z'),
  kind: 'ads.shift_budget',
  ...more,
});

export const approved = (more: Partial<DataOf<'ActionApproved'>> = {}): DataOf<'ActionApproved'> => ({
  ...judged,
  verdict: verdict('approved', '', '', '2026-11-21T10:05:00.000Z'),
  action,
  permit: 'e30.e30.c2ln',
  permitId: derivedId('given', 'permit'),
  executor: 'action-executor',
  connector: 'ads',
  notBefore: at,
  expiresAt: '2026-11-21T10:15:00.000Z',
  reservations: [],
  ...more,
});

export const settled = (
  outcome: DataOf<'ActionSettled'>['outcome'],
  more: Partial<DataOf<'ActionSettled'>> = {},
): DataOf<'ActionSettled'> => ({
  permitId: derivedId('given', 'permit'),
  actionId,
  proposalId,
  digest: judged.digest,
  executor: 'action-executor',
  connector: 'ads',
  outcome,
  at: '2026-11-21T10:06:00.000Z',
  ...more,
});

export const task = (): DataOf<'TaskAssigned'> => ({
  taskId: derivedId('given', 'task'),
  play,
  agent: 'paid-media-agent',
  purpose: 'Stop the loss',
  kinds: ['ads.pause_campaign'],
  settings: {},
  adAccountId: 'ads-1',
  contactIds: [],
  evidence: [],
  assignedAt: at,
  dueAt: '2026-11-21T10:30:00.000Z',
  madeFrom: {},
});

export const checkpointId = derivedId('given', 'checkpoint');
export const checkpoint = (): DataOf<'TaskEscalated'> => ({
  checkpointId,
  play,
  reviewers: ['lea'],
  tasks: [task()],
  digest: digestOf([task()]),
  detail: 'one task for paid-media-agent',
  deadline: '2026-11-21T11:00:00.000Z',
  at,
});

export const withheld = (more: Partial<DataOf<'TaskWithheld'>> = {}): DataOf<'TaskWithheld'> => ({
  checkpointId,
  play,
  outcome: 'suppressed',
  review: { reviewId: derivedId('given', 'review'), by: 'lea' },
  reason: { code: 'stopped', detail: 'approved by lea, but tom stopped the play return-below-floor: wrong figures' },
  at: '2026-11-21T10:05:00.000Z',
  ...more,
});

export const deadLetter = (): DataOf<'DeadLetter'> => ({
  deadLetterId: derivedId('given', 'dead letter'),
  service: 'orchestrator',
  topic: 'signals.accepted.v1',
  partition: 0,
  offset: '7',
  sha256: 'b'.repeat(64),
  fault: { code: 'contract', detail: 'data.quality: required' },
  attempts: 3,
  at,
});

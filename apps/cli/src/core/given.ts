import type { Card, Funnel, Now } from '@countersign/client/core';

/* What tests are given. */

export const now = '2026-11-21T10:00:00.000Z';

export const card: Card = {
  id: '3f2a6c1e-0000-5000-8000-000000000001',
  subject: 'proposal',
  state: 'open',
  digest: '9c1b7a20'.repeat(8),
  correlationId: 'signal-1',
  reviewers: ['lea', 'tom'],
  deadline: '2026-11-21T11:00:00.000Z',
  escalatedAt: now,
  play: { id: 'return-below-floor', title: 'Return below its floor' },
  detail: 'move EUR 600.00 of daily budget from c-1 to c-2',
  approving: 'Approving runs it now, unless a rule refuses it by then: this action only, nothing like it later.',
  facts: {
    agent: 'paid-media-agent',
    kind: 'ads.shift_budget',
    account: 'Acme',
    people: [],
    money: { amountMinor: 60_000, currency: 'EUR' },
    runningTotals: [
      { ledger: 'spend:campaign:c-2:2026-11-21', held: 0, committed: 10_000, cap: 100_000, currency: 'EUR' },
    ],
    reversible: 'for 72 hours',
    whyAsked: [{ rule: 'approval-threshold', detail: 'EUR 600.00 is above EUR 100.00' }],
    evidence: [{ detail: 'c-1 returned 80 percent', occurredAt: '2026-11-20T00:00:00.000Z' }],
  },
  agentSays: { quote: 'c-2 returns more', confidence: 0.8, marked: "the agent's own words, not checked" },
  action: {
    kind: 'ads.shift_budget',
    payload: {
      adAccountId: 'ads-1',
      fromCampaignId: 'c-1',
      toCampaignId: 'c-2',
      amountMinor: 60_000,
      currency: 'EUR',
    },
  },
};

export const funnel: Funnel = {
  at: now,
  signals: { accepted: 1200, rejected: 4, rejectedBy: { stale: 1, contract: 3 } },
  tasks: { assigned: 5, proposed: 4, declined: 1, escalated: 0 },
  proposals: { total: 9, byAgent: { 'paid-media-agent': 3, 'sequencing-agent': 6 } },
  verdicts: { approved: 6, refused: 2, escalated: 1, superseded: 0, refusedBy: { 'spend-cap': 2 } },
  reviews: { open: 1, approve: 0, edit: 0, reject: 0, setAside: 0 },
  settled: { executed: 5, failed: 0, refused: 1, expired: 0, unresolved: 0, undone: 0 },
  unresolved: { open: 0 },
  permitsRejected: { total: 0, by: {} },
  deadLetters: { open: 0, total: 0, byService: {} },
};

export const standing: Now = {
  at: now,
  funnel,
  rates: [
    { stage: 'signals', lastMinute: 12, lastHour: 340 },
    { stage: 'settlements', lastMinute: 0, lastHour: 0 },
  ],
  waiting: {
    reviews: { count: 1, oldestAt: '2026-11-21T09:15:00.000Z' },
    unresolved: { count: 0, oldestAt: null },
    deadLetters: { count: 0, oldestAt: null },
    gaps: { count: 0, oldestAt: null },
  },
  spend: {
    adAccounts: [{ id: 'ads-1', currency: 'EUR', heldMinor: 20_000, committedMinor: 12_500, capMinor: 300_000 }],
    campaigns: [],
  },
  stops: [],
};

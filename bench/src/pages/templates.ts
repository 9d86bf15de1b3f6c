import { type DataOf, derivedId, digestOf, toBinary } from '@countersign/contracts';
import { eventBytes } from '@countersign/record';

/* One action of each step, as the services describe it. The rows are made from it. */

const play = { id: 'return-below-floor', runId: derivedId('bench-pages', 'run'), title: 'Return below its floor' };
const proposalId = derivedId('bench-pages', 'proposal');
const actionId = derivedId('action', proposalId);
const payload = {
  adAccountId: 'ads-1',
  fromCampaignId: 'c-1',
  toCampaignId: 'c-2',
  amountMinor: 60_000,
  currency: 'EUR',
};
const action = { actionId, kind: 'ads.shift_budget', accountId: 'bench-1', payload };
const permitId = derivedId('bench-pages', 'permit');

/** The data of each type of event of one action at `at`. The card of the escalation is what a reviewer reads. */
function dataOf(at: string) {
  const later = new Date(Date.parse(at) + 3_600_000).toISOString();
  const judged = { proposalId, actionId, taskId: derivedId('bench-pages', 'task'), agent: 'paid-media-agent', play };
  const verdict = (outcome: 'approved' | 'escalated') => ({
    outcome,
    reasons: [
      { rule: 'shape', outcome: 'pass' as const, detail: 'the payload is sound' },
      ...(outcome === 'escalated'
        ? [{ rule: 'approval-threshold', outcome: 'escalate' as const, detail: 'EUR 600.00 is above EUR 100.00' }]
        : []),
    ],
    tier: 'auto' as const,
    policy: { version: 1, digest: 'a'.repeat(64) },
    at,
  });
  const digest = digestOf(action);
  const reasoning = { rationale: 'c-2 returns more', confidence: 0.8, evidence: [] };
  const TaskAssigned: DataOf<'TaskAssigned'> = {
    taskId: judged.taskId,
    play,
    agent: judged.agent,
    purpose: 'Stop the loss',
    kinds: [action.kind],
    settings: {},
    adAccountId: payload.adAccountId,
    contactIds: [],
    evidence: [],
    assignedAt: at,
    dueAt: later,
    madeFrom: {},
  };
  const ActionEscalated: DataOf<'ActionEscalated'> = {
    ...judged,
    ...reasoning,
    digest,
    verdict: verdict('escalated'),
    action,
    reviewers: ['bench'],
    deadline: later,
    card: {
      detail: 'move EUR 600.00 of daily budget from c-1 to c-2',
      people: [],
      money: { amountMinor: payload.amountMinor, currency: payload.currency },
      runningTotals: [],
      reversible: 'for 72 hours',
    },
  };
  const ActionApproved: DataOf<'ActionApproved'> = {
    ...judged,
    digest,
    verdict: verdict('approved'),
    action,
    permit: 'e30.e30.c2ln',
    permitId,
    executor: 'action-executor',
    connector: 'ads',
    notBefore: at,
    expiresAt: later,
    reservations: [],
  };
  const ActionSettled: DataOf<'ActionSettled'> = {
    permitId,
    actionId,
    proposalId,
    digest,
    executor: 'action-executor',
    connector: 'ads',
    outcome: 'executed',
    at,
  };
  return { TaskAssigned, ActionEscalated, ActionApproved, ActionSettled } as const;
}

/** The bytes of each event, in hexadecimal, and the card of an escalation. */
export function templates(at: string) {
  const all = dataOf(at);
  const bytes = Object.entries(all).map(([type, data]) => {
    const { headers, value } = toBinary({
      id: derivedId('bench-pages', type),
      source: '/countersign/bench',
      type,
      time: at,
      data,
    } as Parameters<typeof toBinary>[0]);
    return [
      type,
      Buffer.from(eventBytes({ key: Buffer.from('ads-1'), headers, value } as never)).toString('hex'),
    ] as const;
  });
  return { card: all.ActionEscalated, bytes: new Map(bytes) };
}

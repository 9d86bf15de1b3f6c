import { actionDetail, contactText, type DataOf, kindSpec } from '@countersign/contracts';
import type { Escalation } from './project.js';
import type { Standing } from './review.js';

/** What a reviewer sees: facts first. The agent's own words are apart and marked. */
export function cardOf(escalation: Escalation, standing: Standing, at: string) {
  const { card, subject } = escalation;
  const common = {
    id: subject.id,
    subject: subject.kind,
    state: standing,
    digest: escalation.digest,
    correlationId: escalation.correlationId,
    reviewers: card.reviewers,
    deadline: escalation.deadline,
    escalatedAt: escalation.at,
    play: card.play,
  };
  return 'action' in card ? { ...common, ...actionCard(card, at) } : { ...common, ...checkpointCard(card) };
}

export type Card = ReturnType<typeof cardOf>;

function actionCard(card: DataOf<'ActionEscalated'>, at: string) {
  const people = new Map(card.card.people.map((person) => [person.contactId, person]));
  return {
    detail: actionDetail(card.action, (id) => contactText(id, people.get(id))) ?? card.card.detail,
    facts: {
      agent: card.agent,
      kind: card.action.kind,
      account: card.card.accountName ?? card.action.accountId ?? null,
      accountId: card.action.accountId ?? null,
      people: card.card.people,
      money: card.card.money ?? null,
      runningTotals: card.card.runningTotals,
      campaigns: card.card.campaigns ?? [],
      reversible: card.card.reversible,
      whyAsked: card.verdict.reasons
        .filter((reason) => reason.outcome === 'escalate')
        .map(({ rule, detail }) => ({ rule, detail })),
      policy: card.verdict.policy,
      evidence: card.evidence.map(({ detail, occurredAt, source, signalId }) => ({
        detail,
        occurredAt,
        source,
        signalId,
      })),
    },
    agentSays: {
      quote: card.rationale,
      confidence: card.confidence,
      alternatives: card.alternatives ?? [],
      marked: "the agent's own words, not checked",
    },
    approving: approving(card.action, at),
    runsAt: startOf(card.action, at) ?? null,
    action: card.action,
  };
}

function checkpointCard(card: DataOf<'TaskEscalated'>) {
  return {
    detail: card.detail,
    facts: {
      account: card.accountName ?? card.accountId ?? null,
      accountId: card.accountId ?? null,
      tasks: card.tasks.map(({ taskId, agent, purpose, kinds, dueAt }) => ({ taskId, agent, purpose, kinds, dueAt })),
      evidence: uniqueEvidence(card),
    },
    approving: 'Approving gives these tasks to their agents now. What they propose is judged on its own.',
  };
}

/** The rules that passed, for a reader who wants to know what else was checked. */
export const otherRules = ({ card }: Escalation) =>
  'action' in card
    ? card.verdict.reasons.filter(({ outcome }) => outcome === 'pass').map(({ rule, detail }) => ({ rule, detail }))
    : [];

/** When it runs if it is approved, if not at once. */
function startOf(action: DataOf<'ActionEscalated'>['action'], at: string): string | undefined {
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  const notBefore = payload?.success ? spec?.notBefore(payload.data) : undefined;
  return notBefore !== undefined && notBefore > at ? notBefore : undefined;
}

function approving(action: DataOf<'ActionEscalated'>['action'], at: string): string {
  const notBefore = startOf(action, at);
  const start = notBefore === undefined ? 'now' : `at ${notBefore}`;
  return `Approving runs it ${start}, unless a rule refuses it by then: this action only, nothing like it later.`;
}

function uniqueEvidence(card: DataOf<'TaskEscalated'>) {
  const all = card.tasks.flatMap((task) => task.evidence);
  return [...new Map(all.map((e) => [`${e.source} ${e.signalId}`, e])).values()].map(
    ({ detail, occurredAt, source, signalId }) => ({ detail, occurredAt, source, signalId }),
  );
}

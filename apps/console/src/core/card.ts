import { actionDetail, contactText, type DataOf, kindSpec, own, profileKey } from '@countersign/contracts';
import { kindWords, lasting, list, tierShown } from './kind-words.js';
import type { Escalation } from './project.js';
import type { Standing } from './review.js';

/** What a card shows beside its escalation. */
export interface Around {
  /** How a checkpoint ended, if its tasks never go out. */
  readonly ending: Ending | null;
  /** The digests of the parts of the policy in force. */
  readonly parts: Readonly<Record<string, string>> | undefined;
  /** The names of campaigns, by the keys of their profiles. */
  readonly campaigns?: ReadonlyMap<string, string>;
}
const nothingElse: Around = { ending: null, parts: undefined };

/** What a reviewer sees: facts first. The agent's own words are apart and marked. */
export function cardOf(escalation: Escalation, standing: Standing, at: string, around: Around = nothingElse) {
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
  return 'action' in card ? { ...common, ...actionCard(card, at) } : { ...common, ...checkpointCard(card, around) };
}

/** How a checkpoint ended whose tasks never go out. */
export interface Ending extends Pick<DataOf<'TaskWithheld'>, 'outcome' | 'reason' | 'at'> {
  /** The answer that ended it, and whose it was; null if nobody answered. */
  readonly reviewId: string | null;
  readonly by: string | null;
}

export type Card = ReturnType<typeof cardOf>;

function actionCard(card: DataOf<'ActionEscalated'>, at: string) {
  const people = new Map(card.card.people.map((person) => [person.contactId, person]));
  return {
    detail: actionDetail(card.action, (id) => contactText(id, people.get(id))) ?? card.card.detail,
    facts: {
      agent: card.agent,
      kind: card.action.kind,
      does: kindWords(card.action.kind),
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
      tier: tierShown(card.verdict) ?? null,
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
    unanswered: 'If nobody answers, it is refused.',
    runsAt: startOf(card.action, at) ?? null,
    action: card.action,
  };
}

function checkpointCard(card: DataOf<'TaskEscalated'>, { ending, parts, campaigns }: Around) {
  const [first] = card.tasks;
  const playChanged = changeOf(card, parts);
  const campaignKey = campaignKeyOf(card);
  const campaign = campaignKey && campaigns?.get(campaignKey);
  return {
    detail: card.detail,
    facts: {
      account: card.accountName ?? card.accountId ?? null,
      accountId: card.accountId ?? null,
      adAccountId: first?.adAccountId ?? null,
      campaignId: first?.campaignId ?? null,
      campaigns: first?.campaignId && campaign ? [{ campaignId: first.campaignId, name: campaign }] : [],
      contacts: new Set(card.tasks.flatMap(({ contactIds }) => contactIds)).size,
      tasks: card.tasks.map(({ taskId, agent, purpose, kinds, assignedAt, dueAt }) => ({
        ...{ taskId, agent, purpose, kinds },
        may: list(kinds.map(kindWords), 'or'),
        // Approved tasks get new dates: only the length stays.
        has: lasting(Math.round((Date.parse(dueAt) - Date.parse(assignedAt)) / 1000)),
      })),
      evidence: uniqueEvidence(card),
    },
    playChanged,
    approving: approvingTasks(playChanged),
    unanswered: 'If nobody answers, no task goes out, and this run of the play is over.',
    ending: ending && { ...ending, next: nextAfter(ending) },
  };
}

/** The key of the profile of the campaign that the tasks of a checkpoint are about, if they are about one. */
export function campaignKeyOf({ tasks: [first] }: Pick<DataOf<'TaskEscalated'>, 'tasks'>): string | undefined {
  const { adAccountId, campaignId } = first ?? {};
  return adAccountId && campaignId ? profileKey.campaign(adAccountId, campaignId) : undefined;
}

type PlayChange = 'changed' | 'withdrawn' | null;

function approvingTasks(playChanged: PlayChange): string {
  switch (playChanged) {
    case 'changed':
      return 'The play was changed after it asked. Approving lets no task go out.';
    case 'withdrawn':
      return 'The play is not in force any more. Approving lets no task go out.';
    case null:
      return 'Approving gives these tasks to their agents now, if no stop holds. What the agents propose is judged on its own.';
  }
}

/** Whether the play in force is another one than the play that asked. An older checkpoint does not say which play that was. */
function changeOf({ play, playDigest }: DataOf<'TaskEscalated'>, parts: Around['parts']): PlayChange {
  if (!parts) return null;
  const now = own(parts, `play:${play.id}`);
  if (now === undefined) return 'withdrawn';
  return playDigest === undefined || playDigest === now ? null : 'changed';
}

/** What a person can do after a checkpoint ended and no task went out. */
export function nextAfter({ outcome, reason }: Pick<Ending, 'outcome' | 'reason'>): string {
  const over = outcome === 'suppressed' ? 'It cannot be approved again.' : 'This run of the play is over.';
  const again = 'The play can start again for the same account or campaign when its cool-down has passed';
  switch (reason.code) {
    case 'stopped':
      return `${over} ${again}, if the stop is lifted by then.`;
    case 'play-withdrawn':
      return `${over} Nothing starts this play again until it is published again.`;
    case 'late':
      return `${over} ${again}. A longer time for an answer is a setting of the play, checkpoint.withinMinutes.`;
    default:
      return `${over} ${again}.`;
  }
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

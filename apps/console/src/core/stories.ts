import {
  type Action,
  actionDetail,
  type DataOf,
  derivedId,
  kindSpec,
  ownActionId,
  plainText,
  refusesForeignId,
  topics,
} from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { campaignKeys } from './campaign-keys.js';
import { claimedAt } from './claimed-at.js';
import { isTracked } from './detail.js';

/** The state of a proposal's story. The last six are settlements. `refused` comes from the gate or from the executor. */
export const outcomes = [
  'proposed',
  'escalated',
  'superseded',
  'approved',
  'refused',
  'executed',
  'failed',
  'expired',
  'unresolved',
  'undone',
] as const;
export type Outcome = (typeof outcomes)[number];

/** What one event adds to a proposal's story. Topics are read in any order, so each part has a rank. */
export interface StoryPart {
  readonly proposalId: string;
  readonly actionId: string;
  readonly correlationId: string;
  readonly taskId: string;
  readonly runId: string;
  readonly agent: string;
  readonly playId: string;
  readonly playTitle: string;
  readonly kind: string | null;
  readonly accountId: string | null;
  readonly accountName: string | null;
  /** The campaigns that the action is about; null if the event does not have the action. */
  readonly campaignKeys: readonly string[] | null;
  /** What the action does, for a person; null if the event does not have the action. */
  readonly sentence: string | null;
  readonly outcome: Outcome;
  readonly reason: string | null;
  /** The part with the higher rank counts; of equal ones, the later one. */
  readonly rank: number;
  readonly at: string;
}

/** A name by which a person may look for a story, in lower case. */
export interface StoryName {
  readonly name: string;
  readonly proposalId: string;
}

export interface Stories {
  readonly parts: readonly StoryPart[];
  readonly names: readonly StoryName[];
}

const ranks = { proposed: 0, escalated: 1, superseded: 2, approved: 3, refused: 3 } as const;
/** For an approval of another action. It may begin a story, so that people find it, but it takes the place of no part. */
const foreignRank = -1;
/** For a settlement. Only the settlement of its own permit counts; see `settleStories`. */
export const settledRank = 4;

/** The most names of one event: a proposal may concern thousands of contacts. */
const mostNames = 60;
const longestSentence = 1_000;
const longestName = 300;

/** What a batch adds to stories. */
export function storiesIn(events: readonly Received[]): Stories {
  const parts: StoryPart[] = [];
  const names = new Map<string, StoryName>();
  const name = (proposalId: string, ...all: readonly (string | undefined)[]): void => {
    for (const text of [...new Set(all)].slice(0, mostNames)) {
      const known = plainText(text ?? '', longestName).toLowerCase();
      if (known) names.set(JSON.stringify([known, proposalId]), { name: known, proposalId });
    }
  };
  for (const { event, topic, takenAt } of events) {
    if (!isTracked(event)) continue;
    const chain = event.correlationid ?? event.id;
    switch (event.type) {
      case 'ActionProposed': {
        const { data } = event;
        // An agent speaks only in its own name.
        if (topic !== topics.actionsProposed(data.agent).name) break;
        parts.push({
          ...partOf(data, chain, data.action.actionId),
          ...wordsFor(data.action),
          outcome: 'proposed',
          reason: null,
          rank: ranks.proposed,
          at: claimedAt(data.proposedAt, takenAt),
        });
        name(data.proposalId, ...idsOf(data, chain, data.action.actionId), ...subjectsOf(data.action));
        name(data.proposalId, ...data.evidence.map(({ signalId }) => signalId));
        break;
      }
      case 'ActionEscalated': {
        const { data } = event;
        const people = new Map(data.card.people.map(({ contactId, ...person }) => [contactId, person]));
        const nameOf = (contactId: string): string => personOf(people.get(contactId));
        parts.push({
          ...partOf(data, chain, data.actionId),
          ...wordsFor(data.action, nameOf),
          accountName: data.card.accountName ?? null,
          outcome: 'escalated',
          reason: reasonsOf(data.verdict.reasons, 'escalate'),
          rank: ranks.escalated,
          at: data.verdict.at,
        });
        name(data.proposalId, data.card.accountName, ...idsOf(data, chain, data.actionId), ...subjectsOf(data.action));
        break;
      }
      case 'ActionApproved': {
        const { data } = event;
        parts.push({
          ...partOf(data, chain, data.actionId),
          ...wordsFor(data.action),
          outcome: 'approved',
          reason: null,
          rank: foreign(data) ? foreignRank : ranks.approved,
          at: data.verdict.at,
        });
        name(data.proposalId, data.permitId, data.review?.reviewId, ...idsOf(data, chain, data.actionId));
        name(data.proposalId, ...subjectsOf(data.action));
        break;
      }
      case 'ActionRefused': {
        const { data } = event;
        if (borrowed(data)) break;
        const superseded = data.supersededBy !== undefined;
        parts.push({
          ...partOf(data, chain, data.actionId),
          kind: data.kind,
          accountId: null,
          sentence: null,
          campaignKeys: null,
          outcome: superseded ? 'superseded' : 'refused',
          reason: superseded ? null : reasonsOf(data.verdict.reasons, 'refuse'),
          rank: superseded ? ranks.superseded : ranks.refused,
          at: data.verdict.at,
        });
        name(data.proposalId, data.review?.reviewId, ...idsOf(data, chain, data.actionId));
        break;
      }
      case 'ReviewDecided':
        if (event.data.subject.kind === 'proposal') name(event.data.subject.id, event.data.reviewId);
        break;
      case 'SignalAccepted':
      case 'SignalRejected':
      case 'TaskAssigned':
      case 'TaskEscalated':
      case 'PermitRejected':
      case 'DeadLetter':
      case 'ReplayEnded':
      case 'GapReported':
        break;
      default:
        event satisfies never;
    }
  }
  return {
    parts,
    names: [...names.values()],
  };
}

/**
 * Whether an approval is of another action than its proposal's own. The gate approves no such action, so the validator did not
 * write it. It is listed with the events of its story and counted as an event, and changes nothing else.
 */
export const foreign = ({ actionId, proposalId, review }: DataOf<'ActionApproved'>): boolean =>
  actionId !== ownActionId(proposalId, review);

/**
 * Whether a refusal names ids that belong to another proposal. An action's own id is derived from its proposal, or from the
 * review that edited it. An id that was used before belongs to the first proposal. Such a refusal says nothing about the owner of
 * the ids.
 */
export const borrowed = ({ actionId, proposalId, review, verdict }: DataOf<'ActionRefused'>): boolean =>
  refusesForeignId(verdict) ||
  ![proposalId, review?.reviewId].some((id) => id !== undefined && actionId === derivedId('action', id));

type Judged = Pick<DataOf<'ActionProposed'>, 'proposalId' | 'taskId' | 'agent' | 'play'>;

const partOf = ({ proposalId, taskId, agent, play }: Judged, correlationId: string, actionId: string) => ({
  proposalId,
  actionId,
  correlationId,
  taskId,
  runId: play.runId,
  agent,
  playId: play.id,
  playTitle: play.title,
  accountName: null,
});

const wordsFor = (action: Action, nameOf: (contactId: string) => string = () => 'a contact') => ({
  kind: action.kind,
  accountId: action.accountId ?? null,
  campaignKeys: campaignKeys(action),
  sentence: plainText(asSentence(actionDetail(action, nameOf) ?? action.kind), longestSentence),
});

const idsOf = ({ proposalId, taskId, play }: Judged, correlationId: string, actionId: string): string[] => [
  proposalId,
  correlationId,
  taskId,
  play.runId,
  actionId,
];

/** The subjects of an action, by which a person would look for it. */
function subjectsOf(action: Action): (string | undefined)[] {
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  if (!spec || !payload?.success) return [action.accountId];
  const { data } = payload;
  return [action.accountId, spec.adAccountId(data), ...spec.campaignIds(data), ...spec.contacts(data)];
}

type Person = Omit<DataOf<'ActionEscalated'>['card']['people'][number], 'contactId'>;

function personOf({ seniority, jobFunction, accountName }: Partial<Person> = {}): string {
  const role = [seniority === 'unknown' ? undefined : seniority, jobFunction].filter(Boolean).join(', ');
  const where = accountName === undefined ? '' : ` at ${accountName}`;
  return role === '' ? `a contact${where}` : `${role}${where}`;
}

const reasonsOf = (all: readonly { outcome: string; detail: string }[], outcome: string): string | null => {
  const details = all.filter((reason) => reason.outcome === outcome).map((reason) => reason.detail);
  return plainText(details.join('; '), longestSentence) || null;
};

/** The same words with a capital at the beginning. */
export const asSentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

import { type Envelope, own, profileKey } from '@countersign/contracts';
import { plain } from './text.js';

type Members = Readonly<Record<string, unknown>>;

/** The name that `madeFrom` gives a version of a state, with that version. */
export const stateId = (name: string, version: number): string => `${name}@${version}`;

/**
 * Every id under which an event is found: its own, the id of its chain, the id of its cause, and the ids of its objects. A
 * version of a profile or of a consent is found by the name that `madeFrom` gives it.
 */
export function idsOf(event: Envelope): string[] {
  const data = membersOf(event.data);
  const action = membersOf(data.action);
  const found: unknown[] = [
    event.id,
    event.correlationid,
    event.causationid,
    data.signalId,
    data.taskId,
    data.checkpointId,
    data.proposalId,
    data.actionId,
    action.actionId,
    data.supersededBy,
    data.permitId,
    data.reviewId,
    data.decisionId,
    membersOf(data.review).reviewId,
    membersOf(data.subject).id,
    membersOf(data.play).runId,
    data.deadLetterId,
    data.revealId,
    data.passId,
    data.inspectionId,
    ...listOf(data.proposalIds),
    ...listOf(data.tasks).map((task) => membersOf(task).taskId),
    ...listOf(data.evidence).map((evidence) => membersOf(evidence).signalId),
  ];
  if (event.type === 'DeadLetter') found.push(data.id);
  const version = stateVersion(event.type, data);
  if (version !== undefined) found.push(version);
  return [...new Set(found.filter((id): id is string => typeof id === 'string' && id !== '').map(plain))];
}

function stateVersion(type: string, data: Members): string | undefined {
  if (typeof data.version !== 'number') return undefined;
  if (type === 'ConsentsChanged') return stateId(`consent:${String(data.contactId)}`, data.version);
  if (type !== 'ProfileChanged') return undefined;
  const keys: Record<string, string> = {
    account: profileKey.account(String(data.accountId)),
    contact: profileKey.contact(String(data.contactId)),
    'ad-account': profileKey.adAccount(String(data.adAccountId)),
    campaign: profileKey.campaign(String(data.adAccountId), String(data.campaignId)),
  };
  const key = own(keys, String(data.kind));
  return key && stateId(`profile:${key}`, data.version);
}

const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

import {
  type ActionApproved,
  type ActionProposed,
  canonical,
  type DataOf,
  derivedId,
  digestOf,
  type EventType,
  keyOfProfile,
  type PermitClaims,
  type Policy,
  sha256,
} from '@countersign/contracts';
import { readPermit, type Subject, subjectOf, type TaskFact, taskFact, type VerifyKeys } from '@countersign/gate';
import { type Observed, type Place, placeName, type Seen } from './observed.js';

/** An approval whose permit verifies and agrees with the event, with every settlement that counts for it. */
export interface Issued {
  readonly place: Place;
  readonly approval: ActionApproved;
  readonly claims: PermitClaims;
  readonly subject: Subject;
  readonly settlements: readonly Seen<'ActionSettled'>[];
}

/** The observation in order: each event once, each permit with its outcome. */
export interface Facts extends Observed {
  /** The events of a type, each id and content once, in the order in which the broker accepted them. */
  eventsOf<T extends EventType>(type: T): readonly Seen<T>[];
  readonly issued: ReadonlyMap<string, Issued>;
  /** Approvals without a valid permit of their own, and why. An approval that repeats a permit under another event id has no reason. */
  readonly unissued: readonly { readonly seen: Seen<'ActionApproved'>; readonly reason: string | null }[];
  /** Settlements that count for no permit: the permit was never issued, or names another executor. */
  readonly strange: readonly Seen<'ActionSettled'>[];
  /** Dead letters that were not handled again, or that failed again, by the place of the event. */
  readonly dead: ReadonlyMap<string, DataOf<'DeadLetter'>>;
  /** By version and digest, see `policyName`. */
  readonly policies: ReadonlyMap<string, Policy>;
  /** Each version and content that was given out, in the order in which the broker accepted them. */
  readonly publications: readonly Publication[];
  /** All versions that were seen, by the key of their topic. */
  readonly profiles: ReadonlyMap<string, readonly DataOf<'ProfileChanged'>[]>;
  /** The digests of the actions that each proposal contains, by `proposalName`: from the topics and from the record. */
  readonly proposed: ReadonlyMap<string, ReadonlySet<string>>;
  /** The tasks that were assigned, by id: from the topic and from the record. */
  readonly assigned: ReadonlyMap<string, TaskFact>;
  readonly consents: ReadonlyMap<string, readonly Taken<'ConsentsChanged'>[]>;
  readonly controls: ReadonlyMap<string, readonly Taken<'ControlChanged'>[]>;
  /**
   * How far, in milliseconds, the clock of a settlement's time was behind the broker's clock. It is the least delay with which
   * anything that its executor settled around then reached the broker, compared with its own time. Some of it arrived late because
   * the broker was away, but not all.
   */
  behindMs(settled: Seen<'ActionSettled'>): number;
  /** When the sandbox systems show the effect of an action, by their own id for the effect. */
  readonly effects: ReadonlyMap<string, string>;
  /** Whether a deadline passed longer ago than the grace. */
  overdue(deadline: string): boolean;
}

/** When a policy was first published: `takenAt` by the broker's clock, `since` by its writer's clock if that is earlier. */
export interface Publication extends Pick<Policy, 'version' | 'digest'> {
  readonly takenAt: string;
  readonly since: string;
}

/** A version of state, with the broker's time for it, because the time inside it comes from its writer's clock. */
export type Taken<T extends EventType> = DataOf<T> & { readonly takenAt: string };

/** The executor that a topic of settlements belongs to. */
export const executorOf = (topic: string): string => /^actions\.settled\.(.+)\.v1$/.exec(topic)?.[1] ?? '';

export function factsOf(observed: Observed): Facts {
  const ordered = new Map<string, string>();
  const failed = new Set<string>();
  const letters: DataOf<'DeadLetter'>[] = [];
  for (const { event } of observed.seen) {
    if (event.type === 'DeadLetter') letters.push(event.data);
    if (event.type === 'DeadLetterReplayed') {
      const { deadLetterId, at } = event.data;
      if ((ordered.get(deadLetterId) ?? '') < at) ordered.set(deadLetterId, at);
    }
    if (event.type === 'ReplayEnded' && event.data.outcome === 'failed')
      failed.add(`${event.data.deadLetterId} ${event.data.orderedAt}`);
  }
  /** Its last order did not fail. */
  const replayed = (id: string): boolean => ordered.has(id) && !failed.has(`${id} ${ordered.get(id)}`);
  const reused = new Set(letters.filter((l) => l.fault.code === 'id-reused').map(placeName));
  const byType = new Map<string, Seen[]>();
  const known = new Set<string>();
  for (const seen of [...observed.seen].sort((a, b) => (a.place.at < b.place.at ? -1 : 1))) {
    const { place, event } = seen;
    // If it is published again after a crash, its content is the same. If an event has the same id and other content, it is an
    // event of its own, unless its reader has reported that it is not handled.
    const name = `${place.topic} ${event.source} ${event.id} ${event.type} ${sha256(JSON.stringify(event.data))}`;
    if (known.has(name) || reused.has(placeName(place))) continue;
    known.add(name);
    const same = byType.get(event.type);
    if (same) same.push(seen);
    else byType.set(event.type, [seen]);
  }
  const eventsOf = <T extends EventType>(type: T) => (byType.get(type) ?? []) as unknown as readonly Seen<T>[];

  const issued = new Map<string, Issued & { settlements: Seen<'ActionSettled'>[] }>();
  const unissued: { seen: Seen<'ActionApproved'>; reason: string | null }[] = [];
  for (const seen of eventsOf('ActionApproved')) {
    const verified = verifiedPermit(seen.event.data, observed.keys);
    if (!verified.ok) unissued.push({ seen, reason: verified.detail });
    else if (issued.has(seen.event.data.permitId)) unissued.push({ seen, reason: null });
    else issued.set(seen.event.data.permitId, { place: seen.place, ...verified.permit, settlements: [] });
  }
  const strange: Seen<'ActionSettled'>[] = [];
  for (const seen of eventsOf('ActionSettled')) {
    const { permitId, executor, connector, digest } = seen.event.data;
    const permit = issued.get(permitId);
    const writer = executorOf(seen.place.topic);
    const isOfPermit = permit && `${executor}/${connector}` === permit.claims.aud && digest === permit.claims.digest;
    if (permit && isOfPermit && writer === executor) permit.settlements.push(seen);
    else strange.push(seen);
  }

  const versions = <T extends { version: number }>(all: readonly T[], key: (row: T) => string) =>
    new Map(
      [...Map.groupBy(all, key)].map(([name, rows]) => [name, rows.toSorted((a, b) => a.version - b.version)] as const),
    );
  const at = Date.parse(observed.at);
  return {
    ...observed,
    eventsOf,
    issued,
    unissued,
    strange,
    dead: new Map(letters.filter((l) => !replayed(l.deadLetterId)).map((l) => [placeName(l), l])),
    policies: new Map(eventsOf('PolicyPublished').map(({ event: { data } }) => [policyName(data), data])),
    publications: publicationsOf(eventsOf('PolicyPublished').map(taken)),
    profiles: Map.groupBy(
      [...eventsOf('ProfileChanged').map(({ event }) => event.data), ...observed.profilesThen],
      keyOfProfile,
    ),
    proposed: proposedIn(observed, eventsOf('ActionProposed')),
    assigned: new Map([
      ...eventsOf('TaskAssigned').map(({ event: { data } }) => [data.taskId, taskFact(data)] as const),
      ...(observed.record?.assigned ?? []),
    ]),
    consents: versions(eventsOf('ConsentsChanged').map(taken), (c) => c.contactId),
    controls: versions(eventsOf('ControlChanged').map(taken), (c) => c.scope),
    behindMs: clocksOf(eventsOf('ActionSettled')),
    effects: new Map([
      ...(observed.sandbox?.messages ?? []).map((m) => [m.messageId, m.sentAt] as const),
      ...(observed.sandbox?.tasks ?? []).map((t) => [t.taskId, t.createdAt] as const),
    ]),
    overdue: (deadline) => Date.parse(deadline) + observed.graceSeconds * 1000 < at,
  };
}

/** The identity of a policy: a version that was given out twice has two contents. */
export const policyName = ({ version, digest }: Pick<Policy, 'version' | 'digest'>): string => `${version} ${digest}`;

/** If it is published again, for example after a restore, it is the same. */
function publicationsOf(all: readonly Taken<'PolicyPublished'>[]): readonly Publication[] {
  const first = new Map<string, Publication>();
  for (const { version, digest, changedAt, takenAt } of all) {
    const name = policyName({ version, digest });
    const since = Date.parse(changedAt) < Date.parse(takenAt) ? changedAt : takenAt;
    if (!first.has(name)) first.set(name, { version, digest, takenAt, since });
  }
  return [...first.values()];
}

function proposedIn({ record }: Observed, seen: readonly Seen<'ActionProposed'>[]): Facts['proposed'] {
  const found = new Map([...(record?.proposed ?? [])].map(([id, digests]) => [id, new Set(digests)]));
  for (const { place, event } of seen) addProposed(found, place.topic, event.data);
  return found;
}

/** The agent that a topic of proposals belongs to. */
export const authorOf = (topic: string): string => /^actions\.proposed\.(.+)\.v1$/.exec(topic)?.[1] ?? '';

/** The identity of a proposal: what another agent writes under its id is another proposal. */
export const proposalName = (author: string, proposalId: string): string => `${author} ${proposalId}`;

/** Stores what a proposal contains, under the author that its topic names. */
export function addProposed(
  into: Map<string, Set<string>>,
  topic: string,
  { proposalId, action }: ActionProposed,
): void {
  const digest = digestOf(action);
  const name = proposalName(authorOf(topic), proposalId);
  const known = into.get(name);
  if (known) known.add(digest);
  else into.set(name, new Set([digest]));
}

const taken = <T extends EventType>({ place, event }: Seen<T>): Taken<T> => ({
  ...(event.data as DataOf<T>),
  takenAt: place.at,
});

const minuteOf = ({ place }: Seen): number => Math.floor(Date.parse(place.at) / 60_000);

/** See `behindMs`: by executor and minute, including the neighbouring minutes. */
function clocksOf(settlements: readonly Seen<'ActionSettled'>[]): Facts['behindMs'] {
  const least = new Map<string, number>();
  for (const seen of settlements) {
    const name = `${seen.place.topic} ${minuteOf(seen)}`;
    const late = Date.parse(seen.place.at) - Date.parse(seen.event.data.at);
    least.set(name, Math.min(least.get(name) ?? late, late));
  }
  return (seen) => {
    const around = [-1, 0, 1].flatMap((n) => least.get(`${seen.place.topic} ${minuteOf(seen) + n}`) ?? []);
    return Math.max(0, Math.min(...around));
  };
}

type Verified =
  | { readonly ok: true; readonly permit: Pick<Issued, 'approval' | 'claims' | 'subject'> }
  | { readonly ok: false; readonly detail: string };

/** Whether an approval's permit is valid, covers exactly this action, and agrees with the event around it. */
function verifiedPermit(approval: ActionApproved, keys: VerifyKeys): Verified {
  const read = readPermit(approval.permit, keys);
  if (!read.ok) return { ok: false, detail: read.detail };
  const { claims } = read;
  const subject = subjectOf(approval.action);
  if (!subject.ok) return { ok: false, detail: subject.fault.detail };
  if (digestOf(approval.action) !== claims.digest) return { ok: false, detail: 'the permit is for another action' };
  const same = {
    jti: approval.permitId,
    sub: approval.actionId,
    proposal: approval.proposalId,
    aud: `${approval.executor}/${approval.connector}`,
    agent: approval.agent,
    play: approval.play.id,
    kind: approval.action.kind,
  };
  const differs = Object.entries(same).find(([name, value]) => claims[name as keyof typeof same] !== value);
  if (differs) return { ok: false, detail: `the permit says another ${differs[0]} than the event` };
  if (approval.action.actionId !== claims.sub || canonical(approval.reservations) !== canonical(claims.reservations))
    return { ok: false, detail: 'the permit says something else than the event' };
  return { ok: true, permit: { approval, claims, subject: subject.subject } };
}

/** A permit's settlement of an outcome. */
export const settledAs = ({ settlements }: Issued, outcome: DataOf<'ActionSettled'>['outcome']) =>
  settlements.find(({ event }) => event.data.outcome === outcome);

export const isExecuted = (permit: Issued): boolean => settledAs(permit, 'executed') !== undefined;

/** Whether what it reserved is still held or spent, according to the settlements. */
export const stillCounts = (permit: Issued, kind: 'money' | 'count'): boolean => {
  const outcomes = new Set(permit.settlements.map(({ event }) => event.data.outcome));
  if (outcomes.has('undone')) return kind === 'count';
  return outcomes.has('executed') || !(['failed', 'refused', 'expired'] as const).some((end) => outcomes.has(end));
};

/** What was spent, if the settlement says so. */
export const spentOf = (permit: Issued): number | undefined => settledAs(permit, 'executed')?.event.data.spentMinor;

/** The sandbox systems' own ids for the effects of an action. */
export const messageIdOf = (actionId: string): string => derivedId('sandbox-message', actionId);
export const taskIdOf = (actionId: string): string => derivedId('sandbox-task', actionId);

/**
 * When the effect happened, by the broker's clock: as the connected system says, otherwise when it was settled, which is later
 * after a crash. The delay of the executor's clock is added. The effect was never later than the broker accepted its settlement,
 * however far ahead a clock was.
 */
export function effectAt(facts: Facts, permit: Issued): string {
  const { actionId } = permit.approval;
  const settled = settledAs(permit, 'executed');
  if (!settled) return permit.place.at;
  const shown = facts.effects.get(messageIdOf(actionId)) ?? facts.effects.get(taskIdOf(actionId));
  const then = Date.parse(shown ?? settled.event.data.at) + facts.behindMs(settled);
  return new Date(Math.min(then, Date.parse(settled.place.at))).toISOString();
}

/** The proposal as the gate reads it, from the approval, which contains everything that the limits need. */
export const proposalOf = ({ approval, claims }: Issued): ActionProposed => ({
  proposalId: approval.proposalId,
  taskId: approval.taskId,
  agent: claims.agent,
  play: approval.play,
  purpose: '',
  kinds: [claims.kind],
  action: approval.action,
  rationale: '-',
  evidence: [],
  confidence: 0,
  alternatives: [],
  planner: { kind: 'rules', name: '' },
  proposedAt: approval.verdict.at,
  madeFrom: {},
});

/** Whether a permit ran, or could run: by the broker's clock, it had not expired when the broker accepted its approval. */
export const couldRun = (permit: Issued): boolean =>
  Date.parse(permit.place.at) < permit.claims.exp * 1000 || isExecuted(permit);

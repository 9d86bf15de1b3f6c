import { type Envelope, type EventType, type Fault, own } from '@countersign/contracts';
import { idsOf, stateId } from './ids.js';
import { plain } from './text.js';

/** A leaf as it is read back for a story, with its event if that is stored and readable. */
export interface Recorded {
  readonly index: number;
  /** When it was appended. */
  readonly at: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly source: string | null;
  readonly id: string | null;
  readonly sha256: string;
  readonly kept: string;
  readonly event?: Envelope;
  readonly fault?: Fault;
}

/** What a story is about, by id. */
interface Focus {
  readonly proposals: ReadonlySet<string>;
  readonly tasks: ReadonlySet<string>;
}

/**
 * The ids to look up next for the story of `id`, by what was found so far: up to the task, its evidence and the facts it was made
 * from, and down to everything that followed. Repeat until there are no new ids.
 */
export function wantedIds(id: string, found: readonly Recorded[]): string[] {
  const { proposals, tasks } = focusOf(id, found);
  const shown = chosen(id, found);
  const wanted = new Set<string>([...proposals, ...tasks]);
  for (const { event } of shown) {
    if (!event) continue;
    const data = event.data as Members;
    if (event.type === 'DeadLetter') wanted.add(String(data.deadLetterId));
    if (!concernsTask(event)) continue;
    // A dead letter and its replay are found under the id of the event that could not be handled.
    wanted.add(event.id);
    if (typeof data.checkpointId === 'string') wanted.add(data.checkpointId);
    for (const name of namedBy(event)) wanted.add(name);
  }
  return [...wanted].map(plain);
}

/** The records that belong to the story of `id`, in the order in which things happened. */
export function storyOf(id: string, found: readonly Recorded[]): Recorded[] {
  return chosen(id, found).sort((a, b) => compare(timeOf(a), timeOf(b)) || rankOf(a) - rankOf(b) || a.index - b.index);
}

/** When the content of a record happened: a signal's own time, the time of a decision, else the time of the append. */
export const timeOf = ({ event, at }: Recorded): string => {
  const occurredAt = event?.type === 'SignalAccepted' ? (event.data as Members).occurredAt : undefined;
  return typeof occurredAt === 'string' ? occurredAt : (event?.time ?? at);
};

type Members = Readonly<Record<string, unknown>>;

/** Of events with the same time, a cause comes before its effect. A new type of event does not compile without its place. */
const rank: { readonly [T in EventType]: number } = {
  SignalAccepted: 0,
  SignalRejected: 1,
  ProfileChanged: 2,
  ConsentsChanged: 3,
  TaskEscalated: 4,
  TaskAssigned: 5,
  ActionProposed: 6,
  TaskSettled: 7,
  ActionEscalated: 8,
  ReviewDecided: 9,
  ReviewSetAside: 10,
  TaskReviewSetAside: 10,
  TaskWithheld: 10,
  ActionRefused: 11,
  ActionApproved: 12,
  SettlementDecided: 13,
  ActionSettled: 14,
  PermitRejected: 15,
  DeadLetter: 15,
  DeadLetterReplayed: 15,
  ReplayEnded: 16,
  ContactPointsChanged: 16,
  ControlChanged: 16,
  ControlConfirmed: 16,
  PolicyPublished: 16,
  GapReported: 15,
  GapAcknowledged: 16,
  AcknowledgementEnded: 16,
  SessionsEnded: 16,
  CheckpointPublished: 16,
  DryRunAsked: 16,
  DryRunJudged: 16,
  RevealRequested: 15,
  RevealAnswered: 16,
  RevealSealed: 16,
  RecordPassRequested: 16,
  InspectionStarted: 15,
  InspectionEnded: 16,
};
/** A record that no service obeyed comes first, and an unknown type last. */
const rankOf = ({ event }: Recorded): number =>
  event ? (own<number>(rank, event.type) ?? rank.CheckpointPublished) : 0;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The narrowest thing that `id` names: one proposal, for an id of a proposal, action, permit or review; one task; or, for a
 * signal or a play's run, all tasks that followed. An event's id stands for the object of the event.
 */
function focusOf(id: string, found: readonly Recorded[]): Focus {
  const events = found.flatMap(({ event }) => (event ? [event] : []));
  const direct = events.filter((event) => proposalNamesOf(event).includes(id)).flatMap(proposalOf);
  if (direct.length > 0) return ofProposals(direct, events);
  if (events.some((event) => tasksOf(event).includes(id))) return ofTasks([id], events);

  const own = events.filter((event) => event.id === id && concernsTask(event));
  const ownProposals = own.flatMap(proposalOf);
  if (ownProposals.length > 0) return ofProposals(ownProposals, events);
  const anchors = own.length > 0 ? own : events.filter((event) => idsOf(event).includes(id));
  return ofTasks(
    anchors.flatMap((event) => tasksOf(event)),
    events,
  );
}

function ofProposals(proposals: readonly string[], events: readonly Envelope[]): Focus {
  const names = new Set(proposals);
  const tasks = events.filter((event) => proposalOf(event).some((p) => names.has(p))).flatMap(tasksOf);
  return { proposals: names, tasks: new Set(tasks) };
}

function ofTasks(tasks: readonly string[], events: readonly Envelope[]): Focus {
  const names = new Set(tasks);
  const proposals = events.filter((event) => tasksOf(event).some((task) => names.has(task))).flatMap(proposalOf);
  return { proposals: new Set(proposals), tasks: names };
}

function chosen(id: string, found: readonly Recorded[]): Recorded[] {
  const { proposals, tasks } = focusOf(id, found);
  const main = found.filter(({ event }) => {
    if (!event || !concernsTask(event)) return false;
    const proposal = proposalOf(event);
    return proposal.length > 0
      ? proposal.some((p) => proposals.has(p))
      : tasksOf(event).some((task) => tasks.has(task));
  });
  const named = new Set<string>([id]);
  for (const { event } of main) {
    if (!event) continue;
    named.add(event.id);
    const { checkpointId } = event.data as Members;
    if (typeof checkpointId === 'string') named.add(checkpointId);
    for (const name of namedBy(event)) named.add(name);
  }
  for (const { event } of found) {
    if (event?.type === 'DeadLetter' && isAbout(event, named)) named.add(String((event.data as Members).deadLetterId));
  }
  const others = found
    .filter((record) => !record.event || !concernsTask(record.event))
    .filter((record) => isNamed(record, id, named));
  return [...main, ...others];
}

/**
 * For an event that belongs to no task of the story: whether the story depends on it, whether it reports a failure of the story,
 * or whether `id` names it.
 */
function isNamed({ event, id: ownId }: Recorded, id: string, named: ReadonlySet<string>): boolean {
  if (!event) return ownId !== null && named.has(ownId);
  if (event.id === id) return true;
  const data = event.data as Members;
  const kind = event.type as EventType;
  switch (kind) {
    case 'SignalAccepted':
    case 'SignalRejected':
      return named.has(plain(String(data.signalId)));
    case 'ProfileChanged':
    case 'ConsentsChanged':
      return idsOf(event).some((name) => name.includes('@') && named.has(name)) || event.correlationid === id;
    case 'ReviewDecided':
      return named.has(String((data.subject as Members).id)) || data.reviewId === id;
    case 'TaskWithheld':
    case 'TaskReviewSetAside':
      return named.has(String(data.checkpointId)) || data.reviewId === id;
    case 'DeadLetter':
      return isAbout(event, named);
    case 'DeadLetterReplayed':
    case 'ReplayEnded':
      return named.has(String(data.deadLetterId));
    case 'ContactPointsChanged':
    case 'ControlChanged':
    case 'PolicyPublished':
    case 'TaskAssigned':
    case 'TaskSettled':
    case 'TaskEscalated':
    case 'ActionProposed':
    case 'ActionApproved':
    case 'ActionRefused':
    case 'ActionEscalated':
    case 'ReviewSetAside':
    case 'SettlementDecided':
    case 'ActionSettled':
    case 'PermitRejected':
    case 'GapReported':
    case 'GapAcknowledged':
    case 'AcknowledgementEnded':
    case 'SessionsEnded':
    case 'ControlConfirmed':
    case 'CheckpointPublished':
    case 'DryRunAsked':
    case 'DryRunJudged':
    case 'RevealSealed':
      return named.has(event.id);
    case 'RevealRequested':
    case 'RevealAnswered':
      return named.has(String(data.revealId));
    case 'RecordPassRequested':
      return named.has(String(data.passId));
    case 'InspectionStarted':
    case 'InspectionEnded':
      return named.has(String(data.inspectionId));
    default: {
      // A signal as its publisher sent it. The record has only a commitment of it.
      kind satisfies never;
      return named.has(event.id);
    }
  }
}

const isAbout = (event: Envelope, named: ReadonlySet<string>): boolean => {
  const { id, deadLetterId } = event.data as Members;
  return named.has(String(deadLetterId)) || (typeof id === 'string' && named.has(plain(id)));
};

/** What an event depends on by its own words: signals by their id, versions of state by name. */
function namedBy(event: Envelope): string[] {
  const { evidence, madeFrom } = event.data as { evidence?: { signalId: string }[]; madeFrom?: Record<string, number> };
  // Only the task's own facts. A proposal repeats them with later changes.
  const versions = event.type === 'TaskAssigned' ? Object.entries(madeFrom ?? {}) : [];
  return [
    ...(evidence ?? []).map(({ signalId }) => plain(signalId)),
    ...versions.map(([name, version]) => plain(stateId(name, version))),
  ];
}

const concernsTask = (event: Envelope): boolean => tasksOf(event).length > 0 || proposalOf(event).length > 0;

/** The proposal that an event is about. */
function proposalOf({ type, data }: Envelope): string[] {
  const { proposalId, subject } = data as { proposalId?: unknown; subject?: { kind: string; id: string } };
  if (type === 'ReviewDecided') return subject?.kind === 'proposal' ? [subject.id] : [];
  return typeof proposalId === 'string' ? [proposalId] : [];
}

/** The tasks that an event is about. */
function tasksOf({ type, data }: Envelope): string[] {
  const { taskId, tasks } = data as { taskId?: unknown; tasks?: { taskId: string }[] };
  if (type === 'TaskEscalated') return (tasks ?? []).map((task) => task.taskId);
  return typeof taskId === 'string' ? [taskId] : [];
}

/** Ids that mean exactly one proposal. */
function proposalNamesOf(event: Envelope): string[] {
  if (proposalOf(event).length === 0) return [];
  const data = event.data as Record<string, unknown> & { action?: Members; review?: Members };
  const names = [
    ...proposalOf(event),
    data.actionId,
    data.action?.actionId,
    data.supersededBy,
    data.permitId,
    data.reviewId,
    data.review?.reviewId,
  ];
  return names.filter((name): name is string => typeof name === 'string');
}

import { type EventType, fromKafka } from '@countersign/contracts';
import { readEventBytes } from '@countersign/record';

/** A line of what happened, with the bytes of its event while they are stored. */
export interface StepRow {
  readonly seq: string;
  readonly correlationId: string;
  readonly topic: string;
  readonly partition: number | null;
  readonly offset: string | null;
  readonly eventId: string;
  readonly type: string;
  readonly subjectId: string | null;
  readonly detail: string;
  readonly at: string;
  readonly bytes: Uint8Array | null;
}

/** The person or program that did something. */
export interface Doer {
  readonly kind: 'person' | 'agent' | 'service' | 'source';
  readonly name: string;
}

/** The ids of a story, in addition to its chain. */
export interface About {
  readonly proposalId: string;
  readonly taskId: string;
  readonly runId: string;
}

type Members = Readonly<Record<string, unknown>>;

/** The event in the bytes of `eventBytes`; undefined if they cannot be read. */
export function eventOf(bytes: Uint8Array | null) {
  if (bytes === null) return undefined;
  const { headers, value } = readEventBytes(bytes);
  const named = Object.fromEntries(
    headers.map(([name, text]) => [name, text === null ? undefined : Buffer.from(text)]),
  );
  const read = fromKafka({ key: null, headers: named, value: value === null ? null : Buffer.from(value) });
  return read.ok ? read.event : undefined;
}

/** The lines of one proposal's story, from the lines of its chain and of its ids; in order. */
export function stepsOf(rows: readonly StepRow[], { proposalId, taskId, runId }: About): StepRow[] {
  const subjects = new Set([proposalId, taskId]);
  const events = new Set<string>();
  const dataOf = (row: StepRow): Members => (eventOf(row.bytes)?.data ?? {}) as Members;
  for (const row of rows) {
    if (row.type !== 'TaskEscalated' || row.subjectId === null) continue;
    // The run of a play that waited. If the bytes are gone, every waiting run of this chain counts.
    const play = dataOf(row).play as { runId?: unknown } | undefined;
    if (play === undefined || play.runId === runId) subjects.add(row.subjectId);
  }
  const own = rows.filter(
    (row) =>
      (row.subjectId !== null && subjects.has(row.subjectId)) ||
      row.type === 'SignalAccepted' ||
      row.type === 'SignalRejected',
  );
  for (const row of own) events.add(row.eventId);
  const failed = rows.filter((row) => row.type === 'DeadLetter' && events.has(String(dataOf(row).id)));
  const letters = new Set(failed.map((row) => row.subjectId));
  const chosen = new Set([
    ...own,
    ...failed,
    ...rows.filter((row) => row.type === 'DeadLetterReplayed' && letters.has(row.subjectId)),
  ]);
  return inOrder([...chosen]);
}

/** The chain that led to a task, if its agent began another chain with its proposal: an agent elsewhere may name no chain. */
export const chainOfTask = (rows: readonly StepRow[], taskId: string, ofProposal: string): string | undefined =>
  rows.find(
    ({ type, subjectId, correlationId }) =>
      type === 'TaskAssigned' && subjectId === taskId && correlationId !== ofProposal,
  )?.correlationId;

/**
 * Whether these steps, which are in order, begin with the first of their chain. The console forgets old steps, so a missing
 * beginning shows in the earliest step: its cause is not here. For a proposal's story the proposal must be among the steps too.
 */
export function beginsWithFirst(steps: readonly StepRow[], ofProposal: boolean): boolean {
  if (ofProposal && !steps.some(({ type }) => type === 'ActionProposed')) return false;
  const byEvent = new Map(steps.map((step) => [step.eventId, step]));
  let [first] = steps;
  if (first === undefined) return false;
  // Clocks differ, so the cause of the earliest step may have a later time.
  for (const seen = new Set([first]); ; seen.add(first)) {
    const cause = byEvent.get(eventOf(first.bytes)?.causationid ?? '');
    if (cause === undefined || seen.has(cause)) return beginsChain(first);
    first = cause;
  }
}

/** Whether a step without its cause here has none among the events that the console shows. */
function beginsChain({ type, bytes, correlationId }: StepRow): boolean {
  if (type === 'SignalAccepted' || type === 'SignalRejected') return true;
  // It answers a task, whatever its agent writes into its envelope.
  if (type === 'ActionProposed') return false;
  const event = eventOf(bytes);
  if (event === undefined) return false;
  // A chain has the id of its first event: a signal of a source, a person's act.
  return event.correlationid === undefined || event.causationid === correlationId;
}

/** Of events with the same time, a cause comes before its effect. */
const rank: Readonly<Record<string, number>> = {
  SignalAccepted: 0,
  SignalRejected: 0,
  TaskEscalated: 1,
  TaskAssigned: 2,
  ActionProposed: 3,
  TaskSettled: 4,
  ActionEscalated: 5,
  ReviewDecided: 6,
  ReviewSetAside: 7,
  TaskReviewSetAside: 7,
  TaskWithheld: 7,
  ActionRefused: 8,
  ActionApproved: 9,
  SettlementDecided: 10,
};
const rankOf = ({ type }: StepRow): number => (Object.hasOwn(rank, type) ? (rank[type] as number) : 11);

export const inOrder = (rows: readonly StepRow[]): StepRow[] =>
  [...new Map(rows.map((row) => [row.seq, row])).values()].sort(
    (a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0) || rankOf(a) - rankOf(b) || Number(a.seq) - Number(b.seq),
  );

/** Events whose `by` is a person. */
const personal: ReadonlySet<string> = new Set<EventType>([
  'ReviewDecided',
  'SettlementDecided',
  'DeadLetterReplayed',
  'GapAcknowledged',
  'SessionsEnded',
  'RevealRequested',
  'DryRunAsked',
  'RecordPassRequested',
  'InspectionStarted',
  'InspectionEnded',
]);

/** Who did it: the person that the event names, the source of a signal, else the writer of the topic. */
export function doerOf(row: StepRow, writer: string): Doer {
  const data = (eventOf(row.bytes)?.data ?? {}) as Members;
  if (row.type === 'SignalAccepted' || row.type === 'SignalRejected') {
    const { source } = data;
    return typeof source === 'string' ? { kind: 'source', name: source } : { kind: 'service', name: writer };
  }
  const byPerson = personal.has(row.type);
  if (byPerson && typeof data.by === 'string') return { kind: 'person', name: data.by };
  if (row.topic.startsWith('actions.proposed.') || row.topic.startsWith('tasks.settled.'))
    return { kind: 'agent', name: writer };
  return { kind: 'service', name: writer };
}

/** The address of an event's trace: `{traceId}` of the template is filled in. */
export function traceUrlOf(row: StepRow, template: string | undefined): string | null {
  const traceId = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(eventOf(row.bytes)?.traceparent ?? '')?.[1];
  return template === undefined || traceId === undefined ? null : template.replaceAll('{traceId}', traceId);
}

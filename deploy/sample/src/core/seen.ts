import type { DataOf, EventType } from '@countersign/contracts';
import type { Signal } from './signals.js';

/** An event of Countersign's as it was read from its topic. */
export interface Observed {
  readonly topic: string;
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
}

/** A signal that was refused over HTTP, before it came to any topic. */
export interface Refusal {
  readonly id: string;
  readonly status: number;
  readonly field?: string;
}

type Proposal = DataOf<'ActionProposed'>;

/** What has been observed so far, so kept that stories can ask for it as often as they like. */
export interface Seen {
  eventsOf<T extends EventType>(type: T): readonly DataOf<T>[];
  accepted(signal: { readonly source: string; readonly id: string }): DataOf<'SignalAccepted'> | undefined;
  rejected(signal: { readonly source: string; readonly id: string }): DataOf<'SignalRejected'> | undefined;
  /** Whether a signal has been accepted or rejected. */
  answered(signal: { readonly source: string; readonly id: string }): boolean;
  refusedOverHttp(id: string): Refusal | undefined;
  tasks(filter: {
    readonly play?: string;
    readonly accountId?: string;
    readonly campaignId?: string;
  }): readonly DataOf<'TaskAssigned'>[];
  taskSettled(taskId: string): DataOf<'TaskSettled'> | undefined;
  proposals(filter: {
    readonly taskId?: string;
    readonly kind?: string;
    readonly contactId?: string;
    readonly agent?: string;
  }): readonly Proposal[];
  approved(proposalId: string): DataOf<'ActionApproved'> | undefined;
  refused(proposalId: string): DataOf<'ActionRefused'> | undefined;
  escalated(proposalId: string): DataOf<'ActionEscalated'> | undefined;
  reviewed(subjectId: string): DataOf<'ReviewDecided'> | undefined;
  /** The latest settlement. */
  settled(proposalId: string): DataOf<'ActionSettled'> | undefined;
  /** A scope's control as it was published last. */
  control(scope: string): DataOf<'ControlChanged'> | undefined;
}

export interface Watch extends Seen {
  add(event: Observed): void;
  refuse(refusal: Refusal): void;
}

const signalKey = (source: string, id: string | undefined): string => `${source} ${id}`;

export function watch(): Watch {
  const byType = new Map<string, unknown[]>();
  const first = new Map<string, Map<string, unknown>>();
  const last = new Map<string, Map<string, unknown>>();
  const index = (type: string, key: string, data: unknown) => {
    const firsts = first.get(type) ?? new Map<string, unknown>();
    const lasts = last.get(type) ?? new Map<string, unknown>();
    first.set(type, firsts);
    last.set(type, lasts);
    if (!firsts.has(key)) firsts.set(key, data);
    lasts.set(key, data);
  };
  const refusals = new Map<string, Refusal>();
  const eventsOf = <T extends EventType>(type: T) => (byType.get(type) ?? []) as readonly DataOf<T>[];
  const eventOf = <T extends EventType>(type: T, key: string, which = first) =>
    which.get(type)?.get(key) as DataOf<T> | undefined;

  return {
    add({ type, data }) {
      const list = byType.get(type) ?? [];
      byType.set(type, list);
      list.push(data);
      const key = keyOf(type as EventType, data);
      if (key !== undefined) index(type, key, data);
    },
    refuse: (refusal) => void refusals.set(refusal.id, refusal),
    eventsOf,
    accepted: ({ source, id }) => eventOf('SignalAccepted', signalKey(source, id)),
    rejected: ({ source, id }) => eventOf('SignalRejected', signalKey(source, id)),
    answered: ({ source, id }) =>
      eventOf('SignalAccepted', signalKey(source, id)) !== undefined ||
      eventOf('SignalRejected', signalKey(source, id)) !== undefined,
    refusedOverHttp: (id) => refusals.get(id),
    tasks: ({ play, accountId, campaignId }) =>
      eventsOf('TaskAssigned').filter(
        (t) =>
          (play === undefined || t.play.id === play) &&
          (accountId === undefined || t.accountId === accountId) &&
          (campaignId === undefined || t.campaignId === campaignId),
      ),
    taskSettled: (taskId) => eventOf('TaskSettled', taskId),
    proposals: ({ taskId, kind, contactId, agent }) =>
      eventsOf('ActionProposed').filter(
        (p) =>
          (taskId === undefined || p.taskId === taskId) &&
          (kind === undefined || p.action.kind === kind) &&
          (agent === undefined || p.agent === agent) &&
          (contactId === undefined || p.action.payload.contactId === contactId),
      ),
    approved: (id) => eventOf('ActionApproved', id, last),
    refused: (id) => eventOf('ActionRefused', id, last),
    escalated: (id) => eventOf('ActionEscalated', id),
    reviewed: (id) => eventOf('ReviewDecided', id),
    settled: (id) => eventOf('ActionSettled', id, last),
    control: (scope) => eventOf('ControlChanged', scope, last),
  };
}

/** What an event is asked for by; undefined where nobody asks for one of them. */
function keyOf(type: EventType, data: unknown): string | undefined {
  switch (type) {
    case 'SignalAccepted':
    case 'SignalRejected': {
      const { source, signalId } = data as DataOf<'SignalAccepted'>;
      return signalKey(source, signalId);
    }
    case 'TaskSettled':
      return (data as DataOf<'TaskSettled'>).taskId;
    case 'ActionApproved':
    case 'ActionRefused':
    case 'ActionEscalated':
    case 'ActionSettled':
      return (data as DataOf<'ActionSettled'>).proposalId;
    case 'ReviewDecided':
      return (data as DataOf<'ReviewDecided'>).subject.id;
    case 'ControlChanged':
      return (data as DataOf<'ControlChanged'>).scope;
    default:
      return undefined;
  }
}

/** The signals of a list that nobody has answered yet. */
export const unanswered = (seen: Seen, signals: readonly Signal[]): number =>
  signals.filter((s) => !seen.answered(s)).length;

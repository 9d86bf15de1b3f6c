import { actionDetail, type DataOf, type Event, kindSpec, topics } from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { campaignKeys } from './campaign-keys.js';
import { isTracked } from './detail.js';
import { foreign } from './stories.js';

/** The stages of the way from a signal to its effect, in their order. */
export const stages = ['signals', 'tasks', 'proposals', 'verdicts', 'settlements'] as const;
export type Stage = (typeof stages)[number];

/** One step on that way, by the time of its event. */
export interface FunnelStep {
  readonly stage: Stage;
  readonly label: string;
  readonly at: string;
}

/** A task until its agent has answered it. The two events may be read in any order. */
export interface PendingTask {
  readonly taskId: string;
  readonly agent: string;
  readonly play: string;
  readonly purpose: string;
  readonly kinds: readonly string[];
  readonly accounts: readonly string[];
  readonly at: string;
  readonly dueAt: string;
}

/** An approval of the validator: what runs next, and how much of a day's money it holds. */
export interface Approval {
  readonly actionId: string;
  readonly proposalId: string;
  readonly permitId: string;
  readonly executor: string;
  readonly agent: string;
  readonly play: string;
  readonly kind: string;
  readonly accounts: readonly string[];
  readonly detail: string;
  readonly notBefore: string;
  readonly expiresAt: string;
  readonly at: string;
  readonly spend: ReservedSpend | null;
  readonly campaignKeys: readonly string[];
}

/** Money that a permit holds, by its reservations. */
export interface ReservedSpend {
  /** The day for which it counts, in the charter's time zone. */
  readonly day: string;
  readonly adAccountId: string | null;
  readonly campaignId: string | null;
  readonly amountMinor: number;
  readonly currency: string;
}

/** The changes of a batch of events in the tables of the page Now. */
export interface NowChanges {
  readonly steps: readonly FunnelStep[];
  readonly tasks: readonly PendingTask[];
  readonly answered: readonly { readonly taskId: string; readonly agent: string; readonly at: string }[];
  readonly approvals: readonly Approval[];
}

export function nowChanges(events: readonly Received[]): NowChanges {
  const all = events.map(({ event }) => event);
  return {
    steps: all.flatMap(stepsOf),
    tasks: all.flatMap((event) => (event.type === 'TaskAssigned' ? [pendingTask(event.data)] : [])),
    // An agent answers only in its own name.
    answered: events.flatMap(({ event, topic }) =>
      event.type === 'TaskSettled' && topic === topics.tasksSettled(event.data.agent).name
        ? [{ taskId: event.data.taskId, agent: event.data.agent, at: event.data.at }]
        : [],
    ),
    approvals: all.flatMap((event) =>
      event.type === 'ActionApproved' && !foreign(event.data) ? [approvalOf(event.data)] : [],
    ),
  };
}

/** A settlement is a step only when it agrees with its approval, see `writeProjection`. */
function stepsOf(event: Event): FunnelStep[] {
  if (!isTracked(event)) return [];
  const step = (stage: Stage, label: string): FunnelStep[] => [{ stage, label, at: event.time }];
  switch (event.type) {
    case 'SignalAccepted':
      return step('signals', 'accepted');
    case 'SignalRejected':
      return step('signals', 'rejected');
    case 'TaskAssigned':
      return step('tasks', 'assigned');
    case 'ActionProposed':
      return step('proposals', 'proposed');
    case 'ActionApproved':
      return step('verdicts', 'approved');
    case 'ActionEscalated':
      return step('verdicts', 'escalated');
    case 'ActionRefused':
      return step('verdicts', event.data.supersededBy === undefined ? 'refused' : 'superseded');
    case 'TaskEscalated':
    case 'ReviewDecided':
    case 'PermitRejected':
    case 'DeadLetter':
    case 'ReplayEnded':
    case 'GapReported':
      return [];
    default:
      return event satisfies never;
  }
}

const pendingTask = (task: DataOf<'TaskAssigned'>): PendingTask => ({
  taskId: task.taskId,
  agent: task.agent,
  play: task.play.id,
  purpose: task.purpose,
  kinds: task.kinds,
  accounts: [task.accountId, task.adAccountId].filter((id) => id !== undefined),
  at: task.assignedAt,
  dueAt: task.dueAt,
});

function approvalOf(data: DataOf<'ActionApproved'>): Approval {
  const { action } = data;
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  const adAccountId = payload?.success ? spec?.adAccountId(payload.data) : undefined;
  return {
    actionId: data.actionId,
    proposalId: data.proposalId,
    permitId: data.permitId,
    executor: data.executor,
    agent: data.agent,
    play: data.play.id,
    kind: action.kind,
    accounts: [action.accountId, adAccountId].filter((id) => id !== undefined),
    detail: actionDetail(action) ?? action.kind,
    notBefore: data.notBefore,
    expiresAt: data.expiresAt,
    at: data.verdict.at,
    spend: spendOf(data.reservations),
    campaignKeys: campaignKeys(action),
  };
}

/** The names of the ledgers of money, as the gate writes them. */
const ledger = /^spend:(ad-account|campaign):(.+):(\d{4}-\d\d-\d\d)$/su;

/** What the reservations of one permit hold of a day. The same money counts for its ad account and for its campaign. */
export function spendOf(reservations: DataOf<'ActionApproved'>['reservations']): ReservedSpend | null {
  let found: ReservedSpend | null = null;
  for (const { ledger: name, amount, currency } of reservations) {
    const [, holder, id = '', day = ''] = ledger.exec(name) ?? [];
    if (holder === undefined || currency === undefined) continue;
    found ??= { day, adAccountId: null, campaignId: null, amountMinor: amount, currency };
    found = { ...found, [holder === 'campaign' ? 'campaignId' : 'adAccountId']: id };
  }
  return found;
}

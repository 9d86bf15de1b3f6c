import {
  type Alarm,
  type DataOf,
  derivedId,
  money,
  type Notifications,
  type NotifyEvent,
  type NotifyRecipient,
  type NotifyRule,
  notifyRoles,
  own,
  plainText,
} from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { isTracked } from './detail.js';
import { quietUntil } from './quiet-hours.js';

/** What must be true when a notification is due. Otherwise it is not sent. */
export type Check =
  | { readonly on: 'review'; readonly subjectId: string; readonly digest: string }
  | { readonly on: 'dead-letter'; readonly deadLetterId: string }
  | { readonly on: 'unresolved'; readonly permitId: string }
  | { readonly on: 'control'; readonly scope: string; readonly version: number }
  | { readonly on: 'unconfirmed'; readonly scope: string; readonly version: number }
  | { readonly on: 'nothing' };

/** What a message shows of a thing: no names, addresses or texts of people. */
export interface Facts {
  readonly title: string;
  /** The lines below the title, each a label and its text. */
  readonly lines: readonly (readonly [string, string])[];
  /** The path of the page with the details, below PUBLIC_URL. */
  readonly path: string;
  readonly check: Check;
}

/** Something that happened, or that is the case, of which somebody may be notified. */
export interface Thing {
  readonly event: NotifyEvent;
  /** The identity of the thing: the same key is the same thing, however often it is read. */
  readonly key: string;
  readonly alarm?: Alarm;
  readonly at: string;
  /** After this time nobody needs it. */
  readonly until: string | null;
  readonly reviewers: readonly string[];
  readonly agents: readonly string[];
  /** For a budget: how much of it is used. */
  readonly used?: number;
  readonly facts: Facts;
}

/** One thing for one recipient on one channel. */
export interface Notification {
  readonly id: string;
  readonly event: NotifyEvent;
  readonly thing: string;
  readonly recipient: string;
  readonly channel: string;
  readonly dueAt: string;
  readonly until: string | null;
  readonly urgent: boolean;
  readonly digestMs: number;
  readonly facts: Facts;
}

/** Whether an event passes quiet hours, and how long its messages are gathered, if the configuration says nothing about it. */
export const presets: Readonly<Record<NotifyEvent, { readonly urgent: boolean; readonly digestMinutes: number }>> = {
  'needs-review': { urgent: false, digestMinutes: 5 },
  'deadline-near': { urgent: true, digestMinutes: 0 },
  stop: { urgent: true, digestMinutes: 0 },
  alarm: { urgent: true, digestMinutes: 5 },
  'budget-nearly-spent': { urgent: false, digestMinutes: 15 },
  test: { urgent: true, digestMinutes: 0 },
};
const presetConfirmSeconds = 30;
/** An older event that has no end is not sent: restored tables read it again. */
const newsMs = 86_400_000;

/** A text that outsiders may have written, as plain words: nothing in it becomes a link. */
export const inert = (text: string, max = 120): string =>
  plainText(text, max)
    .replace(/:\/\//g, ':/ /')
    .replace(/(?<=[\p{L}\p{N}])\.(?=\p{L}{2,})/gu, '\u2024')
    .replace(/@/g, '(at)');

const kindWords = (kind: string): string => kind.replace('.', ': ').replaceAll('_', ' ');

/** The things in the events of a batch. Permits that ended unresolved, and controls, are handled where they are written. */
export function thingsIn(events: readonly Received[]): Thing[] {
  return events.flatMap(({ event }): Thing[] => {
    if (!isTracked(event)) return [];
    switch (event.type) {
      case 'ActionEscalated':
        return [...reviewThings(cardOf(event.data)), ...budgetsOf(event.data)];
      case 'TaskEscalated':
        return reviewThings(checkpointOf(event.data));
      case 'ActionApproved':
        return budgetsSpent(event.data);
      case 'DeadLetter':
        return isOwnMessage(event.data) ? [] : [deadLetterThing(event.data)];
      case 'PermitRejected':
        return [rejectedThing(event.data)];
      case 'SignalAccepted':
      case 'SignalRejected':
      case 'TaskAssigned':
      case 'ActionProposed':
      case 'ActionRefused':
      case 'ReviewDecided':
        return [];
      default:
        return event satisfies never;
    }
  });
}

/** A message of ours that could not be sent. A notification about it would fail in the same way, again and again. */
const isOwnMessage = ({ service, job }: DataOf<'DeadLetter'>): boolean =>
  service === 'console' && job !== undefined && job.kind.endsWith('-notifications');

interface Asked {
  readonly subject: { readonly id: string };
  readonly digest: string;
  readonly title: string;
  readonly lines: Facts['lines'];
  readonly at: string;
  readonly deadline: string;
  readonly reviewers: readonly string[];
  readonly agents: readonly string[];
}

function cardOf(data: DataOf<'ActionEscalated'>): Asked {
  const { action, card } = data;
  const account = card.accountName ?? action.accountId;
  const why = data.verdict.reasons
    .filter(({ outcome }) => outcome === 'escalate')
    .map(({ detail }) => inert(detail, 300));
  return {
    subject: { id: data.proposalId },
    digest: data.digest,
    title: `${kindWords(action.kind)}${account === undefined ? '' : ` for ${inert(account)}`}`,
    lines: [
      ['What', `${kindWords(action.kind)}, proposed by ${data.agent}`],
      ...(account === undefined ? [] : [['Account', inert(account)] as const]),
      ...(card.money ? [['Money', money(card.money.amountMinor, card.money.currency)] as const] : []),
      ...why.slice(0, 3).map((detail) => ['Why a person is asked', detail] as const),
    ],
    at: data.verdict.at,
    deadline: data.deadline,
    reviewers: data.reviewers,
    agents: [data.agent],
  };
}

function checkpointOf(data: DataOf<'TaskEscalated'>): Asked {
  const account = data.accountName ?? data.accountId;
  const agents = [...new Set(data.tasks.map(({ agent }) => agent))];
  return {
    subject: { id: data.checkpointId },
    digest: data.digest,
    title: `tasks of the play ${data.play.id}${account === undefined ? '' : ` for ${inert(account)}`}`,
    lines: [
      ['What', `${data.tasks.length} tasks for ${agents.join(', ')}`],
      ...(account === undefined ? [] : [['Account', inert(account)] as const]),
      ['Why a person is asked', `the play ${data.play.id} asks before its agents begin`],
    ],
    at: data.at,
    deadline: data.deadline,
    reviewers: data.reviewers,
    agents,
  };
}

function reviewThings(asked: Asked): Thing[] {
  const { subject, digest, title, lines, at, deadline, reviewers, agents } = asked;
  return (['needs-review', 'deadline-near'] as const).map((event) => ({
    event,
    key: `${event} ${subject.id} ${digest}`,
    at,
    until: deadline,
    reviewers,
    agents,
    facts: { title, lines, path: `/reviews/${subject.id}`, check: { on: 'review', subjectId: subject.id, digest } },
  }));
}

const limitWords = (ledger: string): string => {
  const [, kind = '', ...rest] = ledger.split(':');
  const day = rest.at(-1) ?? '';
  return `${kind.replace('-', ' ')} ${inert(rest.slice(0, -1).join(':'))} on ${day}`;
};

function budgetThing(
  total: { ledger: string; used: number; cap: number; currency: string },
  { at, agent }: { at: string; agent: string },
): Thing[] {
  const { ledger, used, cap, currency } = total;
  if (cap <= 0 || !ledger.startsWith('spend:')) return [];
  const percent = Math.floor((used / cap) * 100);
  return [
    {
      event: 'budget-nearly-spent',
      key: `budget ${ledger}`,
      at,
      until: null,
      reviewers: [],
      agents: [agent],
      used: used / cap,
      facts: {
        title: `${percent} % of the day's budget of ${limitWords(ledger)}`,
        lines: [
          ['Limit', limitWords(ledger)],
          ['Spent or held', `${money(used, currency)} of ${money(cap, currency)}`],
        ],
        path: '/',
        check: { on: 'nothing' },
      },
    },
  ];
}

/** The running totals on a card: what is used without the waiting action. */
const budgetsOf = ({ card, verdict, agent }: DataOf<'ActionEscalated'>): Thing[] =>
  card.runningTotals.flatMap(({ ledger, held, committed, cap, currency }) =>
    currency === undefined
      ? []
      : budgetThing({ ledger, used: held + committed, cap, currency }, { at: verdict.at, agent }),
  );

/** What an approval took: its reservation names the limit, and the figures of its rule show how much of it is used. */
const budgetsSpent = ({ reservations, verdict, agent }: DataOf<'ActionApproved'>): Thing[] =>
  reservations.flatMap(({ ledger, amount, currency }) => {
    const [family, kind] = ledger.split(':');
    const figures = verdict.reasons.find(({ rule }) => family === 'spend' && rule === `spend-cap-${kind}`)?.figures;
    const { heldMinor, committedMinor, capMinor } = figures ?? {};
    if (typeof heldMinor !== 'number' || typeof committedMinor !== 'number' || typeof capMinor !== 'number') return [];
    if (currency === undefined) return [];
    const used = heldMinor + committedMinor + amount;
    return budgetThing({ ledger, used, cap: capMinor, currency }, { at: verdict.at, agent });
  });

const alarmThing = (
  alarm: Alarm,
  key: string,
  at: string,
  facts: Omit<Facts, 'check'> & { readonly check: Check },
): Thing => ({ event: 'alarm', alarm, key: `${alarm} ${key}`, at, until: null, reviewers: [], agents: [], facts });

const deadLetterThing = ({ deadLetterId, service, topic, job, fault, at }: DataOf<'DeadLetter'>): Thing =>
  alarmThing('dead-letter', deadLetterId, at, {
    title: `${service} could not handle ${job ? `a job (${job.kind})` : `a record of ${topic}`}`,
    // The text of a fault may quote the request.
    lines: [
      ['Service', service],
      ['Fault', inert(fault.code)],
      ['What to do', 'find the cause, mend it, then have it handled again'],
    ],
    path: '/sources/dead-letters',
    check: { on: 'dead-letter', deadLetterId },
  });

const rejectedThing = ({ executor, reason, topic, partition, offset, at }: DataOf<'PermitRejected'>): Thing =>
  alarmThing('rejected-permit', `${executor} ${topic} ${partition} ${offset}`, at, {
    title: `${executor} rejected a permit`,
    lines: [
      ['Executor', executor],
      ['Why', inert(reason.code)],
      ['What to do', 'a permit that is not genuine means that somebody writes who may not: look who did'],
    ],
    path: '/',
    check: { on: 'nothing' },
  });

/** A permit of which nobody knows whether it was executed, reported by the executor of its approval. */
export const unresolvedThing = (permit: {
  readonly permitId: string;
  readonly executor: string;
  readonly connector: string;
  readonly at: string;
}): Thing =>
  alarmThing('unresolved', permit.permitId, permit.at, {
    title: `nobody knows whether ${permit.connector} did what ${permit.executor} asked`,
    lines: [
      ['Executor', permit.executor],
      ['Connected system', permit.connector],
      ['What to do', 'look it up in the connected system, then say whether it was done'],
    ],
    path: '/runbook/hand-back',
    check: { on: 'unresolved', permitId: permit.permitId },
  });

/** The things in a change of a control: the change itself, and that it is not confirmed, if that is still so after a while. */
export function controlThings(control: {
  readonly scope: string;
  readonly state: 'stopped' | 'running';
  readonly by: string;
  readonly reason: string;
  readonly version: number;
  readonly at: string;
}): Thing[] {
  const { scope, state, by, reason, version, at } = control;
  const words = scope === 'all' ? 'everything' : inert(scope.replace(':', ' '));
  const lines = [
    ['Who', by],
    ['Why', inert(reason, 300)],
  ] as const;
  const nobody = { until: null, reviewers: [], agents: [] };
  return [
    {
      event: 'stop',
      key: `control ${scope} ${version}`,
      at,
      ...nobody,
      facts: {
        title: state === 'stopped' ? `${words} was stopped` : `${words} runs again`,
        lines,
        path: '/',
        check: { on: 'control', scope, version },
      },
    },
    alarmThing('not-confirmed', `${scope} ${version}`, at, {
      title: `not every service has confirmed that ${words} ${state === 'stopped' ? 'is stopped' : 'runs again'}`,
      lines: [...lines, ['What to do', 'see which services have not confirmed it; it may not hold there']],
      path: '/',
      check: { on: 'unconfirmed', scope, version },
    }),
  ];
}

/** A message that an operator sends to test a channel. */
export const testThing = (id: string, at: string): Thing => ({
  event: 'test',
  key: `test ${id}`,
  at,
  until: null,
  reviewers: [],
  agents: [],
  facts: {
    title: 'a test of this way to reach you',
    lines: [['What to do', 'nothing: somebody wanted to see that this arrives']],
    path: '/',
    check: { on: 'nothing' },
  },
});

const plus = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();
const later = (a: string, b: string): string => (a > b ? a : b);

/** When a rule notifies of a thing, before quiet hours; undefined if it does not. */
function dueAt(rule: NotifyRule, thing: Thing): string | undefined {
  switch (rule.event) {
    case 'deadline-near': {
      if (thing.until === null) return undefined;
      const all = Date.parse(thing.until) - Date.parse(thing.at);
      const before = rule.shareLeft === undefined ? (rule.minutesBefore ?? 0) * 60_000 : all * rule.shareLeft;
      return later(thing.at, plus(thing.until, -Math.round(before)));
    }
    case 'alarm':
      if (rule.kinds && thing.alarm && !rule.kinds.includes(thing.alarm)) return undefined;
      return thing.alarm === 'not-confirmed'
        ? plus(thing.at, (rule.confirmSeconds ?? presetConfirmSeconds) * 1000)
        : thing.at;
    case 'budget-nearly-spent':
      return (thing.used ?? 0) >= rule.share ? thing.at : undefined;
    default:
      return thing.at;
  }
}

/**
 * Who is notified of what, on which channel, and when: one row for each thing, recipient and channel, whatever rules name them,
 * at the earliest of their times. `owners` has the owner of each agent.
 */
export function plan(
  config: Notifications,
  things: readonly Thing[],
  owners: ReadonlyMap<string, string>,
  at: string,
): Notification[] {
  const recipients = new Map(config.recipients.map((recipient) => [recipient.name, recipient]));
  const rows = new Map<string, Notification>();
  for (const thing of things) {
    if (thing.until === null ? Date.parse(at) - Date.parse(thing.at) > newsMs : thing.until <= at) continue;
    for (const rule of config.tell) {
      if (rule.event !== thing.event) continue;
      const first = dueAt(rule, thing);
      if (first === undefined) continue;
      const key = rule.event === 'budget-nearly-spent' ? `${thing.key} ${rule.share}` : thing.key;
      const steps = [
        { afterMinutes: 0, to: rule.to, by: rule.by },
        ...(rule.event === 'needs-review' ? (rule.then ?? []) : []),
      ];
      for (const { afterMinutes, to, by } of steps)
        for (const recipient of namedBy(to, thing, owners).flatMap((name) => recipients.get(name) ?? []))
          for (const channel of channelsOf(recipient, by)) {
            const due = plus(first, afterMinutes * 60_000);
            const row = notification({ ...thing, key }, recipient.name, channel, due, rule);
            const before = rows.get(row.id);
            if (!before || row.dueAt < before.dueAt) rows.set(row.id, row);
          }
    }
  }
  return [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function namedBy(to: readonly string[], thing: Thing, owners: ReadonlyMap<string, string>): string[] {
  const names = to.flatMap((name) => {
    if (!notifyRoles.includes(name)) return [name];
    return name === 'reviewers' ? thing.reviewers : thing.agents.flatMap((agent) => owners.get(agent) ?? []);
  });
  return [...new Set(names)];
}

export const channelsOf = ({ addresses }: NotifyRecipient, by: readonly string[] | undefined): string[] =>
  addresses.map(({ channel }) => channel).filter((channel) => by?.includes(channel) ?? true);

/** The row of a thing for a recipient on a channel. */
export function notification(
  thing: Thing,
  recipient: string,
  channel: string,
  due: string,
  rule: { readonly urgent?: boolean | undefined; readonly digestMinutes?: number | undefined } = {},
): Notification {
  const { event, key, until, facts } = thing;
  const preset = own(presets, event);
  return {
    id: derivedId('notification', key, recipient, channel),
    event,
    thing: key,
    recipient,
    channel,
    dueAt: due,
    until,
    urgent: rule.urgent ?? preset?.urgent ?? true,
    digestMs: (rule.digestMinutes ?? preset?.digestMinutes ?? 0) * 60_000,
    facts,
  };
}

/**
 * When the due messages for one recipient and channel may be sent: at `at`, or later, after the time in which messages of this
 * kind are gathered after `lastAt`, and after the quiet hours.
 */
export function mayGoAt(
  due: Pick<Notification, 'urgent' | 'digestMs'>,
  recipient: Pick<NotifyRecipient, 'quietHours' | 'timeZone'>,
  lastAt: string | null,
  at: string,
): string {
  const gathered = lastAt === null ? at : later(at, plus(lastAt, due.digestMs));
  if (due.urgent || !recipient.quietHours) return gathered;
  return quietUntil(gathered, recipient.quietHours, recipient.timeZone) ?? gathered;
}

/**
 * The first and the longest wait before a message that a channel did not accept is sent again, and the time after which it is
 * given up.
 */
export const patience = { firstMs: 30_000, mostMs: 900_000, allMs: 86_400_000 } as const;

/** When the next try is; undefined if it was tried for long enough. */
export function nextTry(tries: number, madeAt: string, at: string, askedMs = 0): string | undefined {
  if (Date.parse(at) - Date.parse(madeAt) >= patience.allMs) return undefined;
  const wait = Math.min(patience.firstMs * 2 ** Math.min(tries - 1, 10), patience.mostMs);
  return plus(at, Math.max(wait, Math.min(askedMs, 3_600_000)));
}

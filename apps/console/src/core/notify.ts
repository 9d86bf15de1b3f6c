import {
  derivedId,
  type Notifications,
  type NotifyEvent,
  type NotifyRecipient,
  type NotifyRule,
  notifyRoles,
  own,
} from '@countersign/contracts';
import { quietUntil } from './quiet-hours.js';
import type { Facts, Thing } from './things.js';

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
  'acted-alone': { urgent: false, digestMinutes: 15 },
  test: { urgent: true, digestMinutes: 0 },
};
const presetConfirmSeconds = 30;
/** An older event that has no end is not sent: restored tables read it again. */
const newsMs = 86_400_000;

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
      return thing.facts.check.on === 'budget' && thing.facts.check.share >= rule.share ? thing.at : undefined;
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
      const matched = rule.event === 'budget-nearly-spent' ? atShare(thing, rule.share) : thing;
      const steps = [{ afterMinutes: 0, to: rule.to, by: rule.by, urgent: rule.urgent }, ...(rule.then ?? [])];
      for (const { afterMinutes, to, by, urgent = rule.urgent } of steps)
        for (const recipient of namedBy(to, thing, owners).flatMap((name) => recipients.get(name) ?? []))
          for (const channel of channelsOf(recipient, by)) {
            const due = plus(first, afterMinutes * 60_000);
            const row = notification(matched, recipient.name, channel, due, { ...rule, urgent });
            const name = JSON.stringify([row.thing, row.recipient, row.channel]);
            const before = rows.get(name);
            if (!before || row.dueAt < before.dueAt) rows.set(name, row);
          }
    }
  }
  return [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A budget of which a rule wants to know the share: each share is another thing, and stays true while at least this much is used. */
function atShare(thing: Thing, share: number): Thing {
  const { facts, key } = thing;
  if (facts.check.on !== 'budget') return thing;
  return { ...thing, key: `${key} ${share}`, facts: { ...facts, check: { ...facts.check, share } } };
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
  const { event, key, occasion, until, facts } = thing;
  const preset = own(presets, event);
  return {
    id: derivedId('notification', key, recipient, channel, ...(occasion === undefined ? [] : [occasion])),
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

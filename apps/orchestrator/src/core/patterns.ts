import { compareStatements, own, type Trigger } from '@countersign/contracts';
import type { ContactSignal, DayReport } from './facts.js';

export const dayMs = 86_400_000;

type DistinctContacts = Extract<Trigger, { pattern: 'distinct-contacts' }>;
type ReturnBelowFloor = Extract<Trigger, { pattern: 'return-below-floor' }>;
type Comparable = DistinctContacts['where'][string];

/** Whether every named member has the wanted value; a list means any of its values. A missing member never matches. */
export function matches(
  asked: Readonly<Record<string, Comparable>>,
  given: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(asked).every(([name, wanted]) => {
    const value = own(given, name);
    return Array.isArray(wanted) ? (wanted as unknown[]).includes(value) : value === wanted;
  });
}

export interface PatternTime {
  readonly at: string;
  readonly freshWithinDays: number;
  /** When the play last started for this subject. Signals that had arrived by then make no second pattern. */
  readonly lastStartedAt: string | null;
}

/** Signals that count for a trigger: of its type and facts, and not older than `freshWithinDays` when they arrived. */
export function engagements(
  trigger: DistinctContacts,
  signals: readonly ContactSignal[],
  freshWithinDays: number,
): readonly ContactSignal[] {
  return signals.filter(
    (s) =>
      s.type === trigger.signal &&
      Date.parse(s.receivedAt) - Date.parse(s.occurredAt) <= freshWithinDays * dayMs &&
      matches(trigger.where, s.facts),
  );
}

/**
 * The latest window of the signals' own time, `withinDays` long, in which `contacts` distinct contacts engaged. Returns the
 * latest signal of each, oldest first. It depends only on the set of signals, not on their order. The window must end within
 * `freshWithinDays` before `at`, and must hold a signal that arrived after the play last started.
 */
export function surge(
  trigger: DistinctContacts,
  signals: readonly ContactSignal[],
  { at, freshWithinDays, lastStartedAt }: PatternTime,
): readonly ContactSignal[] | undefined {
  const counted = [...engagements(trigger, signals, freshWithinDays)].sort(compareStatements);
  const times = counted.map((s) => Date.parse(s.occurredAt));
  const isNew = (s: ContactSignal) => lastStartedAt === null || Date.parse(s.receivedAt) > Date.parse(lastStartedAt);
  const oldestEnd = Date.parse(at) - freshWithinDays * dayMs;
  for (let end = counted.length - 1; end >= 0; end -= 1) {
    const endTime = times[end] as number;
    if (endTime < oldestEnd) return undefined;
    const latest = new Map<string, ContactSignal>();
    let fresh = false;
    for (let i = end; i >= 0 && endTime - (times[i] as number) <= trigger.withinDays * dayMs; i -= 1) {
      const signal = counted[i] as ContactSignal;
      if (!latest.has(signal.contactId)) latest.set(signal.contactId, signal);
      fresh ||= isNew(signal);
    }
    if (fresh && latest.size >= trigger.contacts) return [...latest.values()].sort(compareStatements);
  }
  return undefined;
}

export interface BelowFloor {
  readonly days: readonly DayReport[];
  readonly floorPercent: number;
  readonly spendMinor: number;
  readonly revenueMinor: number;
  readonly currency: string;
}

/**
 * The latest window of `withinDays` days that holds `reportedDay` and earned less than the floor. A day without a report is
 * unknown, not zero, so a window with a gap gives no result. Nor does a window with two currencies, with less spend than the
 * minimum, or with an end more than `freshWithinDays` ago. A paused campaign has nothing to stop.
 */
export function belowFloor(
  trigger: ReturnBelowFloor,
  reports: readonly DayReport[],
  reportedDay: string,
  { at, freshWithinDays }: PatternTime,
): BelowFloor | undefined {
  const newestFirst = [...reports].sort((a, b) => compareStatements(b, a));
  if (newestFirst.find((r) => r.status !== null)?.status === 'paused') return undefined;
  const floorPercent =
    newestFirst.find((r) => r.returnFloorPercent !== null)?.returnFloorPercent ?? trigger.floorPercent;
  const byDay = new Map(reports.map((r) => [r.day, r]));
  for (let last = addDays(reportedDay, trigger.withinDays - 1); last >= reportedDay; last = addDays(last, -1)) {
    // The day ends at its last moment, so a report of yesterday is at most a day old.
    if (Date.parse(last) + dayMs < Date.parse(at) - freshWithinDays * dayMs) return undefined;
    const days = Array.from({ length: trigger.withinDays }, (_, i) =>
      byDay.get(addDays(last, i + 1 - trigger.withinDays)),
    );
    if (!days.every((d) => d !== undefined)) continue;
    const found = judgeWindow(days, floorPercent, trigger.minimumSpendMinor);
    if (found) return found;
  }
  return undefined;
}

function judgeWindow(
  days: readonly DayReport[],
  floorPercent: number,
  minimumSpendMinor: number,
): BelowFloor | undefined {
  const currency = days[0]?.currency;
  if (currency === undefined || days.some((d) => d.currency !== currency)) return undefined;
  const spend = days.reduce((sum, d) => sum + BigInt(d.spendMinor), 0n);
  const revenue = days.reduce((sum, d) => sum + BigInt(d.revenueMinor), 0n);
  if (spend === 0n || spend < BigInt(minimumSpendMinor)) return undefined;
  if (revenue * 100n >= spend * BigInt(floorPercent)) return undefined;
  return { days, floorPercent, spendMinor: Number(spend), revenueMinor: Number(revenue), currency };
}

export const addDays = (day: string, n: number): string =>
  new Date(Date.parse(day) + n * dayMs).toISOString().slice(0, 10);

import { type ContactHours, daysOfWeek, type OpenTime, own } from '@countersign/contracts';
import type { WhereaboutsFact } from './facts.js';

/* Quiet hours and working days. What counts is what the clock on the wall shows where the person is. */

/** The time zones that a person may be in. */
export interface Zones {
  readonly key: string;
  readonly names: readonly string[];
  /** In words: `in Europe/Berlin`. */
  readonly words: string;
}

const dayMs = 86_400_000;
/** Every zone changes its clock at a whole quarter of an hour of UTC, at most once in a day, and never there and back in a week. */
const quarterMs = 900_000;
const weekDays = 7;
/** A place with a single working day has an open moment within a week, or in the week after a change of the clock. */
const searchDays = 15;

/** One for each zone, a few hundred at most: to make one takes much longer than to use it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    const figures = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      ...figures,
      second: 'numeric',
      hourCycle: 'h23',
      calendar: 'gregory',
      numberingSystem: 'latn',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** What the clock in a zone shows, as if it were UTC. */
function wallOf(timeZone: string, ms: number): number {
  const figures = new Map<string, number>();
  for (const { type, value } of formatOf(timeZone).formatToParts(ms)) figures.set(type, Number(value));
  const figure = (type: Intl.DateTimeFormatPartTypes): number => figures.get(type) ?? 0;
  return Date.UTC(
    figure('year'),
    figure('month') - 1,
    figure('day'),
    figure('hour'),
    figure('minute'),
    figure('second'),
  );
}

/** How far the clock in a zone is ahead of UTC. */
const offsetOf = (timeZone: string, ms: number): number => wallOf(timeZone, ms) - Math.floor(ms / 1000) * 1000;

/** The zones of a country, by the tz database of this Node.js; none for a country that does not exist. */
function zonesOfCountry(country: string): readonly string[] {
  if (!/^[A-Z]{2}$/.test(country)) return [];
  const locale = new Intl.Locale(`und-${country}`) as Intl.Locale & { getTimeZones(): string[] | undefined };
  return locale.getTimeZones() ?? [];
}

/** The name of a zone in the spelling of Intl, so that a zone has one name; undefined if there is no such zone. */
function zoneNamed(timeZone: string): string | undefined {
  // An offset such as `+02:00` says nothing about the other half of the year.
  if (!/^[A-Za-z]/.test(timeZone)) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const known = new Map<string, Zones>();
const remembered = (key: string, make: () => Zones): Zones => {
  let zones = known.get(key);
  if (!zones) {
    zones = make();
    if (known.size >= 1000) known.clear();
    known.set(key, zones);
  }
  return zones;
};

const everywhere = (): Zones =>
  remembered('*', () => ({
    key: '*',
    names: Intl.supportedValuesOf('timeZone'),
    words: 'in every time zone, because neither the time zone nor the country is known',
  }));

/** The zones that a person may be in: their own, else all of their country, else all. */
export function zonesOf(whereabouts: WhereaboutsFact | null): Zones {
  const { timeZone, country } = whereabouts ?? {};
  const own =
    timeZone === undefined
      ? undefined
      : remembered(`zone ${timeZone}`, () => {
          const name = zoneNamed(timeZone);
          return { key: `zone ${name}`, names: name === undefined ? [] : [name], words: `in ${timeZone}` };
        });
  if (own && own.names.length > 0) return own;
  const ofCountry =
    country === undefined
      ? undefined
      : remembered(`country ${country}`, () => {
          const names = zonesOfCountry(country);
          const words = names.length === 1 ? `in ${names[0]}` : `in every time zone of ${country}`;
          return { key: `country ${country}`, names, words };
        });
  return ofCountry && ofCountry.names.length > 0 ? ofCountry : everywhere();
}

/** The zones of several people together. Throws if where one of them is is not among the facts. */
export function zonesOfAll(
  contacts: readonly string[],
  whereabouts: Readonly<Record<string, WhereaboutsFact | null>> | undefined,
): Zones {
  const each = contacts.map((contact) => {
    const fact = own(whereabouts ?? {}, contact);
    if (fact === undefined) throw new Error(`where contact ${contact} is is not among the facts`);
    return zonesOf(fact);
  });
  const [first, ...others] = [...new Map(each.map((zones) => [zones.key, zones])).values()];
  if (!first) return everywhere();
  if (others.length === 0) return first;
  const all = [first, ...others];
  return {
    key: all.map(({ key }) => key).join(' and '),
    names: [...new Set(all.flatMap(({ names }) => names))],
    words: all.map(({ words }) => words).join(' and '),
  };
}

/** The offsets of zones at the beginning of days of UTC. */
const atDays = new Map<string, Map<number, number>>();

function offsetAtDay(timeZone: string, day: number): number {
  const ofZone = atDays.get(timeZone) ?? new Map<number, number>();
  atDays.set(timeZone, ofZone);
  let offset = ofZone.get(day);
  if (offset === undefined) {
    offset = offsetOf(timeZone, day * dayMs);
    if (ofZone.size >= 200) ofZone.clear();
    ofZone.set(day, offset);
  }
  return offset;
}

/** The offset of a zone at the beginning of a day of UTC, and when on this day it becomes another one. */
interface DayOffset {
  readonly before: number;
  readonly change?: { readonly at: number; readonly after: number };
}

function offsetOn(timeZone: string, day: number): DayOffset {
  const first = day - (day % weekDays);
  const ofWeek = offsetAtDay(timeZone, first);
  if (offsetAtDay(timeZone, first + weekDays) === ofWeek) return { before: ofWeek };
  const before = offsetAtDay(timeZone, day);
  const after = offsetAtDay(timeZone, day + 1);
  if (before === after) return { before };
  let [same, changed] = [day * dayMs, (day + 1) * dayMs];
  while (changed - same > quarterMs) {
    const middle = same + Math.floor((changed - same) / quarterMs / 2) * quarterMs;
    if (offsetOf(timeZone, middle) === before) same = middle;
    else changed = middle;
  }
  return { before, change: { at: changed, after } };
}

/** A time in which no zone changes its clock, with the offsets of all. Zones with the same offset count as one. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly offsets: readonly number[];
}
const spans = new Map<string, readonly Span[]>();
/** One list for the same offsets. */
const lists = new Map<string, readonly number[]>();

function listOf(offsets: readonly number[]): readonly number[] {
  const list = [...new Set(offsets)].sort((a, b) => a - b);
  const key = list.join();
  const known = lists.get(key) ?? list;
  if (lists.size >= 1000) lists.clear();
  lists.set(key, known);
  return known;
}

/** A day of UTC in spans. */
function spansOn({ key, names }: Zones, day: number): readonly Span[] {
  const id = `${key} ${day}`;
  let found = spans.get(id);
  if (!found) {
    const zones = names.map((name) => offsetOn(name, day));
    const changes = zones.flatMap(({ change }) => change?.at ?? []);
    const edges = [...new Set([day * dayMs, ...changes, (day + 1) * dayMs])].sort((a, b) => a - b);
    found = edges.slice(0, -1).map((from, i) => ({
      from,
      to: edges[i + 1] ?? from,
      offsets: listOf(zones.map(({ before, change }) => (change && from >= change.at ? change.after : before))),
    }));
    if (spans.size >= 5000) spans.clear();
    spans.set(id, found);
  }
  return found;
}

const msOf = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))) * 60_000;
/** The first day of 1970 was a Thursday. */
const weekdayOf = (wall: number) => daysOfWeek.at((((Math.floor(wall / dayMs) + 3) % 7) + 7) % 7);

interface Part {
  readonly from: number;
  readonly to: number;
}

/** The quiet parts of a day on the wall, which begins at `day`. */
function quietOf({ quietHours, workingDays }: ContactHours, day: number): readonly Part[] {
  const whole = { from: day, to: day + dayMs };
  if (workingDays && !workingDays.some((name) => name === weekdayOf(day))) return [whole];
  if (!quietHours) return [];
  const [from, to] = [day + msOf(quietHours.from), day + msOf(quietHours.to)];
  if (from <= to) return [{ from, to }];
  return [
    { from: day, to },
    { from, to: whole.to },
  ];
}

/** The parts of a span that are quiet for nobody, in their order. */
function* openIn(hours: ContactHours, { from, to, offsets }: Span): Generator<Part> {
  const quiet: Part[] = [];
  const days = new Map<number, readonly Part[]>();
  for (const offset of offsets) {
    for (let day = Math.floor((from + offset) / dayMs) * dayMs; day < to + offset; day += dayMs) {
      const ofDay = days.get(day) ?? quietOf(hours, day);
      days.set(day, ofDay);
      for (const part of ofDay) quiet.push({ from: part.from - offset, to: part.to - offset });
    }
  }
  quiet.sort((a, b) => a.from - b.from);
  let open = from;
  for (const part of quiet) {
    if (part.from >= to) break;
    if (part.from > open) yield { from: open, to: part.from };
    open = Math.max(open, part.to);
  }
  if (open < to) yield { from: open, to };
}

/** The parts of a time that are open in all zones, in their order. Parts that touch are not joined. */
function* openParts(hours: ContactHours, zones: Zones, from: number, to: number): Generator<Part> {
  // Where no day of the week counts, a day is as shut as another one with the same offsets.
  let shut: readonly number[] | undefined;
  for (let day = Math.floor(from / dayMs); day * dayMs < to; day++) {
    for (const span of spansOn(zones, day)) {
      if (span.offsets === shut) continue;
      const within = { ...span, from: Math.max(from, span.from), to: Math.min(to, span.to) };
      const isWhole = within.to - within.from === dayMs;
      let open = false;
      for (const part of within.from < within.to ? openIn(hours, within) : []) {
        open = true;
        yield part;
      }
      if (isWhole && !open && !hours.workingDays) shut = span.offsets;
    }
  }
}

/** The parts of a time, in whole seconds since 1970, in which nobody has quiet hours or a day off. */
export function openTimes(hours: ContactHours, zones: Zones, from: number, to: number): OpenTime[] {
  const found: { from: number; to: number }[] = [];
  for (const part of openParts(hours, zones, from * 1000, to * 1000)) {
    const last = found.at(-1);
    if (last && last.to === part.from / 1000) last.to = part.to / 1000;
    else found.push({ from: part.from / 1000, to: part.to / 1000 });
  }
  return found;
}

/** The first second from this one on that is open for everybody; undefined if there is none in the next two weeks. */
export function nextOpen(hours: ContactHours, zones: Zones, from: number): number | undefined {
  for (const part of openParts(hours, zones, from * 1000, from * 1000 + searchDays * dayMs)) return part.from / 1000;
  return undefined;
}

/** A time zone in which this whole time, in whole seconds since 1970, is open; undefined if there is none. */
export const zoneOpenFrom = (hours: ContactHours, from: number, to: number): string | undefined =>
  everywhere().names.find((name) => {
    const [first] = openTimes(hours, zonesOf({ version: 0, timeZone: name }), from, to);
    return first?.from === from && first.to === to;
  });

/** What the clock on the wall shows: `Sat 2026-11-21 08:00`. */
export function wallWords(timeZone: string, seconds: number): string {
  const wall = wallOf(timeZone, seconds * 1000);
  const day = weekdayOf(wall) ?? '';
  const text = new Date(wall).toISOString();
  return `${day.slice(0, 1).toUpperCase()}${day.slice(1)} ${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

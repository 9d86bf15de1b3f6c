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
/** Every zone changes its clock at a whole quarter of an hour of UTC, and at most once in a day. */
const quarterMs = 900_000;
/** A place with a single working day has an open moment within a week, or in the week after a change of the clock. */
const searchMs = 15 * dayMs;

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
    // Formats are large.
    if (formats.size >= 64) formats.clear();
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

function isZone(timeZone: string): boolean {
  // An offset such as `+02:00` says nothing about the other half of the year.
  if (!/^[A-Za-z]/.test(timeZone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
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
      : remembered(`zone ${timeZone}`, () => ({
          key: timeZone,
          names: isZone(timeZone) ? [timeZone] : [],
          words: `in ${timeZone}`,
        }));
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
  const [first, ...others] = [...new Set(each)];
  if (!first) return everywhere();
  if (others.length === 0) return first;
  const all = [first, ...others];
  return {
    key: all.map(({ key }) => key).join(' and '),
    names: [...new Set(all.flatMap(({ names }) => names))],
    words: all.map(({ words }) => words).join(' and '),
  };
}

/** The offsets of zones on one day of UTC: of those that keep theirs for the whole day, and the zones that do not. */
interface DayOffsets {
  readonly steady: readonly number[];
  readonly changing: readonly string[];
}
const offsets = new Map<string, DayOffsets>();

function offsetsOn({ key, names }: Zones, day: number): DayOffsets {
  const id = `${key} ${day}`;
  let found = offsets.get(id);
  if (!found) {
    const steady = new Set<number>();
    const changing: string[] = [];
    for (const name of names) {
      const offset = offsetOf(name, day * dayMs);
      if (offsetOf(name, (day + 1) * dayMs) === offset) steady.add(offset);
      else changing.push(name);
    }
    found = { steady: [...steady], changing };
    if (offsets.size >= 5000) offsets.clear();
    offsets.set(id, found);
  }
  return found;
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
const msOf = (time: string): number => (Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))) * 60_000;
/** The first day of 1970 was a Thursday. */
const weekdayOf = (wall: number) => daysOfWeek.at(modulo(Math.floor(wall / dayMs) + 3, 7));

/** Parts of a time, each with its beginning, and whether it is open in all zones. */
function* pieces(
  { quietHours, workingDays }: ContactHours,
  zones: Zones,
  from: number,
  to: number,
): Generator<{ readonly at: number; readonly open: boolean }> {
  const [begin, end] = quietHours ? [msOf(quietHours.from), msOf(quietHours.to)] : [0, 0];
  const marks = [...new Set([begin, end, 0])];
  const isOpen = (wall: number): boolean => {
    const time = modulo(wall, dayMs);
    const quiet = begin < end ? time >= begin && time < end : begin > end && (time >= begin || time < end);
    return !quiet && (workingDays === undefined || workingDays.some((day) => day === weekdayOf(wall)));
  };
  for (let quarter = Math.floor(from / quarterMs) * quarterMs; quarter < to; quarter += quarterMs) {
    const { steady, changing } = offsetsOn(zones, Math.floor(quarter / dayMs));
    const now = changing.length === 0 ? steady : [...steady, ...changing.map((zone) => offsetOf(zone, quarter))];
    // What the quarter was before the time begins says nothing about the time.
    const first = Math.max(quarter, from);
    const cuts = new Set([first]);
    for (const offset of now) {
      for (const mark of marks) {
        const after = modulo(mark - (quarter + offset), dayMs);
        if (after < quarterMs && quarter + after > first) cuts.add(quarter + after);
      }
    }
    for (const at of [...cuts].sort((a, b) => a - b)) yield { at, open: now.every((offset) => isOpen(at + offset)) };
  }
}

/** The parts of a time, in seconds since 1970, in which nobody has quiet hours or a day off. */
export function openTimes(hours: ContactHours, zones: Zones, from: number, to: number): OpenTime[] {
  const found: OpenTime[] = [];
  let since: number | undefined;
  const close = (until: number): void => {
    if (since !== undefined && since < until) found.push({ from: since, to: until });
    since = undefined;
  };
  for (const { at, open } of pieces(hours, zones, from * 1000, to * 1000)) {
    const second = Math.min(to, Math.max(from, Math.ceil(at / 1000)));
    if (open) since ??= second;
    else close(second);
  }
  close(to);
  return found;
}

/** The first second from this one on that is open for everybody; undefined if there is none in the next two weeks. */
export function nextOpen(hours: ContactHours, zones: Zones, from: number): number | undefined {
  for (const { at, open } of pieces(hours, zones, from * 1000, from * 1000 + searchMs))
    if (open) return Math.max(from, Math.ceil(at / 1000));
  return undefined;
}

/** What the clock on the wall shows: `Sat 2026-11-21 08:00`. */
export function wallWords(timeZone: string, seconds: number): string {
  const wall = wallOf(timeZone, seconds * 1000);
  const day = weekdayOf(wall) ?? '';
  const text = new Date(wall).toISOString();
  return `${day.slice(0, 1).toUpperCase()}${day.slice(1)} ${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

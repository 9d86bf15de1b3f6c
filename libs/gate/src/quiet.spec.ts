import type { ContactHours, Weekday } from '@countersign/contracts';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { nextOpen, openTimes, wallWords, zoneOpenFrom, zonesOf, zonesOfAll } from './quiet.js';

const night: ContactHours = { quietHours: { from: '21:00', to: '08:00' } };
const seconds = (at: string): number => Date.parse(at) / 1000;
const instant = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at * 1000).toISOString();
const zone = (timeZone: string) => zonesOf({ version: 1, timeZone });

describe('the local clock decides', () => {
  test.each([
    ['an ordinary night', 'Europe/Berlin', '2026-11-20T20:00:00Z', '2026-11-21T07:00:00.000Z'],
    ['the night in which an hour is skipped', 'Europe/Berlin', '2026-03-28T20:00:00Z', '2026-03-29T06:00:00.000Z'],
    ['the night in which an hour comes twice', 'Europe/Berlin', '2026-10-24T19:00:00Z', '2026-10-25T07:00:00.000Z'],
    ['a zone with a quarter of an hour', 'Asia/Kathmandu', '2026-11-20T16:00:00Z', '2026-11-21T02:15:00.000Z'],
    ['a change of half an hour', 'Australia/Lord_Howe', '2026-10-03T11:00:00Z', '2026-10-03T21:00:00.000Z'],
  ])('%s', (_what, timeZone, at, opens) => {
    expect(instant(nextOpen(night, zone(timeZone), seconds(at)))).toBe(opens);
  });

  test('quiet hours that end in the skipped hour end when it is skipped, and those in the doubled hour come twice', () => {
    const short = { quietHours: { from: '01:00', to: '02:30' } };
    expect(instant(nextOpen(short, zone('Europe/Berlin'), seconds('2026-03-29T00:30:00Z')))).toBe(
      '2026-03-29T01:00:00.000Z',
    );
    expect(
      openTimes(short, zone('Europe/Berlin'), seconds('2026-10-25T00:00:00Z'), seconds('2026-10-25T02:00:00Z')).map(
        ({ from, to }) => [instant(from), instant(to)],
      ),
    ).toEqual([
      ['2026-10-25T00:30:00.000Z', '2026-10-25T01:00:00.000Z'],
      ['2026-10-25T01:30:00.000Z', '2026-10-25T02:00:00.000Z'],
    ]);
  });

  test('quiet hours that begin within the quarter of an hour that has begun count', () => {
    const hours = { quietHours: { from: '10:05', to: '10:20' } };
    expect(instant(nextOpen(hours, zone('UTC'), seconds('2026-11-20T10:07:00Z')))).toBe('2026-11-20T10:20:00.000Z');
    expect(instant(nextOpen(hours, zone('UTC'), seconds('2026-11-20T10:04:59Z')))).toBe('2026-11-20T10:04:59.000Z');
  });

  test('the day of the week is that of the place', () => {
    const hours: ContactHours = { workingDays: ['mon', 'tue', 'wed', 'thu', 'fri'] };
    // Friday evening in New York, Saturday in Berlin.
    const at = seconds('2026-11-21T02:00:00Z');
    expect(nextOpen(hours, zone('America/New_York'), at)).toBe(at);
    expect(instant(nextOpen(hours, zone('Europe/Berlin'), at))).toBe('2026-11-22T23:00:00.000Z');
    expect(wallWords('America/New_York', at)).toBe('Fri 2026-11-20 21:00');
  });
});

const everyZone = Intl.supportedValuesOf('timeZone');
const timeOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const minute = fc.integer({ min: 0, max: 1439 });

const writers = new Map<string, Intl.DateTimeFormat>();
function writerOf(timeZone: string): Intl.DateTimeFormat {
  const writer =
    writers.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  writers.set(timeZone, writer);
  return writer;
}

/** Whether it is quiet, as Intl writes the local time: another way than the one under test. */
function isQuiet({ quietHours, workingDays }: ContactHours, timeZone: string, at: number): boolean {
  const words = writerOf(timeZone).format(at * 1000);
  const [, day = '', time = ''] = /^(\w{3}),? (\d\d:\d\d)$/.exec(words) ?? [];
  if (workingDays && !workingDays.includes(day.toLowerCase() as Weekday)) return true;
  if (!quietHours) return false;
  const { from, to } = quietHours;
  return from < to ? time >= from && time < to : time >= from || time < to;
}

/** Also around the moments at which zones change their clocks. */
const moment = fc.oneof(
  fc.integer({ min: seconds('2025-01-01T00:00:00Z'), max: seconds('2028-01-01T00:00:00Z') }),
  fc
    .tuple(
      fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-04', '2026-10-03', '2026-10-25', '2026-11-01', '2026-09-05'),
      fc.integer({ min: -86_400, max: 2 * 86_400 }),
    )
    .map(([day, after]) => seconds(`${day}T00:00:00Z`) + after),
);
const hoursOf: fc.Arbitrary<ContactHours> = fc
  .tuple(minute, minute, fc.option(fc.subarray(['mon', 'wed', 'thu', 'sat', 'sun'] as Weekday[], { minLength: 1 })))
  .filter(([from, to]) => from !== to)
  .map(([from, to, days]) => ({
    quietHours: { from: timeOf(from), to: timeOf(to) },
    ...(days && { workingDays: days }),
  }));

test('in any zone, at any moment, a second is open exactly if the wall time there is', () => {
  fc.assert(
    fc.property(fc.constantFrom(...everyZone), moment, hoursOf, minute, (timeZone, from, hours, after) => {
      const times = openTimes(hours, zone(timeZone), from, from + 86_400);
      const edges = times.flatMap((time) => [time.from, time.to - 1, time.to, time.from - 1]);
      for (const at of [from, from + after * 60, ...edges].filter((at) => at >= from && at < from + 86_400)) {
        const open = times.some((time) => at >= time.from && at < time.to);
        expect(open, `${timeZone} ${instant(at)} ${JSON.stringify(hours)}`).toBe(!isQuiet(hours, timeZone, at));
      }
    }),
    { numRuns: 300 },
  );
});

test('the next open moment is open, and nothing before it is', () => {
  fc.assert(
    fc.property(fc.constantFrom(...everyZone), moment, hoursOf, (timeZone, from, hours) => {
      const next = nextOpen(hours, zone(timeZone), from);
      if (next === undefined) return;
      expect(isQuiet(hours, timeZone, next)).toBe(false);
      for (let at = from; at < Math.min(next, from + 86_400); at += 60) expect(isQuiet(hours, timeZone, at)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('of many zones together, a second is open exactly if it is in each of them', () => {
  const several = fc.oneof(
    fc.constantFrom('AU', 'BR', 'CA', 'ES', 'GL', 'MX', 'RU', 'US').map((country) => zonesOf({ version: 1, country })),
    fc.constant(zonesOf(null)),
  );
  // Short enough that some moments are open everywhere.
  const brief = fc.tuple(minute, fc.integer({ min: 1, max: 29 })).map(([from, length]) => ({
    quietHours: { from: timeOf(from), to: timeOf((from + length) % 1440) },
  }));
  fc.assert(
    fc.property(several, moment, brief, minute, (zones, from, hours, after) => {
      const times = openTimes(hours, zones, from, from + 86_400);
      const edges = times.slice(0, 6).flatMap((time) => [time.from, time.to - 1, time.to, time.from - 1]);
      for (const at of [from, from + after * 60, ...edges].filter((at) => at >= from && at < from + 86_400)) {
        const open = times.some((time) => at >= time.from && at < time.to);
        const quiet = zones.names.some((name) => isQuiet(hours, name, at));
        expect(open, `${zones.key} ${instant(at)} ${JSON.stringify(hours)}`).toBe(!quiet);
      }
      expect(nextOpen(hours, zones, from)).toBe(times[0]?.from ?? nextOpen(hours, zones, from + 86_400));
    }),
    { numRuns: 30 },
  );
});

describe('a person whose zone is not known is in every zone where they could be', () => {
  test('the zones of a country', () => {
    const spain = zonesOf({ version: 1, country: 'ES' });
    expect(spain.names).toContain('Atlantic/Canary');
    // 08:00 in Madrid is 07:00 on the Canary Islands.
    expect(instant(nextOpen(night, spain, seconds('2026-11-21T07:00:00Z')))).toBe('2026-11-21T08:00:00.000Z');
  });

  test('two people in one zone, each with its own spelling, are in one zone', () => {
    const whereabouts = { a: { version: 1, timeZone: 'Europe/Berlin' }, b: { version: 1, timeZone: 'europe/berlin' } };
    expect(zonesOfAll(['a', 'b'], whereabouts)).toMatchObject({ names: ['Europe/Berlin'], words: 'in europe/berlin' });
  });

  test('a zone that does not exist counts as none, and so does a country', () => {
    expect(zonesOf({ version: 1, timeZone: 'Europe/Atlantis', country: 'DE' }).names).toContain('Europe/Berlin');
    for (const whereabouts of [
      null,
      { version: 1 },
      { version: 1, timeZone: '\u0000', country: 'Germany' },
      { version: 1, timeZone: '+02:00', country: 'XX' },
    ])
      expect(zonesOf(whereabouts).names).toEqual(everyZone);
  });

  test('everywhere there is no moment outside of a long night, and there is one outside of a short one', () => {
    const at = seconds('2026-11-21T10:00:00Z');
    expect(nextOpen(night, zonesOf(null), at)).toBeUndefined();
    const short = { quietHours: { from: '23:55', to: '00:10' } };
    const next = nextOpen(short, zonesOf(null), at + 60);
    expect(next).toBeDefined();
    for (const name of everyZone) expect(isQuiet(short, name, next ?? 0)).toBe(false);
  });
});

test('somewhere it is no time of quiet hours, and on a Sunday at noon nowhere a working day', () => {
  const at = seconds('2026-11-20T20:00:00Z');
  const found = zoneOpenFrom(night, at, at + 7200);
  expect(openTimes(night, zone(found ?? ''), at, at + 7200)).toEqual([{ from: at, to: at + 7200 }]);
  const sunday = seconds('2026-11-22T11:30:00Z');
  expect(zoneOpenFrom({ workingDays: ['wed'] }, sunday, sunday + 60)).toBeUndefined();
});

describe('what was asked of Intl is remembered', () => {
  const asked = () => vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');

  test('a search of two weeks in every zone asks once a week and zone, and more only where a clock changes', () => {
    const calls = asked();
    // No other test looks at this year. Two weeks touch four weeks of the calendar at most.
    const at = seconds('2033-01-10T10:00:00Z');
    expect(nextOpen(night, zonesOf(null), at)).toBeUndefined();
    expect(calls.mock.calls.length).toBeLessThanOrEqual(everyZone.length * 4);
    calls.mockClear();
    const change = seconds('2033-03-25T10:00:00Z');
    expect(nextOpen(night, zonesOf(null), change)).toBeUndefined();
    // A zone that changes its clock asks twice a day of that week, and seven times on the day itself.
    expect(calls.mock.calls.length).toBeLessThanOrEqual(everyZone.length * (4 + 14 + 7));
  });

  test('a second search in the same weeks asks nothing, and a format is made once for a zone, in whatever spelling', () => {
    const at = seconds('2026-03-27T10:00:00Z');
    nextOpen(night, zonesOf(null), at);
    const calls = asked();
    const made = vi.spyOn(Intl, 'DateTimeFormat');
    expect(nextOpen(night, zonesOf(null), at + 3600)).toBeUndefined();
    for (const country of ['US', 'DE']) nextOpen(night, zonesOf({ version: 1, country }), at);
    expect(zonesOf({ version: 1, timeZone: 'eUROPE/bERLIN' }).names).toEqual(['Europe/Berlin']);
    nextOpen(night, zone('eUROPE/bERLIN'), at);
    expect(calls).not.toHaveBeenCalled();
    expect(made).toHaveBeenCalledTimes(1);
  });
});

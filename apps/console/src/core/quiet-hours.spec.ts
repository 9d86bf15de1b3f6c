import { describe, expect, test } from 'vitest';
import { quietUntil } from './quiet-hours.js';

const night = { from: '20:00', to: '07:00' };
const berlin = 'Europe/Berlin';

describe('quiet hours', () => {
  test.each([
    ['in the day', '2026-11-21T10:00:00.000Z', night, berlin, undefined],
    ['at the minute they begin', '2026-11-21T19:00:00.000Z', night, berlin, '2026-11-22T06:00:00.000Z'],
    ['a second before they begin', '2026-11-21T18:59:59.999Z', night, berlin, undefined],
    ['after midnight', '2026-11-22T02:30:12.345Z', night, berlin, '2026-11-22T06:00:00.000Z'],
    ['at the minute they end', '2026-11-22T06:00:00.000Z', night, berlin, undefined],
    ['within one day', '2026-11-22T11:30:00.000Z', { from: '12:00', to: '13:15' }, berlin, '2026-11-22T12:15:00.000Z'],
    ['where the wall shows half hours', '2026-11-21T16:00:00.000Z', night, 'Asia/Kolkata', '2026-11-22T01:30:00.000Z'],
    [
      'all the day but five minutes',
      '2026-11-21T10:00:00.000Z',
      { from: '00:00', to: '23:55' },
      'UTC',
      '2026-11-21T23:55:00.000Z',
    ],
  ] as const)('%s', (_name, at, hours, zone, expected) => {
    expect(quietUntil(at, hours, zone)).toBe(expected);
  });

  // On 29 March 2026 at 02:00 the wall in Berlin shows 03:00; on 25 October at 03:00 it shows 02:00 again.
  test.each([
    ['a night that lacks an hour ends by the wall', '2026-03-28T23:00:00.000Z', night, '2026-03-29T05:00:00.000Z'],
    [
      'an end in the hour that is skipped is not waited for',
      '2026-03-29T00:30:00.000Z',
      { from: '22:00', to: '02:30' },
      '2026-03-29T01:00:00.000Z',
    ],
    ['a night with an hour more ends by the wall', '2026-10-24T23:30:00.000Z', night, '2026-10-25T06:00:00.000Z'],
    [
      'an end in the hour that comes twice is its first',
      '2026-10-25T00:10:00.000Z',
      { from: '22:00', to: '02:30' },
      '2026-10-25T00:30:00.000Z',
    ],
    [
      'and what comes at the second is quiet again',
      '2026-10-25T01:10:00.000Z',
      { from: '22:00', to: '02:30' },
      '2026-10-25T01:30:00.000Z',
    ],
    [
      'quiet hours that begin in the hour that is skipped begin after it',
      '2026-03-29T01:00:00.000Z',
      { from: '02:30', to: '05:00' },
      '2026-03-29T03:00:00.000Z',
    ],
  ] as const)('%s', (_name, at, hours, expected) => {
    expect(quietUntil(at, hours, berlin)).toBe(expected);
  });

  test('whatever the minute of the two nights, the end is the first minute that is not quiet', () => {
    const wall = new Intl.DateTimeFormat('en-GB', { timeZone: berlin, timeStyle: 'short' });
    for (const day of ['2026-03-28', '2026-10-24']) {
      for (let minute = 0; minute < 30 * 60; minute += 7) {
        const at = new Date(Date.parse(`${day}T12:00:00.000Z`) + minute * 60_000).toISOString();
        const end = quietUntil(at, night, berlin);
        const quiet = (ms: number) => wall.format(ms) >= '20:00' || wall.format(ms) < '07:00';
        if (end === undefined) expect(quiet(Date.parse(at))).toBe(false);
        else {
          expect(quiet(Date.parse(end)), at).toBe(false);
          expect(quiet(Date.parse(end) - 60_000), at).toBe(true);
        }
      }
    }
  });
});

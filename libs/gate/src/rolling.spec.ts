import fc from 'fast-check';
import { expect, test } from 'vitest';
import { windowOf } from './rolling.js';

const hour = 3_600_000;
const now = Date.parse('2026-11-21T10:00:00.000Z');
const draw = (cap: number, amount = 1) => ({
  kind: 'send' as const,
  ledger: 'sends:a',
  holder: 'a',
  amount,
  cap,
  countsAt: new Date(now).toISOString(),
  windowMs: hour,
});
const times = fc
  .array(fc.integer({ min: -2 * hour, max: hour }), { maxLength: 30 })
  .map((offsets) => offsets.map((offset) => now + offset).sort((a, b) => a - b));

test('it counts what is later than the beginning of the window, and names the one that must leave for the next to fit', () => {
  fc.assert(
    fc.property(
      times,
      times,
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 1, max: 3 }),
      (held, committed, cap, amount) => {
        const inside = (times: readonly number[]) => times.filter((time) => time > now - hour);
        const all = [...inside(held), ...inside(committed)].sort((a, b) => a - b);
        const over = all.length + amount - cap;
        const blocking = over > 0 ? all[over - 1] : undefined;
        expect(windowOf(draw(cap, amount), { held, committed })).toEqual({
          held: inside(held).length,
          committed: inside(committed).length,
          ...(blocking !== undefined && { blocking: new Date(blocking).toISOString() }),
        });
      },
    ),
  );
});

test('a count exactly as old as the window is long counts no more', () => {
  expect(windowOf(draw(1), { held: [now - hour], committed: [] })).toEqual({ held: 0, committed: 0 });
  expect(windowOf(draw(1), { held: [now - hour + 1], committed: [] })).toMatchObject({ held: 1 });
});

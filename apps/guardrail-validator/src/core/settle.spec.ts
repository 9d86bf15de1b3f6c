import type { PermitState } from '@countersign/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle } from './settle.js';

const outcomes = ['executed', 'failed', 'refused', 'expired', 'unresolved', 'undone'] as const;
type Reservation = 'held' | 'committed' | 'released';

/** Books a sequence of settlements on one reservation of money and one count. */
const book = (sequence: readonly (typeof outcomes)[number][]) => {
  let state: PermitState = 'issued';
  const reservation: { money: Reservation; counts: Reservation } = { money: 'held', counts: 'held' };
  const left = { money: 0, counts: 0 };
  for (const outcome of sequence) {
    const settled = settle(state, outcome);
    if (!settled) continue;
    state = settled.state;
    for (const kind of ['money', 'counts'] as const) {
      const move = settled[kind];
      if (!move || reservation[kind] === 'released') continue;
      if (reservation[kind] === 'held') left[kind]++;
      reservation[kind] = move === 'commit' ? 'committed' : 'released';
    }
  }
  return { state, ...reservation, left };
};

test('[case 20] executed commits, a failure releases, unresolved holds', () => {
  expect(book(['executed'])).toMatchObject({ money: 'committed', counts: 'committed' });
  for (const outcome of ['failed', 'refused', 'expired'] as const) {
    expect(book([outcome])).toMatchObject({ money: 'released', counts: 'released', state: outcome });
  }
  expect(book(['unresolved'])).toMatchObject({ money: 'held', counts: 'held' });
  expect(book(['unresolved', 'failed'])).toMatchObject({ money: 'released' });
  expect(book(['unresolved', 'executed'])).toMatchObject({ money: 'committed' });
});

test('undone returns the money and not the touch, in whatever order it comes', () => {
  expect(book(['executed', 'undone'])).toMatchObject({ money: 'released', counts: 'committed' });
  expect(book(['undone', 'executed'])).toMatchObject({ money: 'released', counts: 'committed' });
});

test('[case 20] whatever comes, as often and in whatever order, a reservation leaves "held" at most once and never comes back', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...outcomes), { maxLength: 12 }), (sequence) => {
      const { left, money, counts } = book(sequence);
      expect(left.money).toBeLessThanOrEqual(1);
      expect(left.counts).toBeLessThanOrEqual(1);
      const decided = sequence.some((outcome) => outcome !== 'unresolved');
      expect(money === 'held').toBe(!decided);
      expect(counts === 'held').toBe(!decided);
    }),
  );
});

test('a second word about an ended permit changes nothing', () => {
  for (const first of ['executed', 'failed', 'refused', 'expired'] as const) {
    for (const second of outcomes) {
      if (first === 'executed' && second === 'undone') continue;
      expect(settle(first, second)).toBeUndefined();
    }
  }
});

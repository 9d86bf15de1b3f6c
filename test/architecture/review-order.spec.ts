import { expect, test } from 'vitest';

/* The page Reviews and `review list --by risk` have the same order. The page may not depend on what the command line depends on, so each
   has its own function, and this table is for both. */

interface Ordered {
  readonly id: string;
}
type Order = (cards: readonly object[]) => readonly Ordered[];
const now = '2026-11-21T12:00:00.000Z';
const sides: Readonly<Record<'the page' | 'the command line', () => Promise<Order>>> = {
  'the page': async () => {
    const path = '../../apps/console-web/src/pages/reviews/queue.js';
    const { inOrder } = (await import(path)) as { inOrder: (cards: readonly object[], at: number) => Ordered[] };
    return (cards) => inOrder(cards, Date.parse(now));
  },
  'the command line': async () => {
    const path = '../../apps/cli/src/core/review-order.js';
    const { byRisk } = (await import(path)) as { byRisk: (cards: readonly object[], at: string) => Ordered[] };
    return (cards) => byRisk(cards, now);
  },
};

interface Given {
  /** Until the deadline. */
  readonly minutes: number;
  readonly final?: boolean;
  readonly seniority?: string;
  readonly money?: readonly [amountMinor: number, currency: string];
  /** With `asked`, the amount of the action in the currency of the cap, where that is another one. */
  readonly caps?: readonly (readonly [cap: number, currency?: string, asked?: number])[];
}
const card = (id: string, { minutes, final = false, seniority, money, caps = [] }: Given): object => ({
  ...{ id, subject: 'proposal', deadline: new Date(Date.parse(now) + minutes * 60_000).toISOString() },
  facts: {
    ...{ people: seniority === undefined ? [] : [{ contactId: 'c', seniority }] },
    reversible: final ? 'cannot be taken back' : 'for 72 hours',
    money: money === undefined ? null : { amountMinor: money[0], currency: money[1] },
    runningTotals: caps.map(([cap, currency, asked]) => ({
      ...{ ledger: 'l', held: 0, committed: 0, cap },
      ...(currency !== undefined && { currency }),
      ...(asked !== undefined && { asked }),
    })),
  },
});
const checkpoint = (id: string, minutes: number): object => ({
  ...card(id, { minutes }),
  ...{ subject: 'checkpoint', facts: { tasks: [] } },
});

/** The cards are named in the order that is expected. */
const cases: Readonly<Record<string, readonly (readonly [string, Given])[]>> = {
  'what is due within the hour, within the day, later, and what is past': [
    ['hour', { minutes: 59 }],
    ['day', { minutes: 60 }],
    ['later', { minutes: 1440 }],
    ['past', { minutes: 0 }],
  ],
  'what cannot be taken back, whom it reaches, money, then the deadline': [
    ['final', { minutes: 50, final: true }],
    ['senior', { minutes: 40, seniority: 'vp' }],
    ['money', { minutes: 30, money: [100, 'EUR'], caps: [[100_000, 'EUR']] }],
    ['nearer', { minutes: 10, seniority: 'manager' }],
    ['later', { minutes: 20 }],
  ],
  'the larger share of the smallest cap in the same currency': [
    ['no-cap', { minutes: 50, money: [1, 'EUR'], caps: [[10], [10, 'USD']] }],
    [
      'half',
      {
        minutes: 40,
        money: [50, 'EUR'],
        caps: [
          [100, 'EUR'],
          [1_000, 'EUR'],
        ],
      },
    ],
    [
      'a-third',
      {
        minutes: 30,
        money: [3_000, 'EUR'],
        caps: [
          [9_000, 'EUR'],
          [1, 'USD'],
        ],
      },
    ],
    ['a-tenth', { minutes: 20, money: [50_000, 'EUR'], caps: [[500_000, 'EUR']] }],
    ['none', { minutes: 10 }],
  ],
  'an amount in another currency than its cap, by what it takes of the cap': [
    ['half', { minutes: 40, money: [50, 'EUR'], caps: [[100, 'EUR']] }],
    ['dollars', { minutes: 30, money: [50, 'USD'], caps: [[100, 'EUR', 40]] }],
    ['third', { minutes: 20, money: [33, 'EUR'], caps: [[99, 'EUR']] }],
  ],
  'without a cap the larger amount of one currency, and each currency for itself': [
    ['eur-more', { minutes: 30, money: [200, 'EUR'] }],
    ['eur', { minutes: 20, money: [100, 'EUR'] }],
    ['usd', { minutes: 10, money: [900, 'USD'] }],
  ],
  'the same in everything: the nearer deadline, then the id': [
    ['c', { minutes: 10, money: [5, 'EUR'], caps: [[10, 'EUR']] }],
    ['a', { minutes: 20, money: [5, 'EUR'], caps: [[10, 'EUR']] }],
    ['b', { minutes: 20, money: [5, 'EUR'], caps: [[10, 'EUR']] }],
  ],
};

const all = Object.keys(sides) as (keyof typeof sides)[];
test.each(all.flatMap((side) => Object.keys(cases).map((name) => [side, name] as const)))(
  'on %s comes first: %s',
  async (side, name) => {
    const inOrder = await sides[side]();
    const named = cases[name] ?? [];
    const cards = named.map(([id, given]) => card(id, given));
    expect(inOrder(cards.toReversed()).map(({ id }) => id)).toEqual(named.map(([id]) => id));
  },
);

test.each(all)(
  'on %s a checkpoint comes after an action with money, and before one that is not grave',
  async (side) => {
    const inOrder = await sides[side]();
    const cards = [
      card('none', { minutes: 1 }),
      checkpoint('asks', 30),
      card('money', { minutes: 40, money: [1, 'EUR'] }),
    ];
    expect(inOrder(cards).map(({ id }) => id)).toEqual(['money', 'asks', 'none']);
  },
);

import { expect, test } from 'vitest';
import { choices, filterOf, fits, gravity, inOrder, rowsOf, stateOf, withMore } from './queue.js';
import type { ReviewCard } from './reviews.queries.js';

const now = Date.parse('2026-11-21T12:00:00.000Z');
interface Given {
  readonly minutes: number;
  readonly seniority?: string;
  readonly final?: boolean;
  readonly agent?: string;
  /** In EUR, and the daily cap that it counts under. */
  readonly amount?: number;
  readonly cap?: number;
}
const card = (id: string, { minutes, seniority, final = false, agent = 'ads', amount, cap }: Given): ReviewCard =>
  ({
    id,
    subject: 'proposal',
    deadline: new Date(now + minutes * 60_000).toISOString(),
    play: { id: 'p-1', runId: 'r', title: 'Play' },
    facts: {
      agent,
      kind: 'email.send',
      accountId: 'acme',
      people: seniority === undefined ? [] : [{ contactId: 'c', seniority }],
      does: 'send an e-mail',
      money: amount === undefined ? null : { amountMinor: amount * 100, currency: 'EUR' },
      runningTotals: cap === undefined ? [] : [{ ledger: 'l', held: 0, committed: 0, cap: cap * 100, currency: 'EUR' }],
      reversible: final ? 'cannot be taken back: sent' : 'can be taken back',
    },
  }) as unknown as ReviewCard;
const ids = (cards: readonly ReviewCard[]) => cards.map(({ id }) => id);

test('what is due within the hour comes first, and in each group the graver, then the nearer', () => {
  const cards = [
    card('tomorrow', { minutes: 2_000, final: true, seniority: 'c-suite' }),
    card('today', { minutes: 300 }),
    card('today-cfo', { minutes: 600, final: true, seniority: 'c-suite' }),
    card('soon', { minutes: 50 }),
    card('sooner', { minutes: 20 }),
    card('soon-final', { minutes: 55, final: true }),
    card('over', { minutes: -5 }),
  ];
  expect(ids(inOrder(cards, now))).toEqual(['soon-final', 'sooner', 'soon', 'today-cfo', 'today', 'tomorrow', 'over']);
});

test('what cannot be taken back weighs more than who it reaches', () => {
  expect(gravity(card('a', { minutes: 1, final: true }))).toBeGreaterThan(
    gravity(card('b', { minutes: 1, seniority: 'c-suite' })),
  );
});

test('among equals the amount decides: the larger share of its cap, and what no cap bounds before it', () => {
  const cards = [
    card('small', { minutes: 10, amount: 100, cap: 10_000 }),
    card('half', { minutes: 20, amount: 50, cap: 100 }),
    card('large', { minutes: 30, amount: 900, cap: 10_000 }),
    card('none', { minutes: 5 }),
    card('unbounded', { minutes: 40, amount: 10 }),
    card('unbounded-more', { minutes: 50, amount: 20 }),
    card('final', { minutes: 55, final: true }),
  ];
  expect(ids(inOrder(cards, now))).toEqual([
    ...['final', 'unbounded-more', 'unbounded', 'half', 'large', 'small', 'none'],
  ]);
});

test('new items are counted and not put between the others; what has left stays where it stood', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => card(id, { minutes: 10 }));
  if (!a || !b || !c || !d) throw new Error('four cards');
  const { rows, more } = rowsOf([b, a], [c, { ...b, detail: 'changed' }, d]);
  expect(rows.map((row) => [row.card.id, row.card.detail, row.gone])).toEqual([
    ['b', 'changed', false],
    ['a', undefined, true],
  ]);
  expect(more).toBe(2);
});

test('a page that was asked for has each row once', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => card(id, { minutes: 10 }));
  if (!a || !b || !c) throw new Error('three cards');
  expect(ids(withMore([b, a], [a, b, c]))).toEqual(['c']);
});

test('of a page that was asked for nothing is left out where a row above was answered meanwhile', () => {
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((id) => card(id, { minutes: 10 }));
  if (!a || !b || !c || !d || !e) throw new Error('five cards');
  // Two at a time: a is gone, so c has moved to the first page, and the second one begins with d.
  expect(ids(withMore([a, b], [b, c, d, e]))).toEqual(['c', 'd', 'e']);
  // What came with a nearer deadline stays behind its button.
  expect(ids(withMore([b, c], [a, b, c, d]))).toEqual(['d']);
  expect(ids(withMore([a], [b, c]))).toEqual(['b', 'c']);
});

test('an address names a filter; what it names wrongly is left out', () => {
  expect(filterOf({ state: 'refused', agent: 'ads', kind: 3, play: '', account: 'acme' })).toEqual({
    state: 'refused',
    agent: 'ads',
    account: 'acme',
  });
  expect(filterOf({ state: 'constructor' })).toEqual({ state: 'open' });
});

test('a filter leaves what fits all of it', () => {
  const ads = card('a', { minutes: 1 });
  const mail = card('b', { minutes: 1, agent: 'mail' });
  const fitting = (filter: object) => ids([ads, mail].filter((each) => fits(each, filterOf({ ...filter }))));
  expect(fitting({})).toEqual(['a', 'b']);
  expect(fitting({ agent: 'mail', account: 'acme' })).toEqual(['b']);
  expect(fitting({ agent: 'mail', account: 'other' })).toEqual([]);
});

test('a filter offers agents, kinds, plays and accounts of the list under the names that people know', () => {
  const review = (accountId: string | null, account: string | null, title: string) => {
    const { facts, ...rest } = card('a', { minutes: 1 });
    return {
      ...rest,
      play: { ...rest.play, id: title.toLowerCase(), title },
      facts: { ...facts, accountId, account },
    } as ReviewCard;
  };
  const { agent, kind, play, account } = choices([
    review('acme', 'Acme', 'Reply'),
    review('0011', 'Lumen Health', 'Surge'),
    review('0012', 'Lumen Health', 'Surge'),
    review(null, null, 'Surge'),
    review('c-7', 'c-7', 'Surge'),
  ]);
  expect(agent).toEqual([{ value: 'ads', label: 'ads' }]);
  expect(kind).toEqual([{ value: 'email.send', label: 'Send an e-mail' }]);
  expect(play).toEqual([
    { value: 'reply', label: 'Reply' },
    { value: 'surge', label: 'Surge' },
  ]);
  expect(account).toEqual([
    { value: 'acme', label: 'Acme' },
    { value: 'c-7', label: 'c-7' },
    { value: '0011', label: 'Lumen Health (0011)' },
    { value: '0012', label: 'Lumen Health (0012)' },
  ]);
  // What the address names is there too, although no card has it.
  expect(choices([], { account: 'gone' }).account).toEqual([{ value: 'gone', label: 'gone' }]);
});

test('the state of a checkpoint is told by its tasks, that of an action by its verdict', () => {
  const words = (state: ReviewCard['state'], outcome?: 'rejected' | 'suppressed') =>
    stateOf({ subject: 'checkpoint', state, ending: outcome ? { outcome } : null });
  expect(words('approved')).toBe('The tasks went out');
  expect(words('answered')).toBe('Answered, tasks not out yet');
  expect(words('refused', 'suppressed')).toBe('Approved, but no task went out');
  expect([words('refused', 'rejected'), words('refused')]).toEqual(['Rejected', 'Rejected']);
  expect(words('expired')).toBe('Nobody answered in time');
  expect(stateOf({ subject: 'proposal', state: 'refused' })).toBe('Refused');
});

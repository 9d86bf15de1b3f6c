import { capital } from '../../parts/capital.js';
import type { ReviewCard } from './reviews.queries.js';

/** The filters of the list, as they stand in the address. */
export interface Filter {
  readonly state: 'open' | 'answered' | 'approved' | 'refused' | 'superseded' | 'expired' | 'all';
  readonly agent?: string;
  readonly kind?: string;
  readonly play?: string;
  readonly account?: string;
}
export const states = ['open', 'answered', 'approved', 'refused', 'superseded', 'expired', 'all'] as const;
export const stateWords: Readonly<Record<Filter['state'], string>> = {
  open: 'Waiting for an answer',
  answered: 'Answered, verdict to come',
  approved: 'Approved',
  refused: 'Refused',
  superseded: 'Replaced by an edit',
  expired: 'Nobody answered in time',
  all: 'All',
};
/** The state of one card. A checkpoint is about tasks, and no rule judges it. */
export function stateOf(card: Pick<ReviewCard, 'state'> & Judged): string {
  if (card.subject === 'proposal') return stateWords[card.state];
  switch (card.state) {
    case 'answered':
      return 'Answered, tasks not out yet';
    case 'approved':
      return 'The tasks went out';
    case 'refused':
      return card.ending?.outcome === 'suppressed' ? 'Approved, but no task went out' : 'Rejected';
    default:
      return stateWords[card.state];
  }
}
type Judged =
  | { readonly subject: 'proposal' }
  | { readonly subject: 'checkpoint'; readonly ending: { readonly outcome: string } | null };

const names = ['agent', 'kind', 'play', 'account'] as const;

/** The filter that an address names. Values that make no sense are left out. */
export function filterOf(search: Readonly<Record<string, unknown>>): Filter {
  const state = states.find((known) => known === search.state) ?? 'open';
  const chosen = names.flatMap((name) => {
    const value = search[name];
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
  });
  return { state, ...Object.fromEntries(chosen) };
}

type Concerned = Pick<ReviewCard, 'subject' | 'play' | 'facts'>;

/** A value that a reader can choose, under the name that people know. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

export const agentsOf = (card: Concerned): readonly string[] =>
  'agent' in card.facts ? [card.facts.agent] : card.facts.tasks.map(({ agent }) => agent);
export const kindOf = (card: Concerned): string => ('kind' in card.facts ? card.facts.kind : 'checkpoint');
const kindWords = (card: Concerned): string =>
  'kind' in card.facts ? capital(card.facts.does) : 'Let the tasks of a play go out';

export const fits = (card: Concerned, { agent, kind, play, account }: Filter): boolean =>
  (agent === undefined || agentsOf(card).includes(agent)) &&
  (kind === undefined || kindOf(card) === kind) &&
  (play === undefined || card.play.id === play) &&
  (account === undefined || card.facts.accountId === account);

/** The values that a reader can choose: those in the list, and the one that is chosen. Accounts and plays are under their names, kinds under their words. */
export function choices(
  cards: readonly Concerned[],
  chosen: Partial<Filter> = {},
): Readonly<Record<(typeof names)[number], readonly Choice[]>> {
  const offered = (
    name: (typeof names)[number],
    found: readonly (readonly [string | null, string | null])[],
  ): Choice[] => {
    const labels = new Map<string, string>();
    for (const [value, label] of found) if (value !== null) labels.set(value, label ?? value);
    const value = chosen[name];
    if (value !== undefined && !labels.has(value)) labels.set(value, value);
    return distinct([...labels].map(([id, label]) => ({ value: id, label })));
  };
  return {
    agent: offered(
      'agent',
      cards.flatMap(agentsOf).map((agent) => [agent, agent]),
    ),
    kind: offered(
      'kind',
      cards.map((card) => [kindOf(card), kindWords(card)]),
    ),
    play: offered(
      'play',
      cards.map(({ play }) => [play.id, play.title]),
    ),
    account: offered(
      'account',
      cards.map(({ facts }) => [facts.accountId, facts.account]),
    ),
  };
}

/** Sorted by name. Two with the same name have their ids beside it. */
function distinct(found: readonly Choice[]): Choice[] {
  const times = (label: string): number => found.filter((choice) => choice.label === label).length;
  return found
    .map(({ value, label }) => ({ value, label: times(label) > 1 ? `${label} (${value})` : label }))
    .sort((a, b) => a.label.localeCompare(b.label) || a.value.localeCompare(b.value));
}

export type Urgency = 'hour' | 'day' | 'later' | 'past';
const hourMs = 3_600_000;
const urgencies: readonly Urgency[] = ['hour', 'day', 'later', 'past'];

export function urgencyOf(deadline: string, now: number): Urgency {
  const left = Date.parse(deadline) - now;
  return left <= 0 ? 'past' : left < hourMs ? 'hour' : left < 24 * hourMs ? 'day' : 'later';
}

/** How much is at stake. Of two actions with nearly the same deadline, the one with more at stake comes first. */
export function gravity(card: ReviewCard): number {
  if (card.subject === 'checkpoint') return 1;
  const final = card.facts.reversible.startsWith('cannot') ? 4 : 0;
  const senior = card.facts.people.some(({ seniority }) => seniority === 'c-suite' || seniority === 'vp') ? 2 : 0;
  return final + senior + (card.facts.money ? 1 : 0);
}

/**
 * The money of an action, as a share of the cap that it takes most of. Money that no cap bounds has the largest share. Amounts
 * without a cap are compared only within a currency.
 */
function moneyOf(card: ReviewCard): { readonly share: number; readonly currency: string; readonly amount: number } {
  const sum = card.subject === 'proposal' ? card.facts.money : null;
  if (card.subject !== 'proposal' || !sum) return { share: 0, currency: '', amount: 0 };
  const shares = card.facts.runningTotals.flatMap(({ cap, currency, asked }) =>
    currency === sum.currency || asked !== undefined ? [(asked ?? sum.amountMinor) / Math.max(1, cap)] : [],
  );
  const share = shares.length === 0 ? Number.MAX_VALUE : Math.max(...shares);
  return { share, currency: sum.currency, amount: sum.amountMinor };
}

function byMoney(a: ReviewCard, b: ReviewCard): number {
  const [first, second] = [moneyOf(a), moneyOf(b)];
  return second.share - first.share || first.currency.localeCompare(second.currency) || second.amount - first.amount;
}

/** By urgency; within it the graver first, then the larger share of a cap, then the nearer deadline. `review list --by risk` is the same. */
export function inOrder(cards: readonly ReviewCard[], now: number): ReviewCard[] {
  const rank = (card: ReviewCard): number => urgencies.indexOf(urgencyOf(card.deadline, now));
  return cards.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      gravity(b) - gravity(a) ||
      byMoney(a, b) ||
      a.deadline.localeCompare(b.deadline) ||
      a.id.localeCompare(b.id),
  );
}

/** A row of the list: its content when it was added, and whether it has left the list since. */
export interface Row {
  readonly card: ReviewCard;
  readonly gone: boolean;
}

/**
 * The rows to add below those on the screen when the person asks for more: all later rows of the list. That is the page that was
 * asked for, and the rows that moved from it to an earlier page because a row above was answered in the meantime.
 */
export function withMore(shown: readonly ReviewCard[], known: readonly ReviewCard[]): readonly ReviewCard[] {
  const here = new Set(shown.map(({ id }) => id));
  return known.slice(known.findLastIndex(({ id }) => here.has(id)) + 1);
}

/** The rows in the order on the screen, with their present data. No row changes its position. */
export function rowsOf(
  shown: readonly ReviewCard[],
  known: readonly ReviewCard[],
): { readonly rows: readonly Row[]; readonly more: number } {
  const latest = new Map(known.map((card) => [card.id, card]));
  const here = new Set(shown.map(({ id }) => id));
  return {
    rows: shown.map((card) => ({ card: latest.get(card.id) ?? card, gone: !latest.has(card.id) })),
    more: known.filter(({ id }) => !here.has(id)).length,
  };
}

import { capital } from '../../parts/capital.js';
import { money } from '../../parts/money.js';
import { withNames, wordsOf } from '../../parts/named.js';
import { quoted } from '../../parts/reason.js';
import { withAccount } from '../../parts/sentence.js';
import { serviceWords } from '../../parts/services.js';
import { full } from '../../parts/times.js';
import type { Step, Story } from './stories.queries.js';

/** A line of the console as a sentence, with a capital letter at its beginning and a full stop at its end. */
export function asSentence(detail: string): string {
  const signal = /^signal (\w+) accepted, quality (\d+)$/.exec(detail);
  if (signal) return `A signal came in: ${spaced(signal[1] ?? '')} (quality ${signal[2]} of 100).`;
  const words = capital(detail);
  return /[.!?]$/.test(words) ? words : `${words}.`;
}

/** Who or what did it. */
export function doerWords({ kind, name }: Step['by']): string {
  switch (kind) {
    case 'person':
      return `${name}, a person`;
    case 'agent':
      return `${name}, an agent`;
    case 'source':
      return `reported by ${name.slice(name.lastIndexOf('/') + 1)}`;
    case 'service':
      return serviceWords(name);
    default:
      return kind satisfies never;
  }
}

export interface Rule {
  readonly rule: string;
  readonly outcome: string;
  readonly detail: string;
}

type Members = Readonly<Record<string, unknown>>;
const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};

/** The rules of a verdict. Those that decided come first. */
export function rulesOf(value: unknown): Rule[] {
  const { reasons } = membersOf(membersOf(value).verdict);
  if (!Array.isArray(reasons)) return [];
  const order = ['refuse', 'escalate', 'unclear', 'pass'];
  return reasons
    .map(membersOf)
    .flatMap(({ rule, outcome, detail }) =>
      typeof rule === 'string' && typeof outcome === 'string'
        ? [{ rule, outcome, detail: typeof detail === 'string' ? detail : '' }]
        : [],
    )
    .sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
}

/** The tier of a verdict and what decided it; undefined if it does not say. */
export function tierIn(value: unknown): string | undefined {
  const { tier, tierBy } = membersOf(membersOf(value).verdict);
  return typeof tier === 'string' && typeof tierBy === 'string' ? `${tier}, decided by ${tierBy}` : undefined;
}

export const rationaleOf = (value: unknown): string | undefined => {
  const { rationale } = membersOf(value);
  return typeof rationale === 'string' && rationale !== '' ? rationale : undefined;
};

export const digestIn = (value: unknown): string | undefined => {
  const { digest } = membersOf(value);
  return typeof digest === 'string' ? digest : undefined;
};

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** Members that the page shows elsewhere, or that are only for machines. */
const elsewhere = new Set(['verdict', 'rationale', 'digest', 'permit', 'card']);
const mostFacts = 80;

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const factWords = (part: unknown): string => {
  if (typeof part === 'boolean') return part ? 'yes' : 'no';
  return typeof part === 'string' && instant.test(part) && !Number.isNaN(Date.parse(part)) ? full(part) : String(part);
};

const minor = /Minor$/;
/** A number of minor units as money, if its currency stands beside it; anything else unchanged. */
function amountIn(beside: Members, member: string): Fact | undefined {
  const { [member]: part, currency } = beside;
  if (!minor.test(member) || typeof part !== 'number' || typeof currency !== 'string') return undefined;
  return { name: spaced(member.replace(minor, '')), value: money(part, currency) };
}

/** The facts of an event, one on each line, under their names in the event; money and times in readable form. */
export function factsOf(value: unknown): { facts: Fact[]; more: boolean } {
  const facts: Fact[] = [];
  const collect = (name: string, part: unknown): void => {
    if (part === null || part === undefined || part === '') return;
    if (Array.isArray(part)) {
      for (const [at, member] of part.entries()) collect(`${name} ${at + 1}`, member);
    } else if (typeof part === 'object') {
      collectMembers(name, membersOf(part));
    } else {
      facts.push({ name, value: factWords(part) });
    }
  };
  const collectMembers = (name: string, members: Members): void => {
    for (const [member, part] of Object.entries(members)) {
      if (name === '' && elsewhere.has(member)) continue;
      const within = (inner: string): string => (name === '' ? inner : `${name} › ${inner}`);
      const amount = amountIn(members, member);
      if (amount) facts.push({ ...amount, name: within(amount.name) });
      else collect(within(spaced(member)), part);
    }
  };
  collectMembers('', membersOf(value));
  return { facts: facts.slice(0, mostFacts), more: facts.length > mostFacts };
}

/** `fromCampaignId` as `from campaign id`. */
const spaced = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();

/** What the action does, and for whom if it concerns one person. */
export function storySentence({
  sentence,
  people,
  campaigns,
}: Pick<Story, 'sentence' | 'people' | 'campaigns'>): string {
  const words = withAccount(quoted(withNames(sentence, { campaigns })), people);
  const [only, ...others] = people;
  return only && others.length === 0 ? words.replace(/\ba contact\b/, wordsOf(only)) : words;
}

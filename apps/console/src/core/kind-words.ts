import {
  type ActionKindName,
  actionKindNames,
  own,
  type Tier,
  type TierSource,
  type Verdict,
} from '@countersign/contracts';

/** What each kind of action does, after 'it may'. Exhaustive: a new kind needs its words here. */
const kinds: Readonly<Record<ActionKindName, string>> = {
  'ads.shift_budget': 'move daily budget from one campaign to another',
  'ads.set_bid': 'set the bid of a campaign',
  'ads.pause_campaign': 'pause a campaign',
  'ads.resume_campaign': 'resume a paused campaign',
  'ads.publish_creative': 'publish an advertisement',
  'email.send': 'send an e-mail',
  'sequence.enroll': 'enrol a contact in a sequence of e-mails',
  'sequence.stop': 'stop a sequence for a contact',
  'crm.create_task': 'create a task in the CRM',
};

export const kindWords = (kind: string): string => own(kinds, kind) ?? kind;

export const tierWords: Readonly<Record<Tier, string>> = {
  auto: 'On its own, inside its limits',
  notify: 'On its own, inside its limits, and people are notified',
  approve: 'Only after a signer has agreed to each',
  suggest: 'Only after a reviewer has agreed to each',
  observe: 'Only on trial, judged and never run',
};

const tierSourceWords: Readonly<Record<TierSource, string>> = {
  charter: 'its charter',
  'first-reviewed': 'the number of its actions that people have decided',
};

/** The tier of a verdict, and what decided it; undefined if an older verdict does not say. */
export function tierShown({ tier, tierBy }: Pick<Verdict, 'tier' | 'tierBy'>) {
  return tier === null || tierBy === undefined
    ? undefined
    : { tier, by: tierBy, detail: `${tier}, decided by ${own(tierSourceWords, tierBy) ?? tierBy}` };
}

/** The kinds that are not among these. */
export const otherKinds = (allowed: Readonly<Partial<Record<ActionKindName, unknown>>>): ActionKindName[] =>
  actionKindNames.filter((kind) => own(allowed, kind) === undefined);

/** `lea, marc and tom`. */
export function list(words: readonly string[], joined: 'and' | 'or' = 'and'): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} ${joined} ${last}`;
}

export const count = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;

/** A length of time in words, exact to the second: `24 hours`, `1 hour and 30 minutes`. */
export function lasting(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
    ['second', 1],
  ] as const;
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, length] of units) {
    // A day is written as 24 hours, because a person waits for an answer in hours.
    if (unit === 'day' && left < 2 * length) continue;
    const n = Math.floor(left / length);
    if (n > 0) parts.push(count(n, unit));
    left -= n * length;
  }
  return parts.length === 0 ? 'no time' : list(parts);
}

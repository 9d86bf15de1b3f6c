import { z } from 'zod';
import { type Problem, problem } from './problem.js';

/** What a person may name by the first characters of its id. */
export const findable = ['dead-letter', 'review', 'permit', 'run'] as const;
export type Findable = (typeof findable)[number];

const words: Readonly<Record<Findable, string>> = {
  'dead-letter': 'dead letter',
  review: 'open review',
  permit: 'unresolved permit',
  run: 'run',
};

export const IdQuery = z.object({ kind: z.enum(findable), begins: z.string().min(1).max(36) });
export const IdAnswer = z.object({ id: z.uuid() });

/** At most this many ids with one beginning are looked at. */
export const mostLooked = 100;

const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const form = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx';

export interface IdRange {
  readonly first: string;
  readonly last: string;
}

/** The first and the last id with this beginning; undefined if an id cannot begin like this. */
export function rangeOf(begins: string): IdRange | undefined {
  const given = begins.toLowerCase();
  const rest = form.slice(given.length);
  const [first, last] = [given + rest.replaceAll('x', '0'), given + rest.replaceAll('x', 'f')];
  return isId.test(first) ? { first, last } : undefined;
}

export interface Candidate {
  readonly id: string;
  /** Whether it is what was asked for: for example whether a review is open. */
  readonly fits: boolean;
}

export type Found = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly problem: Problem };

/** The only candidate that fits. `candidates` has at most `mostLooked`: if there are so many, there may be more. */
export function onlyOne(kind: Findable, begins: string, candidates: readonly Candidate[]): Found {
  const [id, ...more] = new Set(candidates.flatMap((candidate) => (candidate.fits ? [candidate.id] : [])));
  const refused = (status: 400 | 404, title: string, detail: string): Found => ({
    ok: false,
    problem: problem(status, title, detail, 'begins'),
  });
  if (more.length > 0)
    return refused(400, 'Not the only one', `more than one ${words[kind]} begins with ${begins}; give more of its id`);
  if (candidates.length >= mostLooked)
    return refused(400, 'Too many begin so', `too many ids begin with ${begins} to look at each; give more of the id`);
  if (id === undefined) return refused(404, 'No such id', `no ${words[kind]} begins with ${begins}`);
  return { ok: true, id };
}

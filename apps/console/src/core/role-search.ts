import { own, type Seniority } from '@countersign/contracts';
import type { z } from 'zod';

/** A role that somebody looks for, and the account if the text names one after "of" or "at". */
export interface RoleSought {
  readonly seniority: z.infer<typeof Seniority>;
  /** In lower case; undefined for any. */
  readonly jobFunction: string | undefined;
  readonly account: string | undefined;
}

/* The words by which the pages name people: personWords of console-web, `parts/sentence.ts`. */
const chiefs: Readonly<Record<string, string>> = {
  cfo: 'finance',
  cmo: 'marketing',
  cto: 'technology',
  coo: 'operations',
};
const ranks: readonly (readonly [string, RoleSought['seniority']])[] = [
  ['executive', 'c-suite'],
  ['c-suite', 'c-suite'],
  ['vice president', 'vp'],
  ['vp', 'vp'],
  ['director', 'director'],
  ['manager', 'manager'],
  ['specialist', 'individual'],
  ['contact', 'unknown'],
];

/** Reads "CFO", "a director (sales)" or "the CFO of Lumen Health"; undefined if the text begins with no role. */
export function roleIn(text: string): RoleSought | undefined {
  const words = text
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/^(?:the|an?) /, '');
  const [, role = '', account] = /^(.+?)(?: (?:of|at) (.+))?$/.exec(words) ?? [];
  const chief = own(chiefs, role);
  if (chief !== undefined) return { seniority: 'c-suite', jobFunction: chief, account };
  const [name = '', seniority] = ranks.find(([known]) => role === known || role.startsWith(`${known} `)) ?? [];
  if (seniority === undefined) return undefined;
  const jobFunction = role.slice(name.length).replace(/[()]/g, '').trim();
  return { seniority, jobFunction: jobFunction === '' ? undefined : jobFunction, account };
}

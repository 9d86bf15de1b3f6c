import { plainText, type Seniority } from './primitives.js';

/** What may be told of a person so that a reviewer recognises them. Never a name or an address. */
export interface PersonFacts {
  readonly seniority?: Seniority | undefined;
  readonly jobFunction?: string | undefined;
  /** Of the account that the person belongs to. */
  readonly accountName?: string | undefined;
}

const longestName = 80;

/** An outsider's text inside a sentence of ours: one line, short, and nothing in it steers a terminal. */
function inert(text: string | undefined): string {
  const line = plainText((text ?? '').replace(/\s+/g, ' ').trim());
  return line.length > longestName ? `${plainText(line, longestName)}…` : line;
}

/** `c-suite, finance, at Lumen Health (contact 57a6d963-…)`. What is not known is left out. */
export function contactText(contactId: string, { seniority, jobFunction, accountName }: PersonFacts = {}): string {
  const account = inert(accountName);
  const parts = [seniority === 'unknown' ? '' : (seniority ?? ''), inert(jobFunction), account && `at ${account}`];
  return beside(parts.filter(Boolean).join(', '), `contact ${contactId}`);
}

/** `Lumen Health (account lumen-health)`, or the id alone. */
export const accountText = (accountId: string, name?: string): string => beside(inert(name), `account ${accountId}`);

const beside = (name: string, id: string): string => (name === '' ? id : `${name} (${id})`);

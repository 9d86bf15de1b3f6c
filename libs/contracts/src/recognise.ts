import { plainText, type Seniority } from './primitives.js';

/** The facts about a person by which a reviewer can recognise them. Never a name or an address. */
export interface PersonFacts {
  readonly seniority?: Seniority | undefined;
  readonly jobFunction?: string | undefined;
  /** Of the person's account. */
  readonly accountName?: string | undefined;
}

const longestName = 80;

/** An outsider's text inside a sentence of ours: one line, short, and without characters that control a terminal. */
function inert(text: string | undefined): string {
  const line = plainText((text ?? '').replace(/\s+/g, ' ').trim());
  return line.length > longestName ? `${plainText(line, longestName)}…` : line;
}

/** `c-suite, finance, at Lumen Health (contact 57a6d963-…)`. Unknown parts are left out. */
export function contactText(contactId: string, { seniority, jobFunction, accountName }: PersonFacts = {}): string {
  const account = inert(accountName);
  const parts = [seniority === 'unknown' ? '' : (seniority ?? ''), inert(jobFunction), account && `at ${account}`];
  return beside(parts.filter(Boolean).join(', '), `contact ${contactId}`);
}

/** `Lumen Health (account lumen-health)`, or the id alone. */
export const accountText = (accountId: string, name?: string): string => beside(inert(name), `account ${accountId}`);

const beside = (name: string, id: string): string => (name === '' ? id : `${name} (${id})`);

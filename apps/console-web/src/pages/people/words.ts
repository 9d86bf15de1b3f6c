import { capital } from '../../parts/capital.js';
import { personWords } from '../../parts/sentence.js';
import type { Tone } from '../../parts/standing.js';
import type { Person, PersonAction, PersonReveal, WholePerson } from './people.queries.js';

/** "The CFO of Lumen Health": words by which a reviewer recognises the person, without a name. */
export const personText = ({
  seniority,
  jobFunction,
  account,
}: Pick<Person, 'seniority' | 'jobFunction' | 'account'>): string =>
  capital(
    personWords({
      seniority,
      jobFunction: jobFunction ?? undefined,
      accountName: account?.name ?? account?.accountId ?? undefined,
    }),
  );

type Status = WholePerson['consents'][number]['status'];
export const consentWords: Readonly<Record<Status, { readonly tone: Tone; readonly words: string }>> = {
  granted: { tone: 'good', words: 'Granted' },
  withdrawn: { tone: 'bad', words: 'Withdrawn' },
  disputed: { tone: 'waiting', words: 'Disputed: two sources disagree, so nothing is sent' },
};

type Suppression = WholePerson['suppressions'][number]['reason'];
export const suppressionWords: Readonly<Record<Suppression, string>> = {
  unsubscribed: 'they unsubscribed',
  complained: 'they complained',
  'hard-bounce': 'their address does not exist',
  erased: 'their data was erased',
};

export const channelWords: Readonly<Record<'email' | 'advertising' | 'crm', string>> = {
  email: 'e-mail',
  advertising: 'advertising',
  crm: 'CRM',
};

export const touchWords: Readonly<Record<PersonAction['state'], { readonly tone: Tone; readonly words: string }>> = {
  waiting: { tone: 'waiting', words: 'Waits for a reviewer' },
  'expired-review': { tone: 'quiet', words: 'Refused: nobody answered in time' },
  refused: { tone: 'bad', words: 'Refused' },
  replaced: { tone: 'quiet', words: 'Replaced by an edited action' },
  approved: { tone: 'waiting', words: 'Approved, has not run yet' },
  executed: { tone: 'good', words: 'Done' },
  failed: { tone: 'bad', words: 'Failed in the connected system' },
  'refused-late': { tone: 'bad', words: 'Approved, then refused before it ran' },
  expired: { tone: 'quiet', words: 'Approved, and expired before it ran' },
  unresolved: { tone: 'waiting', words: 'Nobody knows yet whether it ran' },
  undone: { tone: 'quiet', words: 'Done, and undone again' },
};

export const fieldWords: Readonly<Record<PersonReveal['fields'][number], string>> = {
  name: 'Name',
  email: 'E-mail address',
  phone: 'Phone number',
};

export const purposeWords: Readonly<Record<PersonReveal['purpose'], string>> = {
  'access-request': 'The person asks what is known of them',
  'correction-request': 'The person asks for a correction',
  'erasure-request': 'The person asks to be erased',
  complaint: 'A complaint',
  incident: 'An incident, such as a message to the wrong person',
  'legal-duty': 'A legal duty, such as a court order',
};

export const revealWords: Readonly<Record<PersonReveal['state'], { readonly tone: Tone; readonly words: string }>> = {
  waiting: { tone: 'waiting', words: 'Waits for the answer' },
  sealed: { tone: 'good', words: 'Revealed to whoever asked' },
  refused: { tone: 'quiet', words: 'Nothing was revealed' },
  unanswered: { tone: 'quiet', words: 'No answer came in time' },
};

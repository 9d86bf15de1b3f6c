import type { operations } from '../generated/console.js';

type Answer = NonNullable<operations['reviews_answer']['requestBody']>['content']['application/json'];
/** Why a person rejects. */
export type Category = NonNullable<Answer['category']>;

const ofAction: Readonly<Record<Category, string>> = {
  'wrong-time': 'The wrong moment',
  'wrong-person': 'The wrong person or account',
  'wrong-content': 'The text or figure is wrong',
  'too-much': 'Too much: money, messages or pressure',
  'not-needed': 'Not needed',
  other: 'Something else',
};
/** The same reasons, of the tasks of a play. */
const ofTasks: Readonly<Record<Category, string>> = {
  ...ofAction,
  'wrong-person': 'The wrong account or campaign',
  'wrong-content': 'The tasks are wrong',
};

export const reasonsFor = (subject: 'proposal' | 'checkpoint') => (subject === 'proposal' ? ofAction : ofTasks);
export const categoryWords = (subject: 'proposal' | 'checkpoint', category: Category): string =>
  reasonsFor(subject)[category];

export const categoryOf = (name: string | undefined): Category | undefined =>
  name !== undefined && Object.hasOwn(ofAction, name) ? (name as Category) : undefined;

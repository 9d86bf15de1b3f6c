import { expect, test } from 'vitest';
import { tokensSentence } from './tokens.js';

const tokens = {
  ...{ state: 'known' as const, models: ['a-model'], calls: 3, unknownCalls: 0, input: 1200, output: 300 },
  perProposal: { input: 400, output: 100 },
};
const none = { ...tokens, models: [], calls: 0, input: null, output: null, perProposal: null };

test.each([
  [{ ...none, state: 'no-task' as const }, 'It answered no task in this time, so it took no tokens of a model.'],
  [{ ...none, state: 'no-model' as const }, 'This agent calls no model: its rules plan.'],
  [{ ...none, state: 'not-called' as const, models: ['a-model'] }, 'It did not call its model (a-model) in this time.'],
  [{ ...none, state: 'unknown' as const }, 'It plans with a model and does not say how many tokens that takes.'],
  [
    { ...none, state: 'unknown' as const, models: ['a-model'], calls: 1, unknownCalls: 1 },
    'It called its model (a-model) once. Nobody knows how many tokens that took: no answer says so.',
  ],
  [
    { ...tokens, state: 'at-least' as const, unknownCalls: 1 },
    'It called its model (a-model) 3 times and took at least 1,200 tokens in and 300 out. The tokens of 1 call are not known.',
  ],
  [
    { ...tokens, state: 'at-least' as const },
    'It called its model (a-model) 3 times and took at least 1,200 tokens in and 300 out. Some of its answers do not say what they took.',
  ],
  [tokens, 'It called its model (a-model) 3 times and took 1,200 tokens in and 300 out.'],
])('what a model took is said in words, and what nobody knows is no zero', (given, words) => {
  expect(tokensSentence(given)).toBe(words);
});

import { expect, test } from 'vitest';
import { modelUse } from './calls.js';

const calls = { calls: 1, unknownCalls: 0, inputTokens: 100, outputTokens: 50 };

test('the calls of all questions add up, under the name of the model that was asked last', () => {
  const refused = { calls: 3, unknownCalls: 2, inputTokens: 0, outputTokens: 0 };
  const questions = [
    { model: 'a-model', calls },
    { model: 'another', calls: refused },
  ];
  expect(modelUse(questions, 'a-model')).toEqual({
    name: 'another',
    calls: 4,
    unknownCalls: 2,
    inputTokens: 100,
    outputTokens: 50,
  });
});

test('a question whose end nobody wrote down is a call of unknown tokens', () => {
  expect(
    modelUse(
      [
        { model: 'a-model', calls: undefined },
        { model: 'a-model', calls },
      ],
      'a-model',
    ),
  ).toMatchObject({ calls: 2, unknownCalls: 1, inputTokens: 100, outputTokens: 50 });
});

test('a model that was not asked took nothing; where there is no model, nothing is said', () => {
  expect(modelUse([], 'a-model')).toEqual({
    name: 'a-model',
    calls: 0,
    unknownCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
  });
  expect(modelUse([], undefined)).toBeUndefined();
});

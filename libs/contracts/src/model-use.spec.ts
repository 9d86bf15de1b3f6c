import { expect, test } from 'vitest';
import { modelUseDetail } from './model-use.js';

const use = { name: 'a-model', calls: 2, unknownCalls: 0, inputTokens: 1200, outputTokens: 300 };

test.each([
  [use, 'the model a-model was called 2 times: 1200 tokens in, 300 out'],
  [{ ...use, calls: 1 }, 'the model a-model was called once: 1200 tokens in, 300 out'],
  [
    { ...use, unknownCalls: 1 },
    'the model a-model was called 2 times: at least 1200 tokens in, at least 300 out; those of 1 call are not known',
  ],
  [
    { ...use, unknownCalls: 2, inputTokens: 0, outputTokens: 0 },
    'the model a-model was called 2 times; how many tokens it took is not known',
  ],
  // A server that refused it took nothing, and that is known.
  [{ ...use, calls: 1, inputTokens: 0, outputTokens: 0 }, 'the model a-model was called once: 0 tokens in, 0 out'],
  [{ ...use, calls: 0, inputTokens: 0, outputTokens: 0 }, 'the model a-model was not called'],
])('what an answer took of a model is said in words, and what nobody knows is never zero', (given, words) => {
  expect(modelUseDetail(given)).toBe(words);
});

import { describe, expect, test } from 'vitest';
import { tokensOf } from './agent-tokens.js';

const row = { model: 'a-model', proposals: 4, calls: 5, unknownCalls: 0, inputTokens: 1000, outputTokens: 200 };
const tasks = { stage: 'tasks' as const, label: 'proposed', n: 3 };
const modelled = (n: number) => ({ stage: 'modelled' as const, label: 'proposed', n });
const none = { input: null, output: null, perProposal: null };

describe('tokens of an agent in a period', () => {
  test('are summed over its models and divided by the proposals that came of them', () => {
    const other = { ...row, model: 'another', proposals: 1, calls: 9, inputTokens: 500, outputTokens: 50 };
    expect(tokensOf([row, other], [tasks, modelled(5)])).toEqual({
      state: 'known',
      models: ['another', 'a-model'],
      calls: 14,
      unknownCalls: 0,
      input: 1500,
      output: 250,
      perProposal: { input: 300, output: 50 },
    });
  });

  test('have no average where nothing was proposed', () => {
    expect(tokensOf([{ ...row, proposals: 0 }], [tasks])).toMatchObject({ state: 'known', perProposal: null });
  });

  test('are a lower bound where a call does not say', () => {
    expect(tokensOf([{ ...row, unknownCalls: 1 }], [tasks])).toMatchObject({
      state: 'at-least',
      input: 1000,
      unknownCalls: 1,
    });
  });

  test.each([
    ['of an agent that answered no task', [], [], 'no-task'],
    ['of an agent without a model', [], [tasks], 'no-model'],
    ['of a model that was not called', [{ ...row, calls: 0, inputTokens: 0, outputTokens: 0 }], [tasks], 'not-called'],
    [
      'of calls of which no answer says anything',
      [{ ...row, unknownCalls: 5, inputTokens: 0, outputTokens: 0 }],
      [tasks],
      'unknown',
    ],
    ['of an agent that plans with a model and says nothing of tokens', [], [tasks, modelled(2)], 'unknown'],
  ])('%s are no number', (_, rows, counts, state) => {
    expect(tokensOf(rows, counts)).toMatchObject({ state, ...none });
  });

  test('are zero only where it is known: a server that refused every call', () => {
    expect(tokensOf([{ ...row, inputTokens: 0, outputTokens: 0 }], [tasks])).toMatchObject({
      state: 'known',
      input: 0,
      output: 0,
    });
  });
});

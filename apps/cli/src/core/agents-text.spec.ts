import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { type AgentPage, agentsText, agentText } from './agents-text.js';
import { now } from './given.js';

const plain = picocolors.createColors(false);
const tokens = {
  ...{ state: 'known' as const, models: ['a-model'], calls: 2, unknownCalls: 0, input: 1200, output: 300 },
  perProposal: { input: 600, output: 150 },
};
const none = { ...tokens, models: [], calls: 0, input: null, output: null, perProposal: null };

const agent = (given: AgentPage['figures']['tokens']): AgentPage => ({
  ...{ agent: 'paid-media-agent', owner: 'dana', stops: [], charter: [] },
  ...{ from: '2026-10-23', since: now, tokensSince: now },
  figures: {
    ...{ proposed: 2, approved: 1, refused: 1, escalated: 0, refusedBy: {} },
    answers: { approve: 0, edit: 0, reject: 0 },
    tokens: given,
  },
});

test('the reasons of rejections are counted beside them', () => {
  const page = agent(tokens);
  const answers = { approve: 1, edit: 0, reject: 3 };
  const figures = { ...page.figures, answers, rejectedFor: { 'too-much': 2, other: 1 } };
  expect(agentText(plain, { ...page, figures }, { actions: [], next: null })).toContain(
    'edited 0 and rejected 3 (too-much 2, other 1).',
  );
});

describe('what the model of an agent took', () => {
  test.each([
    [
      tokens,
      '1200, 300',
      'It called its model (a-model) 2 times: 1200 tokens in, 300 out. On average 600 in and 150 out',
    ],
    [
      { ...tokens, state: 'at-least' as const, unknownCalls: 1 },
      'at least 1200, 300',
      'at least 1200 tokens in and 300 out; those of 1 of the calls are not known.',
    ],
    [
      { ...none, state: 'unknown' as const, models: ['a-model'], calls: 1, unknownCalls: 1 },
      'not known',
      'It called its model (a-model) once; how many tokens that took is not known.',
    ],
    [{ ...none, state: 'no-model' as const }, 'no model', 'It calls no model: its rules plan.'],
    [{ ...none, state: 'no-task' as const }, 'none', 'It answered no task'],
    [{ ...none, state: 'not-called' as const, models: ['a-model'] }, 'none', 'It did not call its model (a-model).'],
  ])('is in the list and on its page, and what nobody knows is no zero', (given, cell, words) => {
    const page = agent(given);
    const list = agentsText(plain, { ...page, agents: [page] });
    expect(list.split('\n')[1]).toContain(`  ${cell}  `);
    expect(agentText(plain, page, { actions: [], next: null })).toContain(words);
  });
});

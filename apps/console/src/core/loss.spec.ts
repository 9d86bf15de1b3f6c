import { expect, test } from 'vitest';
import { checkpoint, escalated } from './given.js';
import { lossUnder, scopesOf } from './loss.js';

test('the scopes of an action are those that the gate checks', () => {
  const { agent, play, action } = escalated();
  expect(scopesOf(escalated()).sort()).toEqual(
    [
      'all',
      `agent:${agent}`,
      `play:${play.id}`,
      'channel:advertising',
      ...(action.accountId === undefined ? [] : [`account:${action.accountId}`]),
      `account:${(action.payload as { adAccountId: string }).adAccountId}`,
    ].sort(),
  );
});

test('the scopes of a checkpoint are those of its play, its account and its agents', () => {
  const card = checkpoint();
  expect(scopesOf(card)).toEqual(
    expect.arrayContaining(['all', `play:${card.play.id}`, ...card.tasks.map(({ agent }) => `agent:${agent}`)]),
  );
});

test.each([
  ['an action', escalated(), ['all'], /^It would be refused now and cannot be approved later\./],
  ['tasks under a stop of everything', checkpoint(), ['all'], /^No task would go out now/],
  ['tasks under a stop of their agent', checkpoint(), ['agent:paid-media-agent'], /^The tasks would go out, but/],
] as const)('%s: what would be lost', (_what, card, stopped, words) => {
  expect(lossUnder(card, stopped)).toMatch(words);
  expect(lossUnder(card, [])).toBeUndefined();
});

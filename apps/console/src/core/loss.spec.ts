import { expect, test } from 'vitest';
import { checkpoint, escalated } from './given.js';
import { lossByRules, scopesOf, underStop } from './loss.js';

const stops = (...scopes: string[]) => scopes.map((scope) => ({ scope }));

test('the scopes of an action are those that the gate checks', () => {
  const { agent, play, action } = escalated();
  expect([...scopesOf(escalated())].sort()).toEqual(
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

test('an action without accounts, or of a kind that nobody knows here, has the other scopes', () => {
  const { agent, play, action } = escalated();
  const unknown = { ...action, kind: 'crm.unknown', accountId: undefined, payload: { adAccountId: 7 } };
  expect(scopesOf(escalated({ action: unknown }))).toEqual(['all', `play:${play.id}`, `agent:${agent}`]);
});

test('the scopes of a checkpoint are those of its play, its accounts and its agents', () => {
  const card = checkpoint();
  expect(scopesOf({ ...card, accountId: 'acme' })).toEqual([
    ...['all', `play:${card.play.id}`, 'account:acme', 'account:ads-1'],
    ...card.tasks.map(({ agent }) => `agent:${agent}`),
  ]);
});

test.each([
  [
    'an action',
    escalated(),
    ['all'],
    /^If you approve it now, changed or not, it is refused and cannot be approved later\.$/,
    /^It would be refused now and cannot be approved later\. Wait for the resume, or reject it\.$/,
  ],
  [
    'tasks under a stop of their play and of their agent',
    checkpoint(),
    ['play:surge', 'agent:paid-media-agent'],
    /no task goes out, and it cannot be approved later\.$/,
    /^No task would go out now, and it cannot be approved later\. Wait for the resume/,
  ],
  [
    'tasks under a stop of their agent',
    checkpoint(),
    ['agent:paid-media-agent'],
    /the tasks go out, but/,
    /^The tasks would go out, but .* Wait for the resume/,
  ],
] as const)('%s: what an approval comes to, and what would be lost', (_what, card, scopes, approving, loss) => {
  const found = underStop(card, stops(...scopes));
  expect(found?.stops).toEqual(stops(...scopes));
  expect(found?.approving).toMatch(approving);
  expect(found?.loss).toMatch(loss);
  expect(underStop(card, [])).toBeNull();
});

test('what the rules refuse is lost, and for a stop the resume comes first', () => {
  const policy = { version: 1 };
  expect(lossByRules({ outcome: 'refused', reasons: [{ rule: 'kill-control' }], policy })).toBe(
    'It would be refused now and cannot be approved later. Wait for the resume, or reject it.',
  );
  expect(lossByRules({ outcome: 'refused', reasons: [{ rule: 'consent' }], policy })).toBe(
    'It would be refused now and cannot be approved later. Wait until the rules let it through, change it, or reject it.',
  );
});

test('nothing is lost if the rules let it through, or if the answer would be set aside', () => {
  expect(lossByRules({ outcome: 'approved', reasons: [], policy: { version: 1 } })).toBeNull();
  expect(lossByRules({ outcome: 'refused', reasons: [{ rule: 'too-late' }], policy: null })).toBeNull();
});

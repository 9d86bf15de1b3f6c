import { expect, test } from 'vitest';
import { Rules } from './policy.js';
import { rulesWith, ruleValues } from './testing.js';

test('a policy takes both values of every setting, and they are two', () => {
  for (const choice of ['given', 'another'] as const) expect(Rules.parse(rulesWith(choice))).toEqual(rulesWith(choice));
  expect(Object.keys(ruleValues).sort()).toEqual(Object.keys(Rules.shape).sort());
  for (const [name, { given, another }] of Object.entries(ruleValues)) expect(given, name).not.toEqual(another);
});

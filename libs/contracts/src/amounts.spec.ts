import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ActionKindName, actionKindNames, actionKinds } from './catalogue.js';

/** An action of each kind, from the sample of its proposal. */
const payloadOf = (kind: ActionKindName): Record<string, unknown> => {
  const file = join(import.meta.dirname, '../samples', `ActionProposed.${kind}.json`);
  return JSON.parse(readFileSync(file, 'utf8')).value.action.payload;
};
const kindsOfSamples = actionKindNames.filter(
  (kind) => !['ads.resume_campaign', 'ads.publish_creative', 'sequence.stop'].includes(kind),
);
const resume = { adAccountId: 'ads-1', campaignId: 'c-1', dailyBudgetMinor: 10_000, currency: 'EUR' };
const payloads = new Map<ActionKindName, Record<string, unknown>>([
  ...kindsOfSamples.map((kind) => [kind, payloadOf(kind)] as const),
  ['ads.resume_campaign', resume],
]);
const amounts = [...payloads].flatMap(([kind, payload]) =>
  Object.keys(payload)
    .filter((member) => member.endsWith('Minor'))
    .map((member) => [kind, member] as const),
);

test('there are kinds with an amount', () => {
  expect(amounts).toEqual(
    expect.arrayContaining([
      ['ads.shift_budget', 'amountMinor'],
      ['ads.set_bid', 'bidMinor'],
      ['ads.resume_campaign', 'dailyBudgetMinor'],
    ]),
  );
});

test.each(amounts)('%s: %s that is negative, nothing, a fraction, a text or too large is malformed', (kind, member) => {
  const payload = payloads.get(kind);
  const faultsOf = (amount: unknown): unknown[] =>
    actionKinds[kind].payload.safeParse({ ...payload, [member]: amount }).error?.issues.map(({ path }) => path) ?? [];
  expect(faultsOf(1)).toEqual([]);
  for (const amount of [-1, -1e15, 0, -0, 1.5, 2 ** 53, Number.NaN, '5', null, undefined])
    expect(faultsOf(amount), String(amount)).toEqual([[member]]);
});

import type { PolicyContent } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { content } from './given-policy.js';
import { policyDifferences } from './policy-difference.js';

const changed = (change: (content: PolicyContent) => void): PolicyContent => {
  const copy = structuredClone(content) as PolicyContent;
  change(copy);
  return copy;
};
const [charter, play, sequence] = [content.charters[0], content.plays[0], content.sequences[0]];
if (!charter || !play || !sequence) throw new Error('the policy of the tests has one of each');

test('a policy differs in nothing from itself', () => {
  expect(policyDifferences(content, structuredClone(content))).toEqual([]);
});

test('a changed setting is told with file, path, before and after; an amount in the currency of its charter', () => {
  const after = changed(({ charters, rules }) => {
    (charters[0] as typeof charter).limits.campaignSpendPerDayMinor = 60_000;
    (charters[0] as typeof charter).reviewers = ['lea'];
    rules.permitSeconds = 60;
  });
  expect(policyDifferences(content, after)).toEqual([
    { file: 'charters/paid-media-agent.yaml', path: 'reviewers', before: 'lea, marc', after: 'lea' },
    {
      file: 'charters/paid-media-agent.yaml',
      path: 'limits.campaignSpendPerDayMinor',
      before: 'EUR 500.00',
      after: 'EUR 600.00',
    },
    { file: 'rules.yaml', path: 'permitSeconds', before: '900', after: '60' },
  ]);
});

test('a part that is new or gone is one difference, with the whole of it', () => {
  const without = changed((policy) => policy.plays.splice(0, 1));
  const [gone, ...others] = policyDifferences(content, without);
  expect(others).toEqual([]);
  expect(gone).toMatchObject({ file: `plays/${play.id}.yaml`, path: '', after: null });
  expect(JSON.parse(gone?.before ?? '')).toEqual(play);
  expect(policyDifferences(without, content)).toMatchObject([{ before: null, after: gone?.before }]);
});

describe('in a list', () => {
  test('an entry that is put between others is one difference', () => {
    const step = { template: 'between', subject: 's', body: 'b', afterSeconds: 5 };
    const after = changed(({ sequences }) => (sequences[0] as typeof sequence).steps.splice(1, 0, step));
    expect(policyDifferences(content, after)).toMatchObject([
      { file: `sequences/${sequence.id}.yaml`, path: 'steps.1', before: null },
    ]);
  });

  test('of an entry that is changed only the changed setting is told', () => {
    const after = changed(({ routes }) => {
      (routes[1] as (typeof routes)[number]).connector = 'other';
    });
    expect(policyDifferences(content, after)).toEqual([
      { file: 'routes.yaml', path: '1.connector', before: 'ads', after: 'other' },
    ]);
  });

  test('equal entries at both ends are never counted twice', () => {
    const [route] = content.routes;
    if (!route) throw new Error('there is a route');
    const single = changed((policy) => policy.routes.splice(0, policy.routes.length, route));
    const double = changed((policy) => policy.routes.splice(0, policy.routes.length, route, route));
    expect(policyDifferences(single, double)).toMatchObject([{ path: '1', before: null }]);
    expect(policyDifferences(double, single)).toMatchObject([{ path: '1', after: null }]);
  });
});

test('a setting that becomes optional and is left out is null after, and nothing else differs', () => {
  const after = changed(({ charters }) => {
    delete (charters[0] as typeof charter).limits.actionsPerHour;
  });
  expect(policyDifferences(content, after)).toEqual([
    { file: 'charters/paid-media-agent.yaml', path: 'limits.actionsPerHour', before: '500', after: null },
  ]);
});

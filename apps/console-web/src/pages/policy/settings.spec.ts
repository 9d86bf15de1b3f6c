import { expect, test } from 'vitest';
import { labelOf, partOf } from './setting-labels.js';
import { type Content, filesOf, found } from './settings.js';

const content = {
  charters: [
    {
      agent: 'paid-media-agent',
      currency: 'EUR',
      limits: { adAccountSpendPerDayMinor: 150_000, sendsPerHour: 0 },
      kinds: ['ads.set_bid', 'ads.shift_budget'],
      reviewers: [],
    },
    { agent: 'b', currency: 'USD', kinds: { 'ads.pause_campaign': 'auto' } },
  ],
  plays: [
    {
      ...{ id: 'surge', title: 'Surge', trigger: { minimumSpendMinor: 10_000, where: { topic: 'pricing' } } },
      tasks: [
        { agent: 'paid-media-agent', kinds: ['email.send'] },
        { agent: 'b', settings: { sequence: 'follow-up' } },
      ],
    },
  ],
  sequences: [{ id: 'follow-up', steps: [{ template: 'guide' }] }],
  rules: { permitSeconds: 900, creativeNeedsPerson: true, prohibitedKinds: [] },
  routes: [{ kinds: ['email.send'], executor: 'action-executor' }],
} as unknown as Content;

test('a policy is read by file, each setting under its place there, in the order of the folder', () => {
  const files = filesOf(content);
  expect(files.map(({ file, page }) => [file, page?.to])).toEqual([
    ['rules.yaml', undefined],
    ['routes.yaml', undefined],
    ['charters/paid-media-agent.yaml', '/agents/paid-media-agent'],
    ['charters/b.yaml', '/agents/b'],
    ['plays/surge.yaml', '/plays/surge'],
    ['sequences/follow-up.yaml', undefined],
  ]);
  const [rules, routes, charter, , play] = files.map(({ settings }) =>
    settings.map(({ path, value }) => [path, value]),
  );
  expect(rules).toEqual([
    ['permitSeconds', '900'],
    ['creativeNeedsPerson', 'true'],
    ['prohibitedKinds', 'none'],
  ]);
  expect(routes).toEqual([
    ['0.kinds', 'email.send'],
    ['0.executor', 'action-executor'],
  ]);
  expect(charter).toEqual([
    ['agent', 'paid-media-agent'],
    ['currency', 'EUR'],
    ['limits.adAccountSpendPerDayMinor', 'EUR 1,500.00'],
    ['limits.sendsPerHour', '0'],
    ['kinds', 'ads.set_bid, ads.shift_budget'],
    ['reviewers', 'none'],
  ]);
  expect(play).toContainEqual(['tasks.1.agent', 'b']);
});

test('exchange rates are a file of their own, if there are any', () => {
  const rates = { day: '2026-11-20', maxAgeDays: 7, base: 'EUR', perBase: { USD: 1.0832 } };
  const file = filesOf({ ...content, rates }).find(({ file }) => file === 'rates.yaml');
  expect(file?.settings.map(({ path, label, value }) => [path, label, value])).toEqual([
    ['day', 'Day of the exchange rates', '2026-11-20'],
    ['maxAgeDays', 'Not used when older, in days', '7'],
    ['base', 'Currency that the rates are for one unit of', 'EUR'],
    ['perBase.USD', 'So much is one unit: USD', '1.0832'],
  ]);
  expect(filesOf(content).map(({ file }) => file)).not.toContain('rates.yaml');
});

test('an amount of a play has the currency of each agent that gets its tasks', () => {
  const spend = (shown: Content) =>
    filesOf(shown)
      .flatMap(({ settings }) => settings)
      .find(({ path }) => path === 'trigger.minimumSpendMinor')?.value;
  expect(spend(content)).toBe('EUR 100.00 or USD 100.00');
  expect(spend({ ...content, charters: content.charters.slice(0, 1) })).toBe('EUR 100.00');
  expect(spend({ ...content, charters: [] })).toBe('10000 of the smallest units of its currency, such as cents');
});

test('each setting has a label in plain words, also inside a list or under a name of its own', () => {
  const labels = filesOf(content).flatMap(({ settings }) => settings.map(({ path, label }) => [path, label]));
  for (const labelled of [
    ['permitSeconds', 'How long an approval is valid, in seconds'],
    ['0.executor', 'Route 1: Service that carries them out'],
    ['limits.sendsPerHour', 'Messages an hour, at most'],
    ['kinds.ads.pause_campaign', 'What it may do: ads.pause_campaign'],
    ['trigger.where.topic', 'The signal has: topic'],
    ['tasks.1.settings.sequence', 'Task 2: for the agent: sequence'],
  ])
    expect(labels).toContainEqual(labelled);
  expect(labels.filter(([path, label]) => path === label)).toEqual([]);
});

test('a setting of a file has its label, and a file of no part has none', () => {
  expect(partOf('rules.yaml')).toBe('rules');
  expect(partOf('plays/surge.yaml')).toBe('plays');
  expect(partOf('sources.yaml')).toBeUndefined();
  expect(labelOf('rules', 'no.such.setting')).toBeUndefined();
});

test('a search leaves the settings that have the words in their label, place or value, and whole files by their name', () => {
  const sought = (text: string) =>
    found(filesOf(content), text).map(({ file, settings }) => [file, settings.map(({ path }) => path)]);
  expect(sought('approval is valid')).toEqual([['rules.yaml', ['permitSeconds']]]);
  expect(sought('PERMIT')).toEqual([['rules.yaml', ['permitSeconds']]]);
  expect(sought('email.send')).toEqual([
    ['routes.yaml', ['0.kinds']],
    ['plays/surge.yaml', ['tasks.0.kinds']],
  ]);
  expect(sought('follow-up.yaml')).toEqual([['sequences/follow-up.yaml', ['id', 'steps.0.template']]]);
  expect(sought('nowhere')).toEqual([]);
  expect(sought('  ')).toHaveLength(6);
});

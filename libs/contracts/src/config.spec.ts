import { expect, test } from 'vitest';
import { type ConfigFile, problemLine, readConfig } from './config.js';
import { policyDigests } from './policy.js';

const deployment = { agents: ['paid-media-agent', 'sequencing-agent'], executors: ['action-executor'] };

const charter = (agent: string, kinds: string) => `
agent: ${agent}
owner: mia
reviewers: [lea]
kinds: ${kinds}
currency: EUR
timeZone: Europe/Paris
limits:
  campaignSpendPerDayMinor: 50000
  adAccountSpendPerDayMinor: 200000
  sendsPerHour: 50
  approvalAbovePercent: 20
  approvalAboveMinor: 10000
reviewWithinMinutes: 60
`;

const play = `
id: return-below-floor
title: Return below its floor
freshWithinDays: 3
trigger:
  pattern: return-below-floor
  signal: CampaignPerformanceReported
  floorPercent: 150
  withinDays: 7
  minimumSpendMinor: 10000
coolDownDays: 3
tasks:
  - agent: paid-media-agent
    purpose: Stop the loss
    kinds: [ads.pause_campaign]
    dueInMinutes: 30
`;

const sound: ConfigFile[] = [
  { path: 'charters/paid-media.yaml', text: charter('paid-media-agent', '{ ads.pause_campaign: autonomous }') },
  { path: 'charters/sequencing.yaml', text: charter('sequencing-agent', '{ sequence.enroll: supervised }') },
  { path: 'plays/floor.yaml', text: play },
  {
    path: 'sequences/follow-up.yaml',
    text: 'id: follow-up\npurpose: sales\nsteps:\n  - { template: hello, subject: Hello, body: Hello, afterSeconds: 0 }\n',
  },
  {
    path: 'rules.yaml',
    text: `
permitSeconds: 600
contactFrequency: { touches: 3, days: 7 }
firstTouchNeedsPerson: [c-suite]
prohibitedKinds: []
creativeNeedsPerson: true
maxProposalBytes: 20000
`,
  },
  {
    path: 'routes.yaml',
    text: '- { kinds: [ads.pause_campaign], executor: action-executor, connector: ads }\n- { kinds: [sequence.enroll], executor: action-executor, connector: crm }\n',
  },
  { path: 'sources.yaml', text: '- not: part of the bundle' },
];

const change = (path: string, from: string, to: string): ConfigFile[] =>
  sound.map((file) => (file.path === path ? { path, text: file.text.replace(from, to) } : file));
const linesOf = (files: readonly ConfigFile[]): string[] => {
  const read = readConfig(files, deployment);
  return read.ok ? [] : read.problems.map(problemLine);
};

test('puts the files together into one bundle whose digest does not depend on their order or names', () => {
  const one = readConfig(sound, deployment);
  const renamed = sound.map((f) => ({ ...f, path: f.path.replace('charters/paid-media', 'charters/z') })).reverse();
  const other = readConfig(renamed, deployment);
  if (!one.ok || !other.ok) throw new Error(linesOf(sound).join('\n'));
  expect(one.content.charters.map((c) => c.agent)).toEqual(['paid-media-agent', 'sequencing-agent']);
  expect(policyDigests(other.content).digest).toBe(policyDigests(one.content).digest);
});

test.each([
  [
    'a value of another type, with its line',
    'rules.yaml',
    'permitSeconds: 600',
    'permitSeconds: soon',
    'rules.yaml:2 permitSeconds: Invalid input: expected number, received string',
  ],
  [
    'a setting that does not exist',
    'rules.yaml',
    'maxProposalBytes: 20000',
    'maxProposalBytes: 20000\nmaxBytes: 1',
    'rules.yaml:8 maxBytes: is not a setting that exists',
  ],
  [
    'a missing setting, at the line of what it is missing from',
    'charters/sequencing.yaml',
    '  sendsPerHour: 50\n',
    '',
    'charters/sequencing.yaml:9 limits.sendsPerHour: Invalid input: expected number, received undefined',
  ],
  ['broken YAML', 'routes.yaml', '- {', '- [{', 'routes.yaml:2: Flow sequence in block collection must be'],
  [
    'an agent that does not exist',
    'charters/sequencing.yaml',
    'agent: sequencing-agent',
    'agent: nobody',
    'charters/sequencing.yaml:2 agent: no such agent; there is paid-media-agent, sequencing-agent',
  ],
  [
    'a time zone that does not exist',
    'charters/sequencing.yaml',
    'Europe/Paris',
    'Europe/Atlantis',
    'charters/sequencing.yaml:7 timeZone: "Europe/Atlantis" is not an IANA time zone such as Europe/Paris',
  ],
  [
    'two charters of one agent',
    'charters/sequencing.yaml',
    'agent: sequencing-agent',
    'agent: paid-media-agent',
    'charters/sequencing.yaml:2 agent: another file has "paid-media-agent" already',
  ],
  [
    "a play that uses a kind which its agent's charter does not allow",
    'plays/floor.yaml',
    'kinds: [ads.pause_campaign]',
    'kinds: [ads.set_bid]',
    'plays/floor.yaml:15 tasks.0.kinds.0: the charter of paid-media-agent does not allow ads.set_bid; it allows ads.pause_campaign',
  ],
  [
    'a play whose agent has no charter',
    'plays/floor.yaml',
    'agent: paid-media-agent',
    'agent: seo-agent',
    'plays/floor.yaml:13 tasks.0.agent: has no charter; there is paid-media-agent, sequencing-agent',
  ],
  [
    'a sequence that does not exist',
    'plays/floor.yaml',
    '    dueInMinutes: 30',
    '    dueInMinutes: 30\n    settings: { sequence: farewell }',
    'plays/floor.yaml:17 tasks.0.settings.sequence: no such sequence; there is follow-up',
  ],
  [
    'an executor that does not exist',
    'routes.yaml',
    'executor: action-executor, connector: ads',
    'executor: nobody, connector: ads',
    'routes.yaml:1 0.executor: no such executor; there is action-executor',
  ],
  [
    'an allowed kind that no route runs',
    'routes.yaml',
    '[sequence.enroll]',
    '[sequence.stop]',
    'routes.yaml:1: no route for all accounts runs sequence.enroll, which a charter allows',
  ],
  [
    'an allowed kind that is routed for some accounts only',
    'routes.yaml',
    'kinds: [sequence.enroll]',
    'accounts: [a1], kinds: [sequence.enroll]',
    'routes.yaml:1: no route for all accounts runs sequence.enroll, which a charter allows',
  ],
])('names %s', (_what, path, from, to, expected) => {
  const lines = linesOf(change(path, from, to));
  expect(
    lines.find((line) => line.startsWith(expected)),
    lines.join('\n'),
  ).toBeDefined();
});

test('names a file that is missing', () => {
  expect(linesOf(sound.filter((f) => f.path !== 'rules.yaml'))).toEqual(['rules.yaml: is missing']);
});

import { expect, test } from 'vitest';
import { readConfig } from './config.js';
import { problemLine } from './config-file.js';
import { ourAgents } from './installed.js';
import { policyDigests } from './policy.js';

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

const surge = `
id: surge
title: A surge
freshWithinDays: 8
trigger:
  pattern: distinct-contacts
  signal: ContentEngaged
  where: { topic: comparison }
  account: { tier: 1 }
  contacts: 3
  withinDays: 8
coolDownDays: 14
checkpoint: { reviewers: [marc], withinMinutes: 60 }
tasks:
  - agent: sequencing-agent
    purpose: Follow up
    kinds: [sequence.enroll]
    dueInMinutes: 30
    settings: { sequence: follow-up }
  - agent: paid-media-agent
    purpose: Be visible
    kinds: [ads.set_bid]
    dueInMinutes: 30
    settings: { adAccountId: ads-emea, bidStepPercent: 15 }
`;

const sound = [
  {
    path: 'charters/paid-media.yaml',
    text: charter('paid-media-agent', '{ ads.pause_campaign: auto, ads.set_bid: suggest }'),
  },
  { path: 'charters/sequencing.yaml', text: charter('sequencing-agent', '{ sequence.enroll: suggest }') },
  { path: 'plays/floor.yaml', text: play },
  { path: 'plays/surge.yaml', text: surge },
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
    text: '- { kinds: [ads.pause_campaign, ads.set_bid], executor: action-executor, connector: ads }\n- { kinds: [sequence.enroll], executor: action-executor, connector: crm }\n',
  },
  { path: 'people.yaml', text: 'people: [lea, marc, mia]\n' },
  {
    path: 'sources.yaml',
    text: 'sources:\n  - { name: crm, via: http, source: /sources/crm, title: CRM }\nexecutors: [action-executor, downstream]\n',
  },
  { path: 'README.md', text: 'For whoever changes this.' },
];

const change = (path: string, from: string, to: string) =>
  sound.map((file) => (file.path === path ? { path, text: file.text.replace(from, to) } : file));
const linesOf = (files: Parameters<typeof readConfig>[0]): string[] => {
  const read = readConfig(files);
  return read.ok ? [] : read.problems.map(problemLine);
};

test('puts the files together into one bundle whose digest does not depend on their order or names', () => {
  const first = readConfig(sound);
  const renamed = sound.map((f) => ({ ...f, path: f.path.replace('charters/paid-media', 'charters/z') })).reverse();
  const other = readConfig(renamed);
  if (!first.ok || !other.ok) throw new Error(linesOf(sound).join('\n'));
  expect(first.content.charters.map((c) => c.agent)).toEqual(['paid-media-agent', 'sequencing-agent']);
  expect(policyDigests(other.content).digest).toBe(policyDigests(first.content).digest);
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
    `charters/sequencing.yaml:2 agent: no such agent; there is ${ourAgents.join(', ')}`,
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
    'kinds: [ads.shift_budget]',
    'plays/floor.yaml:15 tasks.0.kinds.0: the charter of paid-media-agent does not allow ads.shift_budget; it allows ads.pause_campaign, ads.set_bid',
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

/** What somebody gets wrong: file, what was right, what stands there instead, and what must be said. */
const mistakes: readonly [path: string, from: string, to: string, detail: string][] = [
  // Routes.
  [
    'routes.yaml',
    'connector: ads',
    'connector: adz',
    'routes.yaml:1 0.connector: action-executor has no such connector; there is ads, mailer, crm, webhook; did you mean "ads"?',
  ],
  [
    'routes.yaml',
    'connector: ads',
    'connector: mailer',
    'routes.yaml:1 0.kinds.0: the connector mailer cannot run it; ads can',
  ],
  [
    'routes.yaml',
    'executor: action-executor, connector: ads',
    'executor: action-exekutor, connector: ads',
    'routes.yaml:1 0.executor: no such executor; there is action-executor, downstream; did you mean "action-executor"?',
  ],
  [
    'routes.yaml',
    '- { kinds: [sequence.enroll]',
    '- { kinds: [ads.set_bid, sequence.enroll]',
    'routes.yaml:2 1.kinds.0: is never reached: route 0 above takes ads.set_bid first',
  ],
  [
    'routes.yaml',
    '- { kinds: [sequence.enroll]',
    '- { kinds: [ads.set_bid], accounts: [a, b], executor: downstream, connector: x }\n- { kinds: [sequence.enroll]',
    'routes.yaml:2 1.kinds.0: is never reached: route 0 above takes ads.set_bid of these accounts first',
  ],
  [
    'routes.yaml',
    '- { kinds: [ads',
    '- { kinds: [ads.set_bid], accounts: [a], executor: downstream, connector: x }\n- { kinds: [ads.set_bid], accounts: [b, a], executor: downstream, connector: y }\n- { kinds: [ads',
    'routes.yaml:2 1.accounts.1: is never reached: routes above take all these kinds of this account',
  ],
  [
    'routes.yaml',
    'kinds: [sequence.enroll]',
    'accounts: ["two words"], kinds: [sequence.enroll]',
    'routes.yaml:2 1.accounts.0: no account has such an id',
  ],
  [
    'routes.yaml',
    'kinds: [sequence.enroll]',
    'accounts: [7], kinds: [sequence.enroll]',
    'routes.yaml:2 1.accounts.0: Invalid input: expected string, received number',
  ],
  [
    'routes.yaml',
    'kinds: [sequence.enroll]',
    'kinds: [sequence.enroll, sequence.enroll]',
    'routes.yaml:2 1.kinds.1: "sequence.enroll" is listed already',
  ],
  ['routes.yaml', '[sequence.enroll]', '[sequence.enrol]', 'did you mean "sequence.enroll"?'],
  [
    'routes.yaml',
    'kinds: [sequence.enroll]',
    'kindz: [sequence.enroll]',
    'routes.yaml:2 1.kindz: is not a setting that exists; did you mean "kinds"?',
  ],
  // Charters.
  [
    'charters/sequencing.yaml',
    '[lea]',
    '[laa]',
    'charters/sequencing.yaml:4 reviewers.0: people.yaml has nobody called "laa"; there is lea, marc, mia; did you mean "lea"?',
  ],
  ['charters/sequencing.yaml', '[lea]', '[]', 'charters/sequencing.yaml:4 reviewers: '],
  ['charters/sequencing.yaml', '[lea]', '[lea, lea]', 'reviewers.1: "lea" is listed already'],
  [
    'charters/sequencing.yaml',
    'owner: mia',
    'owner: mio',
    'charters/sequencing.yaml:3 owner: people.yaml has nobody called "mio"; there is lea, marc, mia; did you mean "mia"?',
  ],
  [
    'charters/sequencing.yaml',
    'agent: sequencing-agent',
    'agent: sequencing-agnt',
    `no such agent; there is ${ourAgents.join(', ')}; did you mean "sequencing-agent"?`,
  ],
  [
    'charters/sequencing.yaml',
    'currency: EUR',
    'currency: EUO',
    'charters/sequencing.yaml:6 currency: ISO 4217 has no currency EUO; did you mean "',
  ],
  ['charters/sequencing.yaml', 'Europe/Paris', 'Europe/Pariss', 'did you mean "Europe/Paris"?'],
  [
    'charters/sequencing.yaml',
    'approvalAbovePercent: 20',
    'approvalAbovePercent: -1',
    'charters/sequencing.yaml:12 limits.approvalAbovePercent: Too small',
  ],
  [
    'charters/sequencing.yaml',
    'approvalAbovePercent: 20',
    'approvalAbovePercent: 100000',
    'limits.approvalAbovePercent: 100000 is no limit any more; at most 100 is expected',
  ],
  [
    'charters/sequencing.yaml',
    'approvalAboveMinor: 10000',
    'approvalAboveMinor: 9007199254740991',
    'limits.approvalAboveMinor: 9007199254740991 is no limit any more',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHour: 50\n  agentSpendPerMonthMinor: -5',
    'charters/sequencing.yaml:12 limits.agentSpendPerMonthMinor: Too small',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHour: 50\n  agentSpendPerMonthMinor: 10.50',
    'charters/sequencing.yaml:12 limits.agentSpendPerMonthMinor: Invalid input: expected int',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHour: 50\n  campaignSpendPerMonthMinor: 2000000000000',
    'limits.campaignSpendPerMonthMinor: 2000000000000 is no limit any more; at most 1000000000000 is expected',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHour: 50\n  agentSpendPerWeekMinor: 5',
    'limits.agentSpendPerWeekMinor: is not a setting that exists; did you mean "agentSpendPerDayMinor"?',
  ],
  [
    'plays/surge.yaml',
    'settings: { sequence: follow-up }',
    'settings: { sequence: follow-up, campaignId: 9007199254740993 }',
    'plays/surge.yaml:19 tasks.0.settings.campaignId: 9007199254740993 is too large a number to be held exactly',
  ],
  [
    'plays/surge.yaml',
    'where: { topic: comparison }',
    'where: { topic: [comparison, 0x20000000000001] }',
    'plays/surge.yaml:8 trigger.where.topic.1: 0x20000000000001 is too large a number to be held exactly',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHour: 1e400',
    'charters/sequencing.yaml:11 limits.sendsPerHour: 1e400 is too large a number to be held exactly',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHour: "50"',
    'limits.sendsPerHour: Invalid input: expected number, received string; write 50 without quotes',
  ],
  [
    'charters/sequencing.yaml',
    'sendsPerHour: 50',
    'sendsPerHuor: 50',
    'limits.sendsPerHuor: is not a setting that exists; did you mean "sendsPerHour"?',
  ],
  [
    'charters/sequencing.yaml',
    '{ sequence.enroll: suggest }',
    '{ sequence.enrol: suggest }',
    'did you mean "sequence.enroll"?',
  ],
  [
    'charters/sequencing.yaml',
    'sequence.enroll: suggest',
    'sequence.enroll: sugest',
    'kinds.sequence.enroll: Invalid option: expected one of "observe"|"suggest"|"approve"|"notify"|"auto"; did you mean "suggest"?',
  ],
  [
    'charters/sequencing.yaml',
    'sequence.enroll: suggest',
    'sequence.enroll: supervised',
    'kinds.sequence.enroll: the tier "supervised" is called "suggest" now',
  ],
  [
    'charters/sequencing.yaml',
    '{ sequence.enroll: suggest }',
    '{ sequence.enroll: suggest }\nsigners: [lea]',
    'signers: no kind has the tier approve, so nobody would be asked to sign',
  ],
  [
    'charters/sequencing.yaml',
    '{ sequence.enroll: suggest }',
    '{ sequence.enroll: suggest, ads.set_bid: suggest }',
    'kinds.ads.set_bid: sequencing-agent cannot propose it',
  ],
  ['charters/paid-media.yaml', 'campaignSpendPerDayMinor: 50000', 'campaignSpendPerDayMinor: 0', ''],
  [
    'charters/paid-media.yaml',
    '{ ads.pause_campaign: auto, ads.set_bid: suggest }',
    '{ ads.pause_campaign: auto, ads.set_bid: suggest, email.send: auto }',
    'kinds.email.send: paid-media-agent cannot propose it',
  ],
  ['charters/sequencing.yaml', 'reviewWithinMinutes: 60', 'reviewWithinMinutes: 0', 'reviewWithinMinutes: Too small'],
  // Plays.
  [
    'plays/surge.yaml',
    'topic: comparison',
    'topik: comparison',
    'plays/surge.yaml:8 trigger.where.topik: is not a fact of ContentEngaged; there is contentId, topic, seconds, url; did you mean "topic"?',
  ],
  [
    'plays/surge.yaml',
    'topic: comparison',
    'topic: 7',
    'plays/surge.yaml:8 trigger.where.topic: 7 is never there: Invalid input: expected string, received number',
  ],
  ['plays/surge.yaml', 'topic: comparison', 'topic: [comparison, 7]', 'trigger.where.topic.1: 7 is never there'],
  ['plays/surge.yaml', 'topic: comparison', 'topic: []', 'trigger.where.topic: an empty list matches nothing'],
  [
    'plays/surge.yaml',
    'topic: comparison',
    '__proto__: comparison',
    'plays/surge.yaml:8: __proto__ is no name of a setting',
  ],
  [
    'plays/surge.yaml',
    'topic: comparison',
    '&again topic: comparison, *again : price',
    'plays/surge.yaml:8: the alias *again is no name of a setting',
  ],
  [
    'plays/surge.yaml',
    'topic: comparison',
    'topic: &unseen __proto__, *unseen : comparison',
    'plays/surge.yaml:8: the alias *unseen is no name of a setting',
  ],
  [
    'plays/surge.yaml',
    'topic: comparison',
    'constructor: comparison',
    'trigger.where.constructor: is not a fact of ContentEngaged',
  ],
  ['plays/surge.yaml', 'tier: 1', 'tier: "1"', 'plays/surge.yaml:9 trigger.account.tier: "1" is never there'],
  ['plays/surge.yaml', 'tier: 1', 'tier: 4', 'trigger.account.tier: 4 is never there'],
  ['plays/surge.yaml', 'tier: 1', 'country: de', 'trigger.account.country: "de" is never there: two capital letters'],
  [
    'plays/surge.yaml',
    'tier: 1',
    'tiers: 1',
    `trigger.account.tiers: is not part of an account's profile; there is accountId, name, tier, industry, country, ownerId; did you mean "tier"?`,
  ],
  [
    'plays/surge.yaml',
    'signal: ContentEngaged',
    'signal: ContentEngages',
    'trigger.signal: Invalid option: expected one of',
  ],
  [
    'plays/surge.yaml',
    'signal: ContentEngaged\n  where: { topic: comparison }',
    'signal: DealUpserted\n  where: {}',
    'trigger.signal: DealUpserted is about no contact',
  ],
  [
    'plays/surge.yaml',
    'pattern: distinct-contacts',
    'pattern: distinct-contact',
    'trigger.pattern: one of "distinct-contacts", "return-below-floor" is expected; did you mean "distinct-contacts"?',
  ],
  ['plays/surge.yaml', 'withinDays: 8', 'withinDays: -8', 'trigger.withinDays: Too small'],
  [
    'plays/surge.yaml',
    'withinDays: 8',
    'withinDay: 8',
    'trigger.withinDay: is not a setting that exists; did you mean "withinDays"?',
  ],
  ['plays/floor.yaml', 'floorPercent: 150', 'floorPercent: 150000', 'trigger.floorPercent: at most 10000 is expected'],
  ['plays/floor.yaml', 'floorPercent: 150', 'floorPercent: -1', 'trigger.floorPercent: Too small'],
  [
    'plays/surge.yaml',
    'reviewers: [marc]',
    'reviewers: [mark]',
    'checkpoint.reviewers.0: people.yaml has nobody called "mark"; there is lea, marc, mia; did you mean "marc"?',
  ],
  ['plays/surge.yaml', 'withinMinutes: 60', 'withinMinutes: 600000', 'checkpoint.withinMinutes: at most 43200'],
  ['plays/surge.yaml', 'bidStepPercent: 15', 'bidStepPercent: -15', 'tasks.1.settings.bidStepPercent: Too small'],
  ['plays/surge.yaml', 'bidStepPercent: 15', 'bidStepPercent: 1500', 'tasks.1.settings.bidStepPercent: Too big'],
  [
    'plays/surge.yaml',
    'bidStepPercent: 15',
    'bidStepPercent: "15"',
    'tasks.1.settings.bidStepPercent: Invalid input: expected number, received string',
  ],
  [
    'plays/surge.yaml',
    'bidStepPercent: 15',
    'bidStepPercents: 15',
    'tasks.1.settings.bidStepPercents: is not a setting that exists; did you mean "bidStepPercent"?',
  ],
  [
    'plays/surge.yaml',
    'bidStepPercent: 15',
    'shiftPercent: 15',
    'tasks.1.settings.shiftPercent: says nothing here: it is for ads.shift_budget, and the task has none of them',
  ],
  ['plays/surge.yaml', 'adAccountId: ads-emea, ', '', 'tasks.1.settings: name the adAccountId'],
  ['plays/surge.yaml', '    settings: { sequence: follow-up }\n', '', 'tasks.0.settings: name the sequence'],
  [
    'plays/surge.yaml',
    'sequence: follow-up',
    'sequence: folow-up',
    'no such sequence; there is follow-up; did you mean "follow-up"?',
  ],
  [
    'plays/surge.yaml',
    'kinds: [sequence.enroll]',
    'kinds: [sequence.enroll, sequence.enroll]',
    'tasks.0.kinds.1: "sequence.enroll" is listed already',
  ],
  [
    'plays/surge.yaml',
    'title: A surge',
    'title: "A surge\\nSTOPPED"',
    'plays/surge.yaml:3 title: one line is expected',
  ],
  [
    'plays/surge.yaml',
    'id: surge',
    'id: return-below-floor',
    'plays/surge.yaml:2 id: another file has "return-below-floor" already: plays/floor.yaml',
  ],
  // Sequences.
  [
    'sequences/follow-up.yaml',
    'body: Hello',
    'body: "Hello {{contact.firstname}}"',
    'sequences/follow-up.yaml:4 steps.0.body: {{contact.firstname}} cannot be filled in; there is {{contact.firstName}}, {{contact.lastName}}, {{account.name}}; did you mean "contact.firstName"?',
  ],
  [
    'sequences/follow-up.yaml',
    'subject: Hello',
    'subject: "Hello {{contact.firstName}"',
    'steps.0.subject: {{contact.firstName} cannot be filled in',
  ],
  [
    'sequences/follow-up.yaml',
    'subject: Hello',
    'subject: "Hello {{ contact.firstName }}"',
    'steps.0.subject: {{ contact.firstName }} cannot be filled in',
  ],
  [
    'sequences/follow-up.yaml',
    'subject: Hello',
    'subject: "Hello {contact.firstName}"',
    'steps.0.subject: {contact.firstName} cannot be filled in',
  ],
  ['sequences/follow-up.yaml', 'subject: Hello', 'subject: "Hello\\nBcc: x"', 'steps.0.subject: one line is expected'],
  ['sequences/follow-up.yaml', 'body: Hello', 'body: "Hello\\0"', 'steps.0.body: holds a control character'],
  [
    'sequences/follow-up.yaml',
    'afterSeconds: 0 }',
    'afterSeconds: 90 }\n  - { template: bye, subject: B, body: B, afterSeconds: 60 }',
    'steps.1.afterSeconds: is before the step above it',
  ],
  [
    'sequences/follow-up.yaml',
    'afterSeconds: 0 }',
    'afterSeconds: 0 }\n  - { template: hello, subject: B, body: B, afterSeconds: 60 }',
    'steps.1.template: step 1 is called "hello" already',
  ],
  ['sequences/follow-up.yaml', 'afterSeconds: 0', 'afterSeconds: -5', 'steps.0.afterSeconds: Too small'],
  ['sequences/follow-up.yaml', 'afterSeconds: 0', 'afterSeconds: 40000000', 'steps.0.afterSeconds: at most a year'],
  ['sequences/follow-up.yaml', 'purpose: sales', 'purpose: sale', 'did you mean "sales"?'],
  [
    'sequences/follow-up.yaml',
    'subject: Hello',
    'subject: "Hello {{{contact.firstName}}}"',
    'steps.0.subject: {{{contact.firstName}}} cannot be filled in',
  ],
  [
    'sequences/follow-up.yaml',
    'subject: Hello',
    'subject: "Hello [[contact.firstName]]"',
    'steps.0.subject: contact.firstName cannot be filled in',
  ],
  [
    'sequences/follow-up.yaml',
    'subject: Hello',
    `subject: "Hello $${'{contact.firstName}'}, {name}"`,
    'steps.0.subject: {contact.firstName} cannot be filled in',
  ],
  [
    'charters/sequencing.yaml',
    'currency: EUR',
    'currency: eur',
    'currency: three capital letters, ISO 4217; did you mean "EUR"?',
  ],
  [
    'charters/sequencing.yaml',
    'owner: mia',
    'owner: Mia',
    'owner: lower-case words joined by - or .; did you mean "mia"?',
  ],
  [
    'plays/surge.yaml',
    'tier: 1',
    'tier: gold',
    'trigger.account.tier: "gold" is never there: one of 1, 2, 3 is expected',
  ],
  [
    'plays/surge.yaml',
    'id: surge',
    'id: The Surge',
    'plays/surge.yaml:2 id: lower-case words joined by - or .; did you mean "the-surge"?',
  ],
  // Rules.
  [
    'rules.yaml',
    'maxProposalBytes: 20000',
    'maxProposalBytes: 10',
    'rules.yaml:7 maxProposalBytes: 1000 to 900000 is expected',
  ],
  ['rules.yaml', 'permitSeconds: 600', 'permitSeconds: 1', 'rules.yaml:2 permitSeconds: at least 10 is expected'],
  [
    'rules.yaml',
    'permitSeconds: 600',
    'permitSecond: 600',
    'permitSecond: is not a setting that exists; did you mean "permitSeconds"?',
  ],
  ['rules.yaml', '[c-suite]', '[c-suit]', 'did you mean "c-suite"?'],
  ['rules.yaml', 'days: 7', 'days: 0', 'contactFrequency.days: Too small'],
  [
    'rules.yaml',
    'creativeNeedsPerson: true',
    'creativeNeedsPerson: yes',
    'creativeNeedsPerson: Invalid input: expected boolean, received string',
  ],
  // YAML.
  [
    'rules.yaml',
    'permitSeconds: 600',
    'permitSeconds: 600\npermitSeconds: 60',
    'rules.yaml:3: this member is there already',
  ],
  ['rules.yaml', 'permitSeconds: 600', '---\npermitSeconds: 600\n---\na: 1', 'rules.yaml:4: holds several documents'],
  ['rules.yaml', '{ touches: 3, days: 7 }', '\n\ttouches: 3', 'rules.yaml:4: '],
  ['rules.yaml', 'permitSeconds: 600', 'permitSeconds: !secret 600', 'rules.yaml:2: Unresolved tag: !secret'],
  ['rules.yaml', 'permitSeconds: 600', 'permitSeconds: *nothing', 'rules.yaml'],
  ['rules.yaml', 'permitSeconds: 600', '7: 600', 'rules.yaml:2: 7 is no name of a setting'],
  // People and sources.
  [
    'people.yaml',
    'people: [lea, marc, mia]',
    'peple: [lea]',
    'people.yaml:1 peple: is not a setting that exists; did you mean "people"?',
  ],
  [
    'sources.yaml',
    'name: crm',
    'name: crm, vie: http',
    'sources.yaml:2 sources.0.vie: is not a setting that exists; did you mean "via"?',
  ],
];

test.each(mistakes)('%s: %j as %j is said with its place', (path, from, to, detail) => {
  const files = change(path, from, to);
  expect(files).not.toEqual(sound);
  const lines = linesOf(files);
  if (detail === '') expect(lines).toEqual([]);
  else
    expect(
      lines.filter((line) => line.includes(detail)),
      lines.join('\n'),
    ).toHaveLength(1);
});

test('a cap of nothing for a kind that takes from it is a problem', () => {
  const spends = change(
    'charters/paid-media.yaml',
    'ads.set_bid: suggest }',
    'ads.set_bid: suggest, ads.shift_budget: auto }',
  ).map((f) =>
    f.path.startsWith('charters/paid') ? { ...f, text: f.text.replace('PerDayMinor: 50000', 'PerDayMinor: 0') } : f,
  );
  expect(linesOf(spends)).toContainEqual(
    'charters/paid-media.yaml:9 limits.campaignSpendPerDayMinor: 0 leaves nothing of ads.shift_budget, which the charter allows',
  );
});

test.each([
  ['rules.yml', 'is not read: did you mean "rules.yaml"?'],
  ['rules.json', 'is not read: did you mean "rules.yaml"?'],
  ['rule.yaml', 'is not read: did you mean "rules.yaml"?'],
  ['routes.yaml.bak', 'is not read: did you mean "routes.yaml"?'],
  [
    'notes.txt',
    'is not read: there is rules.yaml, routes.yaml, people.yaml, sources.yaml, charters/, plays/, sequences/',
  ],
  ['plays/more.yml', 'is not read: its name does not end in .yaml; rename it to "plays/more.yaml", or move it away'],
  ['plays/more.json', 'is not read: its name does not end in .yaml'],
  ['plays/more.yaml.bak', 'is not read: its name does not end in .yaml; rename it to "plays/more.yaml"'],
  ['plays/.more.yaml', 'is not read: its name begins with a dot'],
  ['play/more.yaml', 'is not read: did you mean "plays/"?'],
  ['extra/more.yaml', 'is not read: there is charters/, plays/, sequences/'],
])('%s is a file that nothing reads, and is said', (path, detail) => {
  expect(linesOf([...sound, { path, text: play }])).toEqual([expect.stringContaining(`${path}: ${detail}`)]);
});

test('aliases that multiply, depth without end, and an empty file name their file', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replace(
    /./g,
    (c) =>
      `${c}: &${c} [${Array(9)
        .fill(`*${String.fromCharCode(c.charCodeAt(0) - 1)}`)
        .join(',')}]\n`,
  )}`;
  const detail = (text: string) => linesOf(sound.map((f) => (f.path === 'rules.yaml' ? { ...f, text } : f)));
  expect(detail(bomb)).toEqual([expect.stringMatching(/^rules\.yaml: its aliases .*write them out$/)]);
  expect(detail('a: &a [*a]')[0]).toMatch(/^rules\.yaml/);
  for (const open of ['[', '{a: ', '- ', '? ']) expect(detail(open.repeat(50_000))[0]).toMatch(/^rules\.yaml/);
  expect(detail('# nothing\n')).toEqual(['rules.yaml:1: is empty']);
  expect(linesOf([...sound.slice(1), { path: 'charters/x.yaml', fault: 'has 300000 bytes' }])).toContain(
    'charters/x.yaml: has 300000 bytes',
  );
});

test('a problem has its column too', () => {
  const read = readConfig(change('rules.yaml', 'touches: 3', 'touches: many'));
  expect(read).toMatchObject({ ok: false, problems: [{ file: 'rules.yaml', line: 3, column: 30 }] });
});

test('what is no fault and may be a mistake is noted', () => {
  const notes = (files: Parameters<typeof readConfig>[0]) => {
    const read = readConfig(files);
    return read.ok ? read.notes.map(problemLine) : linesOf(files);
  };
  expect(notes(sound)).toEqual([]);
  const [, , , , sequence] = sound;
  const more = {
    path: 'sequences/more.yaml',
    text: String(sequence?.text).replace('follow-up', 'more').replace('hello', 'hi'),
  };
  expect(notes([...sound, more])).toEqual(['sequences/more.yaml:1 id: no play uses this sequence']);
  const often = change(
    'sequences/follow-up.yaml',
    'afterSeconds: 0 }',
    `afterSeconds: 0 }${[1, 2, 3, 700_000]
      .map((after) => `\n  - { template: s-${after}, subject: S, body: B, afterSeconds: ${after} }`)
      .join('')}`,
  );
  expect(notes(often)).toEqual([
    'sequences/follow-up.yaml:7 steps.3.afterSeconds: is refused as contactFrequency stands: 3 in 7 days are used up before it',
  ]);
  expect(notes(change('rules.yaml', 'prohibitedKinds: []', 'prohibitedKinds: [ads.set_bid]'))).toEqual([
    'rules.yaml:5 prohibitedKinds.0: never runs, although the charter of paid-media-agent allows it',
  ]);
});

test('who is told of what is checked with the rest, and is no part of the policy', () => {
  const rule = '{ event: stop, to: [lea], by: [mail] }';
  const withRule = (to: string) => [
    ...sound,
    { path: 'notifications.yaml', text: `channels: []\nrecipients: []\ntell:\n  - ${to}\n` },
  ];
  expect(linesOf(withRule(rule))).toEqual([
    'notifications.yaml:4 tell.0.to.0: no recipient is called "lea"',
    'notifications.yaml:4 tell.0.by.0: no channel is called "mail"',
  ]);
  const empty = { path: 'notifications.yaml', text: 'channels: []\nrecipients: []\ntell: []\n' };
  const digests = [sound, [...sound, empty]].map((files) => {
    const read = readConfig(files);
    return read.ok ? policyDigests(read.content).digest : read.problems;
  });
  expect(digests[1]).toBe(digests[0]);
  const quiet = `channels:
  - { name: hook, kind: teams, webhookFile: ../hook }
recipients:
  - { name: lea, timeZone: UTC, quietHours: { from: "20:00", to: "07:00" }, addresses: [{ channel: hook }] }
tell:
  - { event: needs-review, to: [reviewers] }
`;
  const noted = readConfig([...sound, { path: 'notifications.yaml', text: quiet }]);
  expect(noted.ok && noted.notes.map(problemLine)).toContainEqual(
    expect.stringMatching(/^notifications\.yaml:4 recipients\.0\.quietHours: a review that expires/),
  );
});

test('of a charter or a sequence that is broken nothing else complains', () => {
  expect(linesOf(change('charters/paid-media.yaml', 'reviewers: [lea]', 'reviewers: lea'))).toHaveLength(1);
  expect(linesOf(change('sequences/follow-up.yaml', 'purpose: sales', 'purpose: sale'))).toHaveLength(1);
});

test('texts without placeholders may hold what texts hold', () => {
  const text = '"Hello {{contact.firstName}} of {{account.name}}, write to contact.us@example.com; 50% off, a [b] c"';
  expect(linesOf(change('sequences/follow-up.yaml', 'body: Hello', `body: ${text}`))).toEqual([]);
});

test('names a file that is missing', () => {
  expect(linesOf(sound.filter((f) => f.path !== 'rules.yaml'))).toEqual(['rules.yaml: is missing']);
});

test('of a file in which nothing fits, a hundred problems are said, and how many more there are', () => {
  const settings = Array.from({ length: 300 }, (_, i) => `setting${i}: ${i}`);
  const files = change('rules.yaml', 'creativeNeedsPerson', `${settings.join('\n')}\ncreativeNeedsPerson`);
  const lines = linesOf(files).filter((line) => line.startsWith('rules.yaml'));
  expect(lines.filter((line) => line.includes('is not a setting that exists'))).toHaveLength(100);
  expect(lines.at(-1)).toBe('rules.yaml: and 200 more problems');
});

import { randomUUID } from 'node:crypto';
import { derivedId, type EventType, type Notifications, type NotifyRule } from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { expect, test } from 'vitest';
import { approved, at, checkpoint, deadLetter, escalated } from './given.js';
import { mayGoAt, type Notification, nextTry, patience, plan } from './notify.js';
import { campaignsIn, controlThings, thingsIn } from './things.js';

const received = (type: EventType, data: unknown): Received =>
  ({ event: { type, data, source: 'x', id: 'x', time: at }, topic: 'x', partition: 0, offset: '0', key: 'k' }) as never;
const both = [{ channel: 'mail' }, { channel: 'chat' }];
const recipients = ['lea', 'tom', 'mia'].map((name) => ({ name, timeZone: 'Europe/Berlin', addresses: both }));
const withRules = (...rules: NotifyRule[]): Notifications => ({ channels: [], recipients, tell: rules });
const owners = new Map([['paid-media-agent', 'mia']]);
const planned = (rules: NotifyRule[], events: Received[], now = at) =>
  plan(withRules(...rules), thingsIn(events), owners, now);
const line = ({ event, recipient, channel, dueAt, urgent }: Notification) =>
  `${event} ${recipient} ${channel} ${dueAt.slice(11, 19)}${urgent && event === 'needs-review' ? ' urgent' : ''}`;
const lines = (...given: Parameters<typeof planned>) =>
  planned(...given)
    .map(line)
    .sort();
const review = received('ActionEscalated', escalated());

test.each<[string, NotifyRule[], string[]]>([
  [
    'every reviewer of the card who is a recipient is told at once, on each of their channels',
    [{ event: 'needs-review', to: ['reviewers'] }],
    [
      'needs-review lea chat 10:00:00',
      'needs-review lea mail 10:00:00',
      'needs-review tom chat 10:00:00',
      'needs-review tom mail 10:00:00',
    ],
  ],
  [
    'with a step the owner of the agent is told later, on the channel of the step',
    // biome-ignore lint/suspicious/noThenProperty: a word of the configuration, never awaited
    [{ event: 'needs-review', to: ['lea'], by: ['mail'], then: [{ afterMinutes: 20, to: ['owner'], by: ['chat'] }] }],
    ['needs-review lea mail 10:00:00', 'needs-review mia chat 10:20:00'],
  ],
  [
    'whoever two steps and two rules name is told once, at the earliest',
    [
      {
        event: 'needs-review',
        to: ['lea'],
        by: ['mail'],
        // biome-ignore lint/suspicious/noThenProperty: a word of the configuration, never awaited
        then: [{ afterMinutes: 5, to: ['reviewers'], by: ['mail'] }],
      },
      { event: 'needs-review', to: ['lea'], by: ['mail'] },
    ],
    ['needs-review lea mail 10:00:00', 'needs-review tom mail 10:05:00'],
  ],
  [
    'a step may pass quiet hours where the rule does not',
    [
      {
        event: 'needs-review',
        to: ['lea'],
        by: ['mail'],
        // biome-ignore lint/suspicious/noThenProperty: a word of the configuration, never awaited
        then: [{ afterMinutes: 20, to: ['owner'], by: ['mail'], urgent: true }],
      },
    ],
    ['needs-review lea mail 10:00:00', 'needs-review mia mail 10:20:00 urgent'],
  ],
  [
    'minutes before the deadline',
    [{ event: 'deadline-near', to: ['lea'], by: ['mail'], minutesBefore: 15 }],
    ['deadline-near lea mail 10:45:00'],
  ],
  [
    'a share of the time to answer',
    [{ event: 'deadline-near', to: ['lea'], by: ['mail'], shareLeft: 0.1 }],
    ['deadline-near lea mail 10:54:00'],
  ],
  [
    'a deadline nearer than that is told of at once',
    [{ event: 'deadline-near', to: ['lea'], by: ['mail'], minutesBefore: 90 }],
    ['deadline-near lea mail 10:00:00'],
  ],
  ['nobody of whom no rule speaks', [{ event: 'stop', to: ['lea'] }], []],
])('%s', (_name, rules, expected) => {
  expect(lines(rules, [review])).toEqual(expected);
});

test('the same thing read again has the same ids; the card with other content has others', () => {
  const rules: NotifyRule[] = [{ event: 'needs-review', to: ['lea'], by: ['mail'] }];
  const [first] = planned(rules, [review]);
  expect(planned(rules, [review, review]).map(({ id }) => id)).toEqual([first?.id]);
  const other = received('ActionEscalated', escalated({ digest: 'f'.repeat(64) }));
  expect(planned(rules, [other])[0]?.id).not.toBe(first?.id);
});

test('a deadline that has passed and an alarm of before yesterday are no news', () => {
  const rules: NotifyRule[] = [
    { event: 'needs-review', to: ['lea'] },
    { event: 'alarm', to: ['lea'] },
  ];
  const events = [review, received('DeadLetter', deadLetter())];
  expect(planned(rules, events)).toHaveLength(4);
  expect(planned(rules, events, '2026-11-21T11:00:00.000Z').map(({ event }) => event)).toEqual(['alarm', 'alarm']);
  expect(planned(rules, events, '2026-11-22T10:00:00.001Z')).toEqual([]);
});

test('a message of ours that could not be sent is no alarm, which could not be sent either', () => {
  const own = { ...deadLetter(), service: 'console', job: { kind: 'send-notifications', id: 'x' } };
  expect(thingsIn([received('DeadLetter', own)])).toEqual([]);
  const other = { ...own, job: { kind: 'forget-activities', id: 'x' } };
  expect(thingsIn([received('DeadLetter', other)])).toHaveLength(1);
});

test('a checkpoint asks its reviewers, and its owners are those of its agents', () => {
  const rules: NotifyRule[] = [{ event: 'needs-review', to: ['reviewers', 'owner'], by: ['mail'] }];
  expect(lines(rules, [received('TaskEscalated', checkpoint())])).toEqual([
    'needs-review lea mail 10:00:00',
    'needs-review mia mail 10:00:00',
  ]);
  const [thing] = thingsIn([received('TaskEscalated', checkpoint())]);
  expect(thing?.facts).toMatchObject({
    lines: [
      ['What', '1 task for paid-media-agent'],
      ['Why a person is asked', 'the play “Return below its floor” asks before its agents begin'],
    ],
    unanswered: 'Without an answer by then no task goes out.',
  });
});

test.each([
  [79_999, []],
  [80_000, ['budget-nearly-spent mia mail 10:00:00']],
  [100_000, ['budget-nearly-spent mia mail 10:00:00']],
])('a budget of which %i of 100000 is used on the card of an escalation', (held, expected) => {
  const total = { ledger: 'spend:ad-account:ads-1:2026-11-21', held, committed: 0, cap: 100_000, currency: 'EUR' };
  const sends = { ledger: 'sends:sequencing-agent', held: 99, committed: 0, cap: 100 };
  const card = { ...escalated().card, runningTotals: [total, sends] };
  const events = [received('ActionEscalated', escalated({ card }))];
  expect(lines([{ event: 'budget-nearly-spent', to: ['owner'], by: ['mail'], share: 0.8 }], events)).toEqual(expected);
});

test.each([
  ['notify', undefined, ['acted-alone mia mail 10:05:00']],
  ['auto', undefined, []],
  ['autonomous', undefined, []],
  ['notify', { reviewId: randomUUID(), by: 'lea', decision: 'approve' }, []],
] as const)('an action that was approved at the tier %s, with the answer %j', (tier, review, expected) => {
  const { verdict, review: _none, ...data } = approved();
  const given = { ...data, verdict: { ...verdict, tier }, ...(review && { review }) };
  const events = [received('ActionApproved', given as ReturnType<typeof approved>)];
  expect(lines([{ event: 'acted-alone', to: ['owner'], by: ['mail'] }], events)).toEqual(expected);
});

test('an approval tells of the budget too, by its reservation and the figures of its rule; a day tells once', () => {
  const figures = { amountMinor: 5_000, heldMinor: 70_000, committedMinor: 10_000, capMinor: 100_000, currency: 'EUR' };
  const reasons = [{ rule: 'spend-cap-ad-account', outcome: 'pass' as const, detail: 'x', figures }];
  const reservations = [{ ledger: 'spend:ad-account:ads-1:2026-11-21', amount: 5_000, currency: 'EUR' }];
  const data = approved({ reservations, verdict: { ...approved().verdict, reasons } });
  const rules: NotifyRule[] = [
    { event: 'budget-nearly-spent', to: ['mia'], by: ['mail'], share: 0.8 },
    { event: 'budget-nearly-spent', to: ['mia'], by: ['mail'], share: 0.95 },
  ];
  const [row, ...more] = planned(rules, [received('ActionApproved', data), received('ActionApproved', data)]);
  expect(more).toEqual([]);
  expect(row?.facts.lines).toContainEqual(['Spent or held', 'EUR 850.00 of EUR 1,000.00']);
  // An approval of another action than the proposal's own takes nothing.
  expect(thingsIn([received('ActionApproved', { ...data, actionId: derivedId('forged', 'action') })])).toEqual([]);
});

test('a control is told of at once, and that it is not confirmed after its time', () => {
  const things = controlThings({ scope: 'all', state: 'stopped', version: 3, at });
  const rules = withRules(
    { event: 'stop', to: ['mia'], by: ['chat'] },
    { event: 'alarm', to: ['mia'], by: ['chat'], confirmSeconds: 60 },
  );
  expect(plan(rules, things, owners, at).map(line).sort()).toEqual([
    'alarm mia chat 10:01:00',
    'stop mia chat 10:00:00',
  ]);
});

test('what people gave a name has it in a message, and nothing in the name becomes a link', () => {
  const title = (thing: { facts: { title: string } } | undefined) => thing?.facts.title;
  expect(title(thingsIn([review])[0])).toBe('move daily budget from one campaign to another for acme');
  expect(title(thingsIn([received('TaskEscalated', checkpoint())])[0])).toContain('the play “Return below its floor”');
  const control = { scope: 'play:return-below-floor', state: 'stopped', version: 3, at } as const;
  expect(title(controlThings(control, 'Return at www.example.com')[0])).toBe(
    'the play “Return at www․example․com” was stopped',
  );
  expect(title(controlThings(control)[0])).toBe('play return-below-floor was stopped');
});

test('a budget of a campaign has the name of the campaign of its ad account', () => {
  const total = { ledger: 'spend:campaign:c-2:2026-11-21', held: 90, committed: 0, cap: 100, currency: 'EUR' };
  const events = [received('ActionEscalated', escalated({ card: { ...escalated().card, runningTotals: [total] } }))];
  expect(campaignsIn(events)).toEqual(['campaign:ads-1 c-1', 'campaign:ads-1 c-2']);
  const limit = (key: string) =>
    thingsIn(events, new Map([[key, 'Search, DACH']]))
      .flatMap(({ facts }) => facts.lines)
      .find(([label]) => label === 'Limit')?.[1];
  expect(limit('campaign:ads-1 c-2')).toBe('campaign “Search, DACH” on 2026-11-21');
  expect(limit('campaign:ads-2 c-2')).toBe('campaign c-2 on 2026-11-21');
});

test('a control is told of without who changed it and why', () => {
  const control = { scope: 'account:ann@example.com', by: 'lea', reason: 'Ann Miller asked for it', version: 3, at };
  for (const state of ['stopped', 'running'] as const) {
    const text = JSON.stringify(controlThings({ ...control, state }).map(({ facts }) => [facts.title, facts.lines]));
    expect(text).not.toMatch(/lea|Ann|Miller|example/);
    expect(text).toContain('say who and why');
    expect(text).toContain(state === 'stopped' ? '`countersign controls`' : '`countersign controls --lifted`');
  }
});

const ended = (outcome: 'handled' | 'scheduled' | 'failed', orderedAt = at) => ({
  ...{ deadLetterId: deadLetter().deadLetterId, service: 'orchestrator', orderedAt, outcome, attempts: 4, at },
  ...(outcome === 'failed' && { fault: { code: 'replay', detail: 'ann@example.com is unknown' } }),
});

test('a dead letter that fails again is an alarm, once for each order; one that was handled is none', () => {
  const rules: NotifyRule[] = [{ event: 'alarm', to: ['lea'], by: ['mail'], kinds: ['dead-letter'] }];
  const events = (...all: object[]) => all.map((data) => received('ReplayEnded', data));
  expect(planned(rules, events(ended('handled'), ended('scheduled')))).toEqual([]);
  const again = ended('failed', '2026-11-21T09:59:00.000Z');
  const rows = planned(rules, [
    received('DeadLetter', deadLetter()),
    ...events(ended('failed'), ended('failed'), again),
  ]);
  expect(rows.map(line)).toEqual(Array(3).fill('alarm lea mail 10:00:00'));
  expect(JSON.stringify(rows)).not.toMatch(/ann@|example/);
});

test('a gap is an alarm, once however often its service reports it, and a step tells others later', () => {
  const gap = {
    ...{ service: 'orchestrator', topic: 'signals.accepted.v1', topicId: 'abc', partition: 2, from: 10, to: 20 },
    ...{ reason: 'records-deleted', noticedAt: at },
  };
  const events = ['2026-11-21T10:00:00.000Z', '2026-11-21T12:00:00.000Z'].map((time) =>
    received('GapReported', { ...gap, at: time }),
  );
  const rows = planned(
    [
      {
        event: 'alarm',
        to: ['lea'],
        by: ['mail'],
        kinds: ['gap'],
        // biome-ignore lint/suspicious/noThenProperty: a word of the configuration, never awaited
        then: [{ afterMinutes: 30, to: ['tom'], by: ['mail'] }],
      },
    ],
    events,
  );
  expect(rows.map(line).sort()).toEqual(['alarm lea mail 10:00:00', 'alarm tom mail 10:30:00']);
  expect(rows[0]?.facts.lines).toContainEqual([
    'Records',
    'signals.accepted.v1, partition 2, from offset 10 to before 20',
  ]);
});

test('a code of another service that is no word is not shown', () => {
  const rules: NotifyRule[] = [{ event: 'alarm', to: ['lea'], by: ['mail'] }];
  const letter = { ...deadLetter(), topic: 'of ann@example.com', fault: { code: 'for Ann', detail: 'x' } };
  const [row] = planned(rules, [received('DeadLetter', letter)]);
  expect(row?.facts.lines).toContainEqual(['Fault', 'a fault without a code']);
  expect(JSON.stringify(row?.facts)).not.toMatch(/Ann|ann|example/);
});

test('a budget is the same thing at each event, and each event is another occasion', () => {
  const rules: NotifyRule[] = [{ event: 'budget-nearly-spent', to: ['mia'], by: ['mail'], share: 0.8 }];
  const total = { ledger: 'spend:campaign:c:1:2026-11-21', held: 90, committed: 0, cap: 100, currency: 'EUR' };
  const rowsAt = (when: string) => {
    const card = { ...escalated().card, runningTotals: [total] };
    const data = escalated({ card, verdict: { ...escalated().verdict, at: when } });
    return planned(rules, [received('ActionEscalated', data), received('ActionEscalated', data)]);
  };
  const [[first, ...more], [second]] = [rowsAt(at), rowsAt('2026-11-21T09:00:00.000Z')];
  expect(more).toEqual([]);
  expect(second?.thing).toBe(first?.thing);
  expect(second?.id).not.toBe(first?.id);
  expect(rowsAt(at)[0]?.id).toBe(first?.id);
  expect(first?.facts.check).toEqual({
    ...{ on: 'budget', holder: 'campaign', id: 'c:1', day: '2026-11-21', agent: 'paid-media-agent' },
    ...{ capMinor: 100, currency: 'EUR', share: 0.8 },
  });
});

test('what an outsider wrote is words: no link, no address, no second line', () => {
  const card = { ...escalated().card, accountName: 'Acme\nhttps://evil.example/x <@U1> evil.example a@b.example' };
  const [row] = planned(
    [{ event: 'needs-review', to: ['lea'], by: ['mail'] }],
    [received('ActionEscalated', escalated({ card }))],
  );
  const text = JSON.stringify(row?.facts);
  for (const link of ['://', 'evil.example', '@', '\\n']) expect(text).not.toContain(link);
  expect(text).toContain('Acme');
});

const night = { timeZone: 'Europe/Berlin', quietHours: { from: '20:00', to: '07:00' } };
test.each([
  ['by day, after nothing', { urgent: false, digestMs: 300_000 }, null, at, at],
  [
    'after a message of two minutes ago',
    { urgent: false, digestMs: 300_000 },
    '2026-11-21T09:58:00.000Z',
    at,
    '2026-11-21T10:03:00.000Z',
  ],
  ['after a message of long ago', { urgent: false, digestMs: 300_000 }, '2026-11-21T08:00:00.000Z', at, at],
  ['at night', { urgent: false, digestMs: 0 }, null, '2026-11-21T22:00:00.000Z', '2026-11-22T06:00:00.000Z'],
  ['at night, urgent', { urgent: true, digestMs: 0 }, null, '2026-11-21T22:00:00.000Z', '2026-11-21T22:00:00.000Z'],
  [
    'gathered into the night',
    { urgent: false, digestMs: 300_000 },
    '2026-11-21T18:57:00.000Z',
    '2026-11-21T18:58:00.000Z',
    '2026-11-22T06:00:00.000Z',
  ],
] as const)('when what is due may go: %s', (_name, due, lastAt, now, expected) => {
  expect(mayGoAt(due, night, lastAt, now)).toBe(expected);
});

test('the pauses between tries grow, heed what a channel asks for, and end after a day', () => {
  const seconds = (tries: number, asked = 0) =>
    (Date.parse(nextTry(tries, at, at, asked) ?? '') - Date.parse(at)) / 1000;
  expect([1, 2, 3, 6, 50].map((tries) => seconds(tries))).toEqual([30, 60, 120, 900, 900]);
  expect(seconds(1, 90_000)).toBe(90);
  expect(seconds(1, 9e12)).toBe(3600);
  const last = new Date(Date.parse(at) + patience.allMs).toISOString();
  expect(nextTry(3, at, last)).toBeUndefined();
});

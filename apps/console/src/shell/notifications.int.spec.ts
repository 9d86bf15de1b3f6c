import { chmodSync, readFileSync } from 'node:fs';
import { derivedId } from '@countersign/contracts';
import { RUNTIME, type Runtime } from '@countersign/runtime';
import { createHarness, type Harness, readingToken, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { Webhook } from 'standardwebhooks';
import type { QueryRunner } from 'typeorm';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { approved, at, deadLetter, escalated, proposalId, refused, settled } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { NotificationThings1764600000901 } from './migrations/notification-things.js';
import { NotificationStore } from './notifications.repository.js';
import { httpReceiver, mailServer, notifyingFolder } from './notifying-testing.js';
import { SendNotifications } from './send-notifications.job.js';
import { StillTrue } from './still-true.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
let database: TestDatabase;
let harness: Harness;
let started: Harness | undefined;
let folder: ReturnType<typeof notifyingFolder>;
let mail: Awaited<ReturnType<typeof mailServer>>;
let web: Awaited<ReturnType<typeof httpReceiver>>;

beforeEach(async () => {
  [database, mail, web] = await Promise.all([
    copyTestDatabase(tablesOf(spec)),
    mailServer({ hideSTARTTLS: true }),
    httpReceiver(),
  ]);
  folder = notifyingFolder();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await started?.close();
  started = undefined;
  await Promise.all([database.close(), mail.close(), web.close()]);
  folder.remove();
});

const secrets = () => ({
  from: 'countersign@example.com',
  lea: 'lea.secret@example.com',
  tom: 'tom.secret@example.com',
  mia: 'mia.secret@example.com',
  hook: `${web.url}/slack-secret`,
  teams: `${web.url}/teams-secret`,
  url: `${web.url}/hook-secret`,
  key: secret,
  token: 'xoxb-secret-token',
  login: JSON.stringify(login),
});
const login = { user: 'countersign', password: 'a-secret-password' };
const mailbox = (name: string, more = '') =>
  `  - name: ${name}\n    timeZone: Europe/Berlin\n${more}    addresses: [{ channel: mail, addressFile: ../${name} }]\n`;
const config = ({ rules, recipients, channels = '', tls = 'none', more = '' }: Record<string, string>) => `channels:
  - { name: mail, kind: email, host: 127.0.0.1, port: ${mail.port}, tls: ${tls}, fromFile: ../from${more} }
${channels}recipients:
${recipients ?? mailbox('lea') + mailbox('tom')}tell:
${rules}`;
const asks = '  - { event: needs-review, to: [reviewers] }\n';

const start = async (text: string) => {
  folder.write(text, secrets());
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  started = harness;
};
const call = async (method: 'GET' | 'POST', url: string, body?: object, token = 'lea-token') => {
  const headers = { authorization: `Bearer ${token}` };
  const response = await harness.app.inject({ method, url, headers, ...(body && { payload: body }) });
  return { status: response.statusCode, body: response.json() };
};
const escalate = (...more: Parameters<typeof escalated>[0][]) =>
  harness.deliver(
    'actions.escalated.v1',
    (more.length === 0 ? [{}] : more).map((given) => ({ type: 'ActionEscalated', data: escalated(given) })),
  );
const other = (n: number) => {
  const id = derivedId('given', `proposal ${n}`);
  return { proposalId: id, actionId: derivedId('action', id) };
};
const later = async (minutes: number) => {
  harness.setNow(new Date(Date.parse(at) + minutes * 60_000).toISOString());
  return harness.runJobs();
};
const states = async () =>
  (await call('GET', '/v1/notifications')).body.notifications
    .map(
      (row: { event: string; recipient: string; state: string; detail: string | null }) =>
        `${row.event} ${row.recipient} ${row.state}${row.detail === null ? '' : `: ${row.detail}`}`,
    )
    .sort();
const messageIds = () => mail.mails.map(({ headers }) => headers.get('message-id'));

test('nothing configured: nothing is sent, nothing is kept, and the list says so', async () => {
  await start('channels: []\nrecipients: []\ntell: []\n');
  await escalate();
  await harness.runJobs();
  expect((await call('GET', '/v1/notifications')).body).toMatchObject({
    configured: false,
    notifications: [],
    next: null,
  });
  expect(await call('POST', '/v1/notifications/test', { recipient: 'lea' })).toMatchObject({ status: 404 });
  expect(mail.mails).toEqual([]);
});

test('a review is told of by mail: what, whose account, why, until when, a link, and nobody’s name or address', async () => {
  await start(config({ rules: asks }));
  const card = { ...escalated().card, accountName: 'Acme' };
  const contact = derivedId('contact', 'ann');
  const figures = { amountMinor: 60_000, aboveMinor: 10_000, currency: 'EUR' };
  const asks1 = { rule: 'budget-threshold', outcome: 'escalate' as const, detail: 'of Ann', figures };
  const asks2 = {
    ...{ rule: 'first-touch', outcome: 'escalate' as const, figures: { contact, seniority: 'c-suite' } },
    detail: `first touch of contact ${contact} (c-suite) needs a person`,
  };
  await escalate({ card, verdict: { ...escalated().verdict, reasons: [asks1, asks2] } });
  await harness.runJobs();
  expect(mail.mails.map(({ to }) => to)).toEqual(
    expect.arrayContaining([['lea.secret@example.com'], ['tom.secret@example.com']]),
  );
  expect(mail.mails).toHaveLength(2);
  expect(mail.mails[0]?.headers.get('subject')).toBe(
    'Needs your review: move daily budget from one campaign to another for Acme',
  );
  expect(mail.mails[0]?.text).toBe(
    [
      'move daily budget from one campaign to another for Acme',
      'What: move daily budget from one campaign to another, proposed by paid-media-agent',
      'Account: Acme',
      'Money: EUR 600.00',
      'Why a person is asked: a change of the daily budget by EUR 600.00 is above EUR 100.00, the most without a person',
      'Why a person is asked: a first message of this kind needs a person',
      'Answer by: 21 Nov 2026, 12:00 (Europe/Berlin). Without an answer by then it is not done.',
      `Open: https://console.example.com/reviews/${proposalId}`,
      '',
    ].join('\n'),
  );
  expect(await states()).toEqual(['needs-review lea sent', 'needs-review tom sent']);
});

test('the same thing read twice, and jobs run again, send no second message', async () => {
  await start(config({ rules: asks }));
  const records = harness.records('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated() }]);
  await harness.deliverRecords('actions.escalated.v1', records);
  await escalate();
  await later(0);
  await harness.deliverRecords('actions.escalated.v1', records);
  await escalate();
  await later(30);
  expect(mail.mails).toHaveLength(2);
});

test('after a crash between the sending and its mark it goes again, with the same Message-ID', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  const store = harness.app.get(NotificationStore);
  const mark = vi.spyOn(store, 'endMessage').mockImplementationOnce(() => {
    throw Object.assign(new Error('Connection terminated'), { code: 'ECONNRESET' });
  });
  await escalate();
  await harness.runJobs();
  expect(mail.mails).toHaveLength(1);
  expect(await states()).toEqual(['needs-review lea waiting']);
  mark.mockRestore();
  // The lease of who died has run out.
  await harness.query(`UPDATE jobs SET lease_until = NULL`);
  await harness.runJobs();
  const [first, second] = messageIds();
  expect(first).toMatch(/^<[0-9a-f-]{36}@example\.com>$/);
  expect([second, mail.mails.length]).toEqual([first, 2]);
  expect(await states()).toEqual(['needs-review lea sent']);
});

test('what a mail server does not take now goes later, under the same id; meanwhile the health page tells of it', async () => {
  const reading = readingToken();
  onTestFinished(() => reading.remove());
  const troubles = async () =>
    JSON.stringify((await harness.app.inject({ url: '/health', headers: reading.headers })).json());
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  mail.state.answer = () => (mail.state.tries < 3 ? 451 : undefined);
  await escalate();
  for (const minutes of [0, 0.4]) await later(minutes);
  expect([mail.state.tries, mail.mails.length]).toEqual([1, 0]);
  expect(await troubles()).toContain('the mail server does not take it now (451)');
  await later(0.6);
  await later(2);
  expect(await troubles()).not.toContain('mail server');
  expect([mail.state.tries, mail.mails.length]).toEqual([3, 1]);
  expect(await states()).toEqual(['needs-review lea sent']);
});

test('a wrong login holds a message up and loses none; the health page names the channel, and a mended login sends it', async () => {
  const reading = readingToken();
  onTestFinished(() => reading.remove());
  await mail.close();
  mail = await mailServer({ hideSTARTTLS: true, login: { ...login, password: 'another' } });
  await start(config({ rules: asks, recipients: mailbox('lea'), more: ', loginFile: ../login' }));
  await escalate();
  await later(0);
  expect([mail.state.logins, mail.mails, await states()]).toEqual([1, [], ['needs-review lea waiting']]);
  const health = (await harness.app.inject({ url: '/health', headers: reading.headers })).json();
  expect(JSON.stringify(health)).toContain('"mail":"the mail server does not accept the login (535)"');
  mail.state.login = login;
  await later(1);
  expect([mail.sessions, await states()]).toEqual([
    [{ secure: false, user: 'countersign' }],
    ['needs-review lea sent'],
  ]);
});

test('rows of before hold no texts of rules and people any more', async () => {
  await start(config({ rules: asks }));
  const migration = new NotificationThings1764600000901();
  const database = { query: (sql: string) => harness.query(sql) } as unknown as QueryRunner;
  await migration.down(database);
  const lines = [
    ['What', 'an e-mail'],
    ['Why a person is asked', 'first touch of contact 1 (c-suite) needs a person'],
    ['Who', 'lea'],
    ['Why', 'Ann asked for it'],
    ['What to do', 'look'],
  ];
  const facts = (all: readonly (readonly string[])[]) =>
    JSON.stringify({ title: 'x', lines: all, path: '/', check: { on: 'nothing' } });
  for (const [n, all] of [lines, [lines[0] ?? []], []].entries())
    await harness.query(
      `INSERT INTO notifications (notification_id, event, thing, recipient, channel, facts, urgent, digest_ms, due_at, made_at)
       VALUES (gen_random_uuid(), 'stop', 'thing ${n}', 'lea', 'mail', '${facts(all)}', false, 0, '${at}', '${at}')`,
    );
  await migration.up(database);
  expect(await harness.query(`SELECT facts->'lines' AS lines FROM notifications ORDER BY thing`)).toEqual([
    { lines: [lines[0], lines[4]] },
    { lines: [lines[0]] },
    { lines: [] },
  ]);
});

test('a server that has no STARTTLS gets nothing where it is asked for', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea'), tls: 'starttls' }));
  await escalate();
  for (let minute = 0; minute < 50; minute++) expect(await later(minute)).toEqual([]);
  expect([mail.state.tries, mail.mails.length]).toEqual([0, 0]);
  expect(await states()).toEqual(['needs-review lea waiting']);
});

test('what a mail server refuses for good is asked once, is a dead letter in our words, and a replay sends it', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  const logged = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write'), vi.spyOn(console, 'error')];
  mail.state.answer = () => 550;
  await escalate();
  const dead = [];
  for (let minute = 0; minute < 50; minute++) dead.push(...(await later(minute)));
  expect(mail.state.tries).toBe(1);
  expect(dead).toMatchObject([
    {
      type: 'DeadLetter',
      data: {
        job: { kind: 'send-notifications' },
        fault: { detail: 'the mail server refused it for good (550): see its log' },
      },
    },
  ]);
  expect(await states()).toEqual(['needs-review lea failed: the mail server refused it for good (550): see its log']);
  for (const spy of logged) expect(JSON.stringify(spy.mock.calls)).not.toContain('secret');

  mail.state.answer = () => undefined;
  const [letter] = dead as unknown as { data: { deadLetterId: string } }[];
  await harness.deliver('dead-letters.replayed.v1', [
    {
      type: 'DeadLetterReplayed',
      data: { deadLetterId: letter?.data.deadLetterId, service: 'console', by: 'lea', note: 'mended', at },
    },
  ]);
  await later(51);
  expect(mail.mails).toHaveLength(1);
  expect(await states()).toEqual(['needs-review lea sent']);
});

const rejected = () => harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: refused({}, 'review') }]);

test('what is answered before it is due waits for the verdict; then it is not sent, and the list says why', async () => {
  const rules = '  - { event: deadline-near, to: [reviewers], minutesBefore: 15 }\n';
  await start(config({ rules }));
  await escalate();
  await harness.runJobs();
  expect(mail.mails).toEqual([]);
  await call('POST', `/v1/reviews/${proposalId}`, {
    decision: 'reject',
    digest: escalated().digest,
    category: 'other',
  });
  await later(46);
  expect(mail.mails).toEqual([]);
  expect(await states()).toEqual(['deadline-near lea waiting', 'deadline-near tom waiting']);
  await rejected();
  await later(48);
  expect(mail.mails).toEqual([]);
  expect(await states()).toEqual([
    'deadline-near lea dropped: it is refused already',
    'deadline-near tom dropped: it is refused already',
  ]);
});

test('an answer that is set aside after all: the card waits for a person again, and the message is sent', async () => {
  const rules = '  - { event: deadline-near, to: [lea], minutesBefore: 15 }\n';
  await start(config({ rules, recipients: mailbox('lea') }));
  await escalate();
  await harness.runJobs();
  const answer = { decision: 'approve', digest: escalated().digest };
  const { body } = await call('POST', `/v1/reviews/${proposalId}`, answer);
  await later(46);
  expect(mail.mails).toEqual([]);
  const reason = { code: 'digest', detail: 'the action was changed meanwhile' };
  await harness.deliver('actions.escalated.v1', [
    { type: 'ReviewSetAside', data: { reviewId: body.reviewId, proposalId, by: 'lea', reason, at } },
  ]);
  await later(48);
  expect(await states()).toEqual(['deadline-near lea sent']);
  expect(mail.mails).toHaveLength(1);
});

test('an answer without a verdict until the deadline: nobody is told of it, and the list says why', async () => {
  const rules = '  - { event: deadline-near, to: [lea], minutesBefore: 15 }\n';
  await start(config({ rules, recipients: mailbox('lea') }));
  await escalate();
  await call('POST', `/v1/reviews/${proposalId}`, { decision: 'approve', digest: escalated().digest });
  await later(46);
  await later(61);
  expect(mail.mails).toEqual([]);
  expect(await states()).toEqual(['deadline-near lea dropped: its time is over']);
});

test('what is answered while its channel is away waits too, apart from the rest of its message', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  mail.state.answer = () => 451;
  await escalate({}, other(1));
  await later(0);
  await call('POST', `/v1/reviews/${proposalId}`, { decision: 'approve', digest: escalated().digest });
  mail.state.answer = () => undefined;
  await later(10);
  expect(mail.mails).toHaveLength(1);
  expect(await states()).toEqual(['needs-review lea sent', 'needs-review lea waiting']);
  await rejected();
  await later(12);
  expect(mail.mails).toHaveLength(1);
  expect(await states()).toEqual(['needs-review lea dropped: it is refused already', 'needs-review lea sent']);
});

test('nobody answers: the owner is told after the time of the step; somebody answers: the owner is not', async () => {
  const rules =
    '  - { event: needs-review, to: [lea], then: [{ afterMinutes: 20, to: [mia] }, { afterMinutes: 40, to: [tom] }] }\n';
  await start(config({ rules, recipients: mailbox('lea') + mailbox('tom') + mailbox('mia') }));
  await escalate();
  const receivers = () => mail.mails.map(({ to }) => to[0]?.split('.')[0]);
  await later(19);
  expect(receivers()).toEqual(['lea']);
  await later(21);
  expect(receivers()).toEqual(['lea', 'mia']);
  await call('POST', `/v1/reviews/${proposalId}`, { decision: 'approve', digest: escalated().digest });
  await later(41);
  expect(receivers()).toEqual(['lea', 'mia']);
});

test('the owner of an agent is the one of its charter in the policy in force', async () => {
  const rules = '  - { event: needs-review, to: [owner] }\n';
  folder.write('channels: []\nrecipients: []\ntell: []\n');
  const owner =
    /^owner: (\S+)/m.exec(readFileSync(folder.path('config/charters/paid-media-agent.yaml'), 'utf8'))?.[1] ?? '';
  const recipients = `  - name: ${owner}\n    timeZone: UTC\n    addresses: [{ channel: mail, addressFile: ../mia }]\n`;
  await start(config({ rules, recipients }));
  await escalate();
  await harness.runJobs();
  expect(mail.mails.map(({ to }) => to)).toEqual([['mia.secret@example.com']]);
});

test('a flood is one message: the first at once, what comes after it together', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  await escalate();
  await later(0);
  for (let n = 0; n < 25; n += 5) {
    await escalate(...[0, 1, 2, 3, 4].map((more) => other(n + more)));
    await later(1 + n / 25);
  }
  expect(mail.mails).toHaveLength(1);
  await later(5);
  expect(mail.mails).toHaveLength(2);
  const [, digest] = mail.mails;
  expect(digest?.headers.get('subject')).toBe('25 actions need your review');
  expect(digest?.text.match(/^Open: /gm)).toHaveLength(10);
  expect(digest?.text).toContain('and 15 more: https://console.example.com/reviews');
  expect((await states()).every((row: string) => row === 'needs-review lea sent')).toBe(true);
});

/** Rows that wait in a mailbox, and one job that looks at it. */
const flood = async (recipient: string, check: object, n = 5_003) => {
  const facts = JSON.stringify({ title: 'x', lines: [], path: '/', check });
  const [row] = await harness.query<{ id: string }>(
    `INSERT INTO notifications (notification_id, event, thing, recipient, channel, facts, urgent, digest_ms, due_at, made_at)
     SELECT gen_random_uuid(), 'alarm', 'thing ' || n, '${recipient}', 'mail', '${facts}', false, 0, '${at}', '${at}'
     FROM generate_series(1, ${n}) n RETURNING notification_id AS id`,
  );
  await harness.query(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
     VALUES ('gather-notifications', 'flood', '${at}', '{"id": "${row?.id}"}', '{"source": "/test", "id": "flood"}', '${at}')`,
  );
};
const ended = () =>
  harness.query(`SELECT state, detail, count(*)::int AS n FROM notifications GROUP BY 1, 2 ORDER BY 1, 2`);

test('of a flood nothing is left: what is too much for one message is the next one', async () => {
  const quiet = '    quietHours: { from: "10:30", to: "11:30" }\n';
  await start(config({ rules: asks, recipients: mailbox('lea', quiet) }));
  await flood('lea', { on: 'nothing' });
  await later(0);
  expect(await ended()).toEqual([{ state: 'waiting', detail: null, n: 5_003 }]);
  await later(30);
  expect(mail.mails.map(({ headers }) => headers.get('subject'))).toEqual(['5000 alarms', '3 alarms']);
  expect(await ended()).toEqual([{ state: 'sent', detail: null, n: 5_003 }]);
});

test.each([
  ['that is not true any more', 'lea', { on: 'control', scope: 'all', version: 7 }, 'it was changed again since'],
  [
    'for whom nobody is any more',
    'max',
    { on: 'nothing' },
    'notifications.yaml has no max with the channel mail any more',
  ],
])('of a flood %s nothing is left waiting', async (_name, recipient, check, detail) => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  await flood(recipient, check, 10_001);
  await later(0);
  expect([mail.mails, await ended()]).toEqual([[], [{ state: 'dropped', detail, n: 10_001 }]]);
});

const spending = (n: number, amount: number, when = at, used = amount) => {
  const figures = {
    ...{ amountMinor: amount, heldMinor: used - amount, committedMinor: 0, capMinor: 100_000, currency: 'EUR' },
  };
  const reasons = [{ rule: 'spend-cap-ad-account', outcome: 'pass' as const, detail: 'x', figures }];
  return approved({
    ...other(n),
    permitId: derivedId('given', `permit ${n}`),
    reservations: [{ ledger: 'spend:ad-account:ads-1:2026-11-21', amount, currency: 'EUR' }],
    verdict: { ...approved().verdict, reasons, at: when },
  });
};
const approve = (data: ReturnType<typeof spending>) =>
  harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data }]);
const release = (n: number) =>
  harness.deliver('actions.settled.action-executor.v1', [
    {
      type: 'ActionSettled',
      data: settled('expired', { ...other(n), permitId: derivedId('given', `permit ${n}`) }),
    },
  ]);
const budget = '  - { event: budget-nearly-spent, to: [owner], share: 0.8 }\n';
/** The owner of the agent, in quiet hours until the given time in Berlin. */
const ownerUntil = (to: string) => {
  const owner =
    /^owner: (\S+)/m.exec(readFileSync(folder.path('config/charters/paid-media-agent.yaml'), 'utf8'))?.[1] ?? '';
  return mailbox('lea', `    quietHours: { from: "11:01", to: "${to}" }\n`).replace('name: lea', `name: ${owner}`);
};

test('a budget that is nearly spent is stored, gathered and sent, once for its day', async () => {
  await start(config({ rules: budget, recipients: ownerUntil('12:00') }));
  await approve(spending(1, 50_000));
  await later(0);
  expect(mail.mails).toEqual([]);
  await approve(spending(2, 35_000, at, 85_000));
  await later(0);
  expect(mail.mails.map(({ headers }) => headers.get('subject'))).toEqual([
    "Budget nearly spent: 85 % of the day's budget of ad account ads-1 on 2026-11-21",
  ]);
  expect(mail.mails[0]?.text).toBe(
    [
      "85 % of the day's budget of ad account ads-1 on 2026-11-21",
      'Limit: ad account ads-1 on 2026-11-21',
      'Spent or held: EUR 850.00 of EUR 1,000.00',
      'Open: https://console.example.com/',
      '',
    ].join('\n'),
  );
  await approve(spending(3, 10_000, '2026-11-21T12:00:00.000Z', 95_000));
  await later(180);
  expect(mail.mails).toHaveLength(1);
  expect(await harness.query('SELECT state FROM notifications')).toEqual([{ state: 'sent' }]);
});

test('a budget of yesterday is not told of after the quiet hours', async () => {
  await start(config({ rules: budget, recipients: ownerUntil('07:00') }));
  await later(2);
  await approve(spending(1, 85_000));
  await later(2);
  await later(21 * 60);
  expect(mail.mails).toEqual([]);
  expect(await harness.query('SELECT state, detail FROM notifications')).toEqual([
    { state: 'dropped', detail: 'the day of this budget is over' },
  ]);
});

test('a budget of which less is used again is not told of, and is told of when it is nearly spent once more', async () => {
  await start(config({ rules: budget, recipients: ownerUntil('12:00') }));
  await later(2);
  await approve(spending(1, 85_000));
  await later(2);
  await release(1);
  await later(60);
  expect(mail.mails).toEqual([]);
  const again = spending(2, 90_000, '2026-11-21T11:01:00.000Z');
  await approve(again);
  await approve(again);
  await later(62);
  expect(mail.mails.map(({ headers }) => headers.get('subject'))).toEqual([
    "Budget nearly spent: 90 % of the day's budget of ad account ads-1 on 2026-11-21",
  ]);
  expect(await harness.query('SELECT state, detail FROM notifications ORDER BY 1')).toEqual([
    { state: 'dropped', detail: 'less of this budget is used again' },
    { state: 'sent', detail: null },
  ]);
});

test('a budget that is still nearly spent is told of after the quiet hours of its day', async () => {
  await start(config({ rules: budget, recipients: ownerUntil('12:00') }));
  await later(2);
  await approve(spending(1, 85_000));
  await later(2);
  await later(60);
  expect(mail.mails).toHaveLength(1);
});

test('in quiet hours what is not urgent waits for their end, in the recipient’s zone; a near deadline passes', async () => {
  const rules = `${asks}  - { event: deadline-near, to: [reviewers], minutesBefore: 15 }\n`;
  // At 10:00 UTC it is 19:00 in Tokyo.
  const tokyo = mailbox('lea', '    quietHours: { from: "18:00", to: "19:30" }\n').replace(
    'Europe/Berlin',
    'Asia/Tokyo',
  );
  await start(
    config({ rules, recipients: tokyo + mailbox('tom', '    quietHours: { from: "10:30", to: "11:50" }\n') }),
  );
  await escalate();
  await later(0);
  expect(mail.mails).toEqual([]);
  await later(29);
  expect(mail.mails).toEqual([]);
  await later(30);
  expect(mail.mails.map(({ to }) => to[0]?.slice(0, 3))).toEqual(['lea']);
  await later(45);
  expect(
    mail.mails.map(({ to, headers }) => `${to[0]?.slice(0, 3)} ${headers.get('subject')?.slice(0, 5)}`).sort(),
  ).toEqual(['lea Needs', 'lea Still', 'tom Still']);
});

test('a stop is told of at once, and as an alarm where it is not confirmed in time', async () => {
  const rules = '  - { event: stop, to: [lea] }\n  - { event: alarm, to: [lea], confirmSeconds: 30 }\n';
  await start(config({ rules, recipients: mailbox('lea', '    quietHours: { from: "00:00", to: "23:59" }\n') }));
  await call('POST', '/v1/controls', { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'bids look wrong' });
  await later(0);
  expect(mail.mails.map(({ headers }) => headers.get('subject'))).toEqual([
    'Control: agent paid-media-agent was stopped',
  ]);
  await later(0.5);
  expect(mail.mails.map(({ headers }) => headers.get('subject'))).toEqual([
    'Control: agent paid-media-agent was stopped',
    expect.stringMatching(/^Alarm: not every service has confirmed/),
  ]);
  // Who stopped it and why stays on the page.
  for (const { text } of mail.mails) expect(text).not.toMatch(/lea|bids/);
});

test('a play, an account and a campaign have their names in a message, where the console knows them', async () => {
  await start(
    config({ rules: `  - { event: stop, to: [lea] }\n${budget.replace('owner', 'lea')}`, recipients: mailbox('lea') }),
  );
  await harness.query(`INSERT INTO accounts (account_id, name, version) VALUES ('0012', 'Lumen Health', 1)`);
  await harness.query(
    `INSERT INTO campaigns (key, campaign_id, name, version)
     VALUES ('campaign:ads-1 c-1', 'c-1', 'Search, DACH', 1), ('campaign:ads-2 c-2', 'c-2', 'Of another account', 1)`,
  );
  for (const scope of ['play:return-below-floor', 'account:0012', 'account:0013'])
    await call('POST', '/v1/controls', { scope, state: 'stopped', reason: 'wrong figures' });
  const totals = ['c-1', 'c-2'].map((id) => ({
    ...{ ledger: `spend:campaign:${id}:2026-11-21`, held: 90, committed: 0, cap: 100, currency: 'EUR' },
  }));
  await escalate({ card: { ...escalated().card, runningTotals: totals } });
  const { notifications } = (await call('GET', '/v1/notifications')).body;
  expect(notifications.map(({ title }: { title: string }) => title).sort()).toEqual([
    "90 % of the day's budget of campaign c-2 on 2026-11-21",
    "90 % of the day's budget of campaign “Search, DACH” on 2026-11-21",
    'account 0013 was stopped',
    'the account “Lumen Health” was stopped',
    'the play “Return below floor” was stopped',
  ]);
});

test('a control whose version is as high as a repair makes it is told of like any other', async () => {
  const rules =
    '  - { event: stop, to: [lea] }\n  - { event: alarm, to: [lea], confirmSeconds: 30, digestMinutes: 0 }\n';
  await start(config({ rules, recipients: mailbox('lea') }));
  const change = (state: string) => call('POST', '/v1/controls', { scope: 'all', state, reason: 'x' });
  await change('stopped');
  await harness.query(`UPDATE own_state SET version = 1763719200000000 WHERE topic = 'controls.v1'`);
  await change('running');
  // A dead letter waits in the same mailbox as what is not confirmed: neither holds up the other.
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  await later(1);
  expect(await states()).toEqual([
    'alarm lea dropped: it was changed again since',
    'alarm lea sent',
    'alarm lea sent',
    'stop lea dropped: it was changed again since',
    'stop lea sent',
  ]);
});

test('a dead letter that failed again waits for a person again: an alarm that is still to come is told, and the failure is one', async () => {
  const quiet = '    quietHours: { from: "10:00", to: "12:00" }\n';
  const rules = '  - { event: alarm, to: [lea], urgent: false }\n';
  await start(config({ rules, recipients: mailbox('lea', quiet) }));
  const { deadLetterId, service } = deadLetter();
  const replay = async () => {
    const { body } = await call('POST', `/v1/dead-letters/${deadLetterId}/replays`, { note: 'mended' });
    return String(body.replayedAt);
  };
  const end = (outcome: string, orderedAt: string) => {
    const fault = { code: 'replay', detail: 'x' };
    const data = { deadLetterId, service, orderedAt, outcome, attempts: 4, fault, at: orderedAt };
    return harness.deliver('orchestrator.dead-letters.v1', [{ type: 'ReplayEnded', data }]);
  };
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  await end('failed', await replay());
  await later(61);
  expect(mail.mails.map(({ headers }) => headers.get('subject'))).toEqual(['2 alarms']);
  expect(mail.mails[0]?.text).toContain('orchestrator could not handle a dead letter that was to be handled again');

  // One that is being handled again, or was handled, needs nobody.
  await later(24 * 60);
  await end('failed', await replay());
  await later(24 * 60 + 1);
  await end('handled', await replay());
  await later(26 * 60);
  expect(mail.mails).toHaveLength(1);
  expect(await states()).toEqual([
    'alarm lea dropped: somebody had it handled again already',
    'alarm lea sent',
    'alarm lea sent',
  ]);
});

test('alarms: a dead letter, a rejected permit, and a permit that its own executor left unresolved', async () => {
  await start(config({ rules: '  - { event: alarm, to: [lea], digestMinutes: 0 }\n', recipients: mailbox('lea') }));
  const subjects = () => mail.mails.map(({ headers }) => headers.get('subject'));
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  await later(0);
  // Another executor's word about a permit is nobody's alarm.
  const wrong = settled('unresolved', { executor: 'downstream' });
  await harness.deliver('actions.settled.downstream.v1', [{ type: 'ActionSettled', data: wrong }]);
  await harness.deliver('actions.settled.action-executor.v1', [{ type: 'ActionSettled', data: settled('unresolved') }]);
  await later(0);
  expect(subjects()).toHaveLength(1);
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved() }]);
  const rejected = {
    executor: 'action-executor',
    reason: { code: 'signature', detail: 'lea@example.com signed it' },
    topic: 'actions.approved.v1',
    partition: 0,
    offset: '7',
    at,
  };
  await harness.deliver('actions.settled.action-executor.v1', [{ type: 'PermitRejected', data: rejected }]);
  await later(7);
  expect(subjects()).toEqual(['Alarm: orchestrator could not handle a record of signals.accepted.v1', '2 alarms']);
  expect(mail.mails[1]?.text).toContain('action-executor rejected a permit');
  expect(mail.mails[1]?.text).toContain('nobody knows whether ads did what action-executor asked');
  expect(mail.mails[1]?.text).not.toContain('@');
});

test('Slack, Teams and a webhook of one’s own get their forms; the webhook is signed, and its id stays the same', async () => {
  const channels = `  - { name: chat, kind: slack, webhookFile: ../hook }
  - { name: bot, kind: slack, tokenFile: ../token, api: "${web.url}/api" }
  - { name: teams, kind: teams, webhookFile: ../teams }
  - { name: hook, kind: webhook, urlFile: ../url, secretFile: ../key }
`;
  const recipients = `  - name: lea
    timeZone: UTC
    addresses: [{ channel: chat }, { channel: bot, conversation: C024BE91L }, { channel: teams }, { channel: hook }]
`;
  await start(config({ rules: asks, channels, recipients }));
  const tries = new Map<string, number>();
  web.state.answer = ({ url }) => {
    tries.set(url, (tries.get(url) ?? 0) + 1);
    if (url === '/api/chat.postMessage') return { body: JSON.stringify({ ok: true }) };
    return url === '/hook-secret' && tries.get(url) === 1 ? { status: 503 } : {};
  };
  await escalate();
  await later(0);
  await later(1);
  const posted = (url: string) => web.posted.filter((post) => post.url === url);
  const link = `https://console.example.com/reviews/${proposalId}`;
  for (const url of ['/slack-secret', '/api/chat.postMessage', '/teams-secret'])
    expect(posted(url), url).toMatchObject([{ body: expect.stringContaining(link) }]);
  const [bot] = posted('/api/chat.postMessage');
  expect(bot?.headers.authorization).toBe('Bearer xoxb-secret-token');
  expect(JSON.parse(bot?.body ?? '')).toMatchObject({
    channel: 'C024BE91L',
    metadata: { event_payload: { id: expect.any(String) } },
  });
  const card = JSON.parse(posted('/teams-secret')[0]?.body ?? '');
  expect(card.attachments[0].content).toMatchObject({
    type: 'AdaptiveCard',
    actions: [{ type: 'Action.OpenUrl', url: link }],
  });
  expect(JSON.stringify(card)).not.toContain('"TextBlock"');

  const hooks = posted('/hook-secret');
  expect(hooks).toHaveLength(2);
  expect(hooks[0]?.body).toBe(hooks[1]?.body);
  expect(hooks[0]?.headers['webhook-id']).toBe(hooks[1]?.headers['webhook-id']);
  vi.setSystemTime(new Date(Date.parse(at) + 60_000));
  for (const { headers, body } of hooks) {
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'countersign.needs-review' });
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
    expect(() => new Webhook('whsec_c29tZSBvdGhlciBzZWNyZXQ=').verify(body, headers)).toThrow();
  }
  vi.useRealTimers();
  expect((await states()).every((row: string) => row === 'needs-review lea sent')).toBe(true);
});

test('a redirect is not followed, and Slack’s refusal in a 200 is a refusal', async () => {
  const channels = `  - { name: bot, kind: slack, tokenFile: ../token, api: "${web.url}/api" }
  - { name: hook, kind: webhook, urlFile: ../url, secretFile: ../key }
`;
  const recipients = `  - { name: lea, timeZone: UTC, addresses: [{ channel: bot, conversation: C024BE91L }, { channel: hook }] }\n`;
  await start(config({ rules: asks, channels, recipients }));
  web.state.answer = ({ url }) =>
    url === '/hook-secret'
      ? { status: 302, headers: { location: `${web.url}/elsewhere` } }
      : { body: JSON.stringify({ ok: false, error: 'channel_not_found' }) };
  await escalate();
  for (let minute = 0; minute < 50; minute++) await later(minute);
  expect(web.posted.map(({ url }) => url).sort()).toEqual(['/api/chat.postMessage', '/hook-secret']);
  expect((await states()).sort()).toEqual([
    'needs-review lea failed: Slack refused it for good (channel_not_found)',
    'needs-review lea failed: the webhook refused it for good (302)',
  ]);
});

test('an operator sends a test; whoever is none may not; a repeat with one key is one test', async () => {
  await start(config({ rules: asks }));
  const ask = (token: string, recipient = 'tom') =>
    harness.app.inject({
      method: 'POST',
      url: '/v1/notifications/test',
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'k' },
      payload: { recipient },
    });
  expect((await ask('ann-token')).statusCode).toBe(403);
  expect((await ask('lea-token', 'nobody')).statusCode).toBe(404);
  const first = await ask('lea-token');
  expect([first.statusCode, (await ask('lea-token')).json()]).toEqual([202, first.json()]);
  await harness.runJobs();
  expect(mail.mails.map(({ to, headers }) => [to[0], headers.get('subject')])).toEqual([
    ['tom.secret@example.com', 'Test: a test of this way to reach you'],
  ]);
  expect(await states()).toEqual(['test tom sent']);
});

test('the list pages on, each row once, and a cursor that is none is said so', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  await escalate(...Array.from({ length: 7 }, (_, n) => other(n)));
  const seen: string[] = [];
  for (let url: string | null = '/v1/notifications?limit=3&state=waiting'; url; ) {
    const { body } = await call('GET', url);
    seen.push(...body.notifications.map(({ id }: { id: string }) => id));
    url = body.next === null ? null : `/v1/notifications?limit=3&state=waiting&cursor=${encodeURIComponent(body.next)}`;
  }
  expect([seen.length, new Set(seen).size]).toEqual([7, 7]);
  expect((await call('GET', '/v1/notifications?cursor=x')).status).toBe(400);
  expect((await call('GET', '/v1/notifications?state=sent')).body.notifications).toEqual([]);
});

test('a started service sends by itself, several messages side by side', async () => {
  await start(config({ rules: asks }));
  const stop = harness.startJobs();
  try {
    await escalate();
    await vi.waitFor(() => expect(mail.mails).toHaveLength(2), { timeout: 20_000 });
    await vi.waitFor(async () => expect(await states()).toEqual(['needs-review lea sent', 'needs-review tom sent']), {
      timeout: 20_000,
    });
  } finally {
    await stop();
  }
});

test('two instances that send at the same time send each message once', async () => {
  await start(config({ rules: asks }));
  const second = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  try {
    await escalate(...Array.from({ length: 4 }, (_, n) => other(n)));
    await Promise.all([harness.runJobs(), second.runJobs()]);
    await Promise.all([harness.runJobs(), second.runJobs()]);
    expect(mail.mails).toHaveLength(2);
    expect(new Set(messageIds()).size).toBe(2);
  } finally {
    await second.close();
  }
});

test.each([
  [
    'a wrong field',
    (text: string) => text.replace('kind: email', 'kind: fax'),
    /notifications\.yaml:2 channels\.0\.kind: one of/,
  ],
  [
    'a file that is missing',
    (text: string) => text.replace('../tom', '../nobody'),
    /recipients\.1\.addresses\.0\.addressFile: .*cannot be read \(ENOENT\)/,
  ],
  [
    'a file with something else',
    (text: string) => text.replace('../tom', '../key'),
    /addressFile: the file that it names does not hold one e-mail address/,
  ],
  [
    'a file that is open to others',
    (text: string) => text,
    /:\d+ channels\.0\.fromFile: .*open to others \(mode 644\): mode 600/,
  ],
])('%s: the console does not start, says where, and quotes no secret', async (name, change, expected) => {
  folder.write(change(config({ rules: asks })), secrets());
  if (name.includes('open')) chmodSync(folder.path('from'), 0o644);
  const failed = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at }).catch(
    (error: Error) => error,
  );
  expect(failed).toBeInstanceOf(Error);
  expect((failed as Error).message).toMatch(expected);
  expect((failed as Error).message).not.toMatch(/secret|@example/);
});

test('the job of a message is given up by its kind, and ended rows are forgotten in time', async () => {
  await start(config({ rules: asks, recipients: mailbox('lea') }));
  await escalate();
  await later(0);
  expect(harness.app.get(SendNotifications).kind.name).toBe('send-notifications');
  const day = 24 * 60;
  await later(89 * day);
  expect(await states()).toHaveLength(1);
  await later(91 * day);
  expect(await states()).toEqual([]);
  expect(await harness.query('SELECT * FROM notification_messages')).toEqual([]);
});

test('whether something is still true is asked through the transaction that is open, and takes no second connection', async () => {
  await start(config({ rules: asks }));
  await escalate();
  const stop = { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'bids look wrong' };
  expect((await call('POST', '/v1/controls', stop)).status).toBe(200);
  const runtime = harness.app.get<Runtime>(RUNTIME);
  const stillTrue = harness.app.get(StillTrue);
  const pool = vi.spyOn(runtime, 'read').mockRejectedValue(new Error('a second connection was asked for'));
  const checks = [
    { on: 'review', subjectId: proposalId, digest: '0'.repeat(64) },
    { on: 'dead-letter', deadLetterId: derivedId('given', 'letter') },
    { on: 'unresolved', permitId: derivedId('given', 'permit') },
    { on: 'gap', gapId: derivedId('given', 'gap') },
    { on: 'control', scope: stop.scope, version: 7 },
    { on: 'unconfirmed', scope: stop.scope, version: 1 },
  ] as const;
  const rows = checks.map((check) => ({ id: check.on, facts: { title: '', lines: [], path: '/', check } }));
  const { untrue } = await runtime.write((tx) => stillTrue.judge(tx, rows as never, at));
  expect([...untrue.keys()]).toEqual(['review', 'gap', 'control']);
  expect(pool).not.toHaveBeenCalled();
});

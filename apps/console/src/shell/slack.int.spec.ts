import { createHmac } from 'node:crypto';
import { rejections } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, checkpoint, checkpointId, escalated, proposalId } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { httpReceiver, notifyingFolder } from './notifying-testing.js';
import { SlackActions } from './slack.controller.js';

const signing = '8f742231b10e8888abcd99yyyzzz85a5';
let database: TestDatabase;
let harness: Harness;
let folder: ReturnType<typeof notifyingFolder>;
let slack: Awaited<ReturnType<typeof httpReceiver>>;

beforeEach(async () => {
  [database, slack] = await Promise.all([copyTestDatabase(tablesOf(spec)), httpReceiver()]);
  folder = notifyingFolder();
  const person = (name: string, user: string) =>
    `  - { name: ${name}, timeZone: UTC, slackUser: ${user}, addresses: [{ channel: chat }] }\n`;
  folder.write(
    `channels:
  - { name: chat, kind: slack, tokenFile: ../token, signingSecretFile: ../signing, buttons: true, api: "${slack.url}/api", hooks: "${slack.url}" }
recipients:
${person('lea', 'U0LEA')}${person('max', 'U0MAX')}${person('ann', 'U0ANN')}tell:
  - { event: needs-review, to: [lea] }
`,
    { token: 'xoxb-token', signing },
  );
  slack.state.answer = () => ({ body: JSON.stringify({ ok: true }) });
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
});
afterEach(async () => {
  await harness.close();
  await Promise.all([database.close(), slack.close()]);
  folder.remove();
});

interface Given {
  readonly user?: string;
  readonly trigger?: string;
  readonly value?: object;
  readonly action?: string;
  /** The reason that is chosen in the menu of rejections. */
  readonly why?: string;
  readonly response?: string;
  /** When the message was sent, as Slack writes it; null: it does not say. */
  readonly sent?: string | null;
}
/** Some milliseconds after `at`, as Slack names a message. */
const slackTime = (ms: number) => ((Date.parse(at) + ms) / 1000).toFixed(6);
/** The form that Slack posts when somebody presses a button. */
const form = (given: Given = {}) => {
  const { user = 'U0LEA', trigger = 't.1', value, action, why } = given;
  const { response = `${slack.url}/response`, sent = slackTime(0) } = given;
  const pressed = { subjectId: proposalId, digest: escalated().digest, decision: 'approve', ...value };
  return new URLSearchParams({
    payload: JSON.stringify({
      type: 'block_actions',
      user: { id: user, username: 'x' },
      team: { id: 'T1' },
      trigger_id: trigger,
      response_url: response,
      ...(sent !== null && { container: { type: 'message', message_ts: sent, channel_id: 'C1' } }),
      actions: [
        why === undefined
          ? { action_id: action ?? `countersign-${pressed.decision}`, action_ts: '1.1', value: JSON.stringify(pressed) }
          : {
              ...{ action_id: 'countersign-reject-why', action_ts: '1.1', type: 'static_select' },
              ...{ block_id: `countersign ${pressed.subjectId} ${pressed.digest}`, selected_option: { value: why } },
            },
      ],
    }),
  }).toString();
};
const send = async (
  body: string,
  { when = at, secret = signing, headers = {} }: { when?: string; secret?: string; headers?: object } = {},
) => {
  const timestamp = String(Math.floor(Date.parse(when) / 1000));
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  const response = await harness.app.inject({
    method: 'POST',
    url: '/v1/slack/actions',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signature,
      ...headers,
    },
    payload: body,
  });
  return { status: response.statusCode, text: String(response.json().text ?? response.json().detail) };
};
const decided = () => harness.published.filter(({ type }) => type === 'ReviewDecided');
const shown = () => slack.posted.filter(({ url }) => url === '/response').map(({ body }) => JSON.parse(body).text);

test('the message has the digest of the card in its buttons, and a press of them is the person’s answer', async () => {
  await harness.runJobs();
  const [posted] = slack.posted;
  const { blocks } = JSON.parse(posted?.body ?? '');
  const elements = blocks.flatMap(
    ({ elements: all = [] }: { elements?: { value?: string; action_id: string }[] }) => all,
  );
  const approve = elements.find(({ action_id }: { action_id: string }) => action_id === 'countersign-approve');
  expect(JSON.parse(approve.value)).toEqual({ subjectId: proposalId, digest: escalated().digest, decision: 'approve' });

  const answer = await send(form({ value: JSON.parse(approve.value) }));
  expect(answer).toEqual({ status: 200, text: expect.stringMatching(/^Your approval was taken\. The validator/) });
  expect(shown()).toEqual([answer.text]);
  expect(decided()).toMatchObject([
    { key: 'ads-1', data: { decision: 'approve', by: 'lea', digest: escalated().digest, subject: { id: proposalId } } },
  ]);
});

const order = async (scope: string, state: 'stopped' | 'running') => {
  const response = await harness.app.inject({
    ...{ method: 'POST', url: '/v1/controls', payload: { scope, state, reason: 'a test' } },
    headers: { authorization: 'Bearer lea-token' },
  });
  expect(response.statusCode).toBe(200);
};

test('under a stop an approval needs a second press, below what would be lost; a rejection does not', async () => {
  await order('agent:paid-media-agent', 'stopped');
  const first = await send(form());
  expect(first.text).toBe(
    'Nothing was done yet: a stop is in force. It would be refused now and cannot be approved later. Wait for the resume, or reject it.',
  );
  expect(decided()).toEqual([]);
  const posted = JSON.parse(slack.posted.find(({ url }) => url === '/response')?.body ?? '{}');
  const elements = posted.blocks.flatMap(({ elements: all = [] }: { elements?: { value?: string }[] }) => all);
  const { value } = elements.find(({ value: given }: { value?: string }) => given !== undefined);
  expect((await send(form({ trigger: 't.2', value: JSON.parse(value) }))).text).toMatch(/^Your approval was taken/);
  expect(decided()).toMatchObject([{ data: { decision: 'approve', by: 'lea' } }]);
});

test('a rejection under a stop is given at once', async () => {
  await order('all', 'stopped');
  expect((await send(form({ why: 'wrong-time' }))).text).toMatch(/^Your rejection was taken/);
  expect(decided()).toMatchObject([{ data: { decision: 'reject' } }]);
});

test('a stop that was lifted, or of something else, asks nothing', async () => {
  await order('all', 'stopped');
  await order('all', 'running');
  await order('agent:sequencing-agent', 'stopped');
  expect((await send(form())).text).toMatch(/^Your approval was taken/);
});

test('a rejection says why, as on the page: the message has a menu of the reasons, and the choice is on the record', async () => {
  await harness.runJobs();
  const [posted] = slack.posted;
  const { blocks } = JSON.parse(posted?.body ?? '');
  const answers = blocks.find(({ block_id }: { block_id?: string }) => block_id !== undefined);
  const menu = answers.elements.find(({ type }: { type: string }) => type === 'static_select');
  expect(answers.block_id).toBe(`countersign ${proposalId} ${escalated().digest}`);
  expect(menu.options.map(({ value }: { value: string }) => value)).toEqual([...rejections]);
  expect(menu.confirm).toMatchObject({ style: 'danger' });
  expect((await send(form({ why: 'wrong-person' }))).text).toMatch(/^Your rejection was taken\. The validator/);
  expect(decided()).toMatchObject([{ data: { decision: 'reject', category: 'wrong-person', by: 'lea' } }]);
});

test('the button of an earlier message does not reject: it cannot say why', async () => {
  const { text } = await send(form({ value: { decision: 'reject' } }));
  expect(text).toMatch(/^Nothing was done: a rejection says why.*reject on the page\. The card: http/);
  expect(decided()).toEqual([]);
});

test('sent again, a press does nothing more, also where it was refused at first', async () => {
  const body = form();
  await send(body);
  expect((await send(body)).text).toMatch(/^Nothing was done: this press of the button was used before/);
  expect(decided()).toHaveLength(1);

  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint(), key: 'acme' }]);
  const value = { subjectId: checkpointId, digest: 'f'.repeat(64) };
  const wrong = form({ trigger: 't.2', value });
  expect((await send(wrong)).text).toContain('it is not what you were shown any more');
  expect((await send(wrong)).text).toContain('used before');
  expect((await send(form({ trigger: 't.3', value: { ...value, digest: checkpoint().digest } }))).text).toMatch(
    /^Your approval was taken\. The orchestrator says/,
  );
  expect(decided()).toHaveLength(2);
});

test('a press that somebody kept does nothing more after a restart, nor once its time is over', async () => {
  const body = form();
  expect((await send(body)).text).toMatch(/^Your approval was taken/);
  await harness.close();
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  expect((await send(body)).text).toMatch(/^Nothing was done: this press of the button was used before/);
  harness.setNow('2026-11-21T10:05:00.000Z');
  expect((await send(body)).text).toMatch(/^Nothing was done: this press of the button was used before/);
  harness.setNow('2026-11-21T10:05:01.000Z');
  expect((await send(body)).status).toBe(401);
  expect(decided()).toEqual([]);
});

test('of ten presses at the same moment one is the answer', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => send(form({ trigger: `t.${n}` }))));
  expect(answers.filter(({ text }) => text.startsWith('Your approval was taken'))).toHaveLength(1);
  expect(answers.filter(({ text }) => text.includes('somebody answered it already'))).toHaveLength(9);
  expect(decided()).toHaveLength(1);
});

test.each([
  ['a person whom nobody knows', { user: 'U0EVE' }, /nobody here knows which person you are/],
  ['a person who is no reviewer', { user: 'U0ANN' }, /you are no reviewer with a token/],
  ['a reviewer of other cards', { user: 'U0MAX' }, /you are not among its reviewers/],
  ['another digest', { value: { digest: 'f'.repeat(64) } }, /it is not what you were shown any more/],
  ['a card that is none', { value: { subjectId: '00000000-0000-4000-8000-000000000000' } }, /there is no such card/],
])('%s: nothing is done, and Slack shows why', async (_name, given, words) => {
  const { status, text } = await send(form(given));
  expect([status, text]).toEqual([200, expect.stringMatching(words)]);
  expect(text).toMatch(/^Nothing was done/);
  expect(text).not.toMatch(/\b(lea|tom|max|ann)\b/);
  expect(shown()).toEqual([text]);
  expect(decided()).toEqual([]);
});

test('whoever was signed out answers by no message that was sent before, and by later ones again', async () => {
  const data = {
    person: 'lea',
    by: 'ann',
    reason: 'the phone was stolen',
    at: new Date(Date.parse(at) + 1_000).toISOString(),
  };
  await harness.deliver('sessions.ended.v1', [{ type: 'SessionsEnded', data, key: 'lea' }]);
  for (const [n, sent] of [slackTime(0), slackTime(1_000), null, 'yesterday'].entries()) {
    const { text } = await send(form({ sent, trigger: `t.${n}` }));
    expect(text).toMatch(
      /^Nothing was done: you were signed out after this message was sent; answer on the page\. The card: http/,
    );
  }
  expect(decided()).toEqual([]);
  expect((await send(form({ sent: slackTime(1_001), trigger: 't.9' }))).text).toMatch(/^Your approval was taken/);
});

test('a message without a time of Slack is answered by whoever was never signed out', async () => {
  expect((await send(form({ sent: null }))).text).toMatch(/^Your approval was taken/);
});

test('a passed deadline: nothing is done, and Slack shows why', async () => {
  const passed = '2026-11-21T11:00:00.000Z';
  harness.setNow(passed);
  expect((await send(form(), { when: passed })).text).toContain('it is expired already');
  expect(decided()).toEqual([]);
});

test.each([
  ['signed by somebody else', { secret: 'another secret' }],
  ['signed more than five minutes ago', { when: '2026-11-21T09:54:59.000Z' }],
  ['signed for later', { when: '2026-11-21T10:05:01.000Z' }],
  ['not signed', { headers: { 'x-slack-signature': '' } }],
  ['signed without a time', { headers: { 'x-slack-request-timestamp': '' } }],
])('%s: 401, and nothing is read of it', async (_name, given) => {
  expect((await send(form(), given)).status).toBe(401);
  expect([decided(), shown()]).toEqual([[], []]);
});

test('a changed byte of the body is refused, and so is a form of something else or of any size', async () => {
  const timestamp = String(Date.parse(at) / 1000);
  const signature = `v0=${createHmac('sha256', signing).update(`v0:${timestamp}:${form()}`).digest('hex')}`;
  const headers = { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature };
  expect((await send(form().replace('approve', 'reject'), { headers })).status).toBe(401);
  for (const body of ['payload=%7B%7D', 'x=1', '', form({ action: 'countersign-reject' })])
    expect((await send(body)).status, body.slice(0, 40)).toBe(400);
  expect((await send(`payload=${'x'.repeat(200_000)}`)).status).toBe(413);
  expect(decided()).toEqual([]);
});

test('a form is read by no other route', async () => {
  const response = await harness.app.inject({
    method: 'POST',
    url: '/v1/controls',
    headers: { authorization: 'Bearer lea-token', 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'scope=all&state=stopped&reason=x',
  });
  expect(response.statusCode).toBe(415);
  expect(harness.published.filter(({ type }) => type === 'ControlChanged')).toEqual([]);
});

test('Nest may prepare the controller once more after the start, as it does beside handlers of topics', async () => {
  const controller = harness.app.get(SlackActions);
  expect(() => controller.onModuleInit()).not.toThrow();
  expect((await send(form())).text).toMatch(/^Your approval was taken/);
});

test('the words go to Slack and to no other address that a request names', async () => {
  const elsewhere = await httpReceiver();
  try {
    for (const [n, response] of [`${elsewhere.url}/x`, 'file:///etc/passwd', 'not an address'].entries())
      expect((await send(form({ response, trigger: `t.${n}`, user: 'U0EVE' }))).status).toBe(200);
    expect([elsewhere.posted, shown()]).toEqual([[], []]);
  } finally {
    await elsewhere.close();
  }
});

test('the button that opens the page answers nothing', async () => {
  expect(await send(form({ action: 'open' }))).toEqual({ status: 200, text: '' });
  expect([decided(), shown()]).toEqual([[], []]);
});

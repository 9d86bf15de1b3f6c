import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { actionKindNames, type DataOf, derivedId, digestOf } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { approved, at, checkpoint, checkpointId, escalated, payload, proposalId } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  const sha256 = createHash('sha256').update('lea-token').digest('hex');
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify([{ sha256, person: 'lea', roles: ['reviewer', 'operator'] }]),
  );
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const call = async (method: 'GET' | 'POST', url: string, body?: object, headers: Record<string, string> = {}) => {
  const response = await harness.app.inject({
    method,
    url,
    headers: { authorization: 'Bearer lea-token', ...headers },
    ...(body && { payload: body }),
  });
  return { status: response.statusCode, body: response.json() };
};
const escalate = (...data: ReturnType<typeof escalated>[]) =>
  harness.deliver(
    'actions.escalated.v1',
    data.map((card) => ({ type: 'ActionEscalated', data: card, key: 'ads-1', correlationid: 'signal-1' })),
  );
const decided = () => harness.published.filter((event) => event.type === 'ReviewDecided');

test('a rejection carries its category and how long it was looked at, and the card shows the category to everybody', async () => {
  await escalate(escalated());
  const answer = {
    decision: 'reject',
    digest: escalated().digest,
    category: 'wrong-time',
    note: 'after the fair',
    lookedMs: 4_200,
  };
  expect((await call('POST', `/v1/reviews/${proposalId}`, answer)).status).toBe(202);
  expect(decided()).toMatchObject([{ data: { decision: 'reject', category: 'wrong-time', lookedMs: 4_200 } }]);
  const { body } = await call('GET', `/v1/reviews/${proposalId}`);
  expect(body.answers).toMatchObject([{ by: 'lea', category: 'wrong-time', note: 'after the fair' }]);
});

test('a rejection without a category is refused, and says which there are', async () => {
  await escalate(escalated());
  const answer = { decision: 'reject', digest: escalated().digest };
  expect(await call('POST', `/v1/reviews/${proposalId}`, answer)).toMatchObject({
    status: 400,
    body: { field: 'category', detail: expect.stringContaining('wrong-time') },
  });
  expect(decided()).toEqual([]);
});

test('the category of an answer that only the topic tells of is kept as well', async () => {
  await escalate(escalated());
  const data = {
    reviewId: derivedId('given', 'review'),
    subject: { kind: 'proposal' as const, id: proposalId },
    digest: escalated().digest,
    decision: 'reject' as const,
    by: 'lea',
    category: 'too-much' as const,
    at,
  };
  await harness.deliver('reviews.decided.v1', [{ type: 'ReviewDecided', data, key: 'ads-1' }]);
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body.answers).toMatchObject([{ category: 'too-much' }]);
});

test('only a rejection has a category', async () => {
  await escalate(escalated());
  const answer = { decision: 'approve', digest: escalated().digest, category: 'other' };
  expect(await call('POST', `/v1/reviews/${proposalId}`, answer)).toMatchObject({
    status: 400,
    body: { field: 'category' },
  });
  expect(decided()).toHaveLength(0);
});

test('a repeat under the same key is the same answer, although its author has looked for longer by then', async () => {
  await escalate(escalated());
  const key = { 'idempotency-key': 'k1' };
  const answer = { decision: 'approve', digest: escalated().digest };
  const first = await call('POST', `/v1/reviews/${proposalId}`, { ...answer, lookedMs: 1_000 }, key);
  const again = await call('POST', `/v1/reviews/${proposalId}`, { ...answer, lookedMs: 9_000 }, key);
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.body).toEqual(first.body);
  expect(decided()).toMatchObject([{ data: { lookedMs: 1_000 } }]);
});

const due = (n: number, deadline: string) => {
  const action = { ...escalated().action, actionId: derivedId('given', 'action', String(n)) };
  return escalated({
    proposalId: derivedId('given', 'proposal', String(n)),
    actionId: action.actionId,
    action,
    digest: digestOf(action),
    deadline,
  });
};

test('a limit cuts off what can wait, not what is due first', async () => {
  await escalate(...[3, 1, 2].map((hours) => due(hours, `2026-11-21T1${hours}:00:00.000Z`)));
  const { body } = await call('GET', '/v1/reviews?state=open&limit=2');
  expect(body.reviews.map(({ deadline }: { deadline: string }) => deadline.slice(11, 13))).toEqual(['11', '12']);
});

test.each(['?state=open&', '?'])(
  'read page by page, GET /v1/reviews%s has each card once, also of the same time',
  async (query) => {
    const cards = Array.from({ length: 23 }, (_, n) => due(n, `2026-11-21T1${n < 15 ? 1 : 2}:00:00.000Z`));
    await escalate(...cards);
    const all = (await call('GET', `/v1/reviews${query}limit=500`)).body;
    expect(all.next).toBeNull();
    const paged: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const { body } = await call(
        'GET',
        `/v1/reviews${query}limit=10${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      );
      expect(body.reviews.length).toBe(body.next === null ? 3 : 10);
      paged.push(...body.reviews.map(({ id }: { id: string }) => id));
      cursor = body.next;
    }
    expect(paged).toEqual(all.reviews.map(({ id }: { id: string }) => id));
    expect(new Set(paged)).toEqual(new Set(cards.map((card) => card.proposalId)));
    expect(await call('GET', `/v1/reviews${query}cursor=yesterday`)).toMatchObject({
      status: 400,
      body: { field: 'cursor' },
    });
  },
);

test('a card shows the campaigns that it changes as they are, and one review the rules that passed', async () => {
  const campaigns = [{ campaignId: 'c-1', name: 'Retargeting', dailyBudgetMinor: 90_000, currency: 'EUR' }];
  await escalate(escalated({ card: { ...escalated().card, campaigns } }));
  const { body } = await call('GET', `/v1/reviews/${proposalId}`);
  expect(body.facts.campaigns).toEqual(campaigns);
  expect(body.otherRules).toEqual([{ rule: 'shape', detail: 'the payload is sound' }]);
});

test('one review says in which regions it takes effect: the countries of its account and of its people', async () => {
  const contactId = derivedId('given', 'contact');
  const card = { ...escalated().card, people: [{ contactId, seniority: 'vp' as const }] };
  await escalate(escalated({ card }));
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body.regions).toEqual([]);
  const profile = { signals: 1, provenance: {}, version: 1, changedAt: at };
  const account = { ...profile, kind: 'account', accountId: 'acme', country: 'FR', deals: [], lastSignalAt: at };
  const contact = { ...profile, kind: 'contact', contactId, seniority: 'vp', reachable: [], country: 'DE' };
  const other = { ...contact, contactId: derivedId('given', 'somebody else'), country: 'IT' };
  await harness.deliver(
    'profiles.v1',
    [account, contact, other].map((data) => ({ type: 'ProfileChanged', data, key: JSON.stringify(data) })),
  );
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body.regions).toEqual([
    { of: 'account', country: 'FR' },
    { of: 'person', country: 'DE' },
  ]);
});

const changed = { ...payload, amountMinor: 30_000 };
const asked = () => harness.published.filter((event) => event.type === 'DryRunAsked');

test('a dry run asks the validator what it would say of a changed version, and answers that', async () => {
  await escalate(escalated());
  const answer = call('POST', `/v1/reviews/${proposalId}/dry-run`, { payload: changed });
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  const { data } = asked()[0] as { data: DataOf<'DryRunAsked'> };
  expect(data).toMatchObject({ proposalId, by: 'lea', action: { kind: 'ads.shift_budget', payload: changed } });
  const reasons = [{ rule: 'spend-cap', detail: 'EUR 20.00 over the daily cap' }];
  const judged = { dryRunId: data.dryRunId, proposalId, outcome: 'refused' as const, reasons, at };
  await harness.deliver('dry-runs.judged.v1', [{ type: 'DryRunJudged', data: judged, key: proposalId }]);
  expect(await answer).toEqual({
    status: 200,
    body: { judged: true, outcome: 'refused', reasons, at, policy: null, runningTotals: null, loss: null },
  });
  // Nobody has answered anything by it, and it is not among the acts that are known for ever.
  expect(decided()).toHaveLength(0);
  expect(await harness.query('SELECT topic FROM inbox WHERE id = $1', [data.dryRunId])).toEqual([
    { topic: '~week-act' },
  ]);
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body).toMatchObject({ state: 'open', answers: [] });
});

test('a dry run of what waits, as it is, asks with its own action and answers under what it was judged', async () => {
  await escalate(escalated());
  const answer = call('POST', `/v1/reviews/${proposalId}/dry-run`, {});
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  const { data } = asked()[0] as { data: DataOf<'DryRunAsked'> };
  expect(data).toMatchObject({ proposalId, by: 'lea', action: escalated().action });
  const policy = { version: 2, digest: 'c'.repeat(64) };
  const runningTotals = [{ ledger: 'actions:paid-media-agent', held: 3, committed: 1, cap: 5 }];
  const judged = { dryRunId: data.dryRunId, proposalId, outcome: 'approved' as const, reasons: [], at };
  const event = { ...judged, policy, runningTotals };
  await harness.deliver('dry-runs.judged.v1', [{ type: 'DryRunJudged', data: event, key: proposalId }]);
  const body = { judged: true, outcome: 'approved', reasons: [], at, policy, runningTotals, loss: null };
  expect(await answer).toEqual({ status: 200, body });
  // The card says under which policy its reader was asked, so that both can be compared.
  const card = (await call('GET', `/v1/reviews/${proposalId}`)).body;
  expect(card.facts.policy).toEqual({ version: 1, digest: 'a'.repeat(64) });
  expect(decided()).toHaveLength(0);
});

test('the same question of the same person gets the answer of before, until something changes that it rests on', async () => {
  await escalate(escalated());
  const ask = () => call('POST', `/v1/reviews/${proposalId}/dry-run`, {});
  const judge = async (n: number) => {
    await vi.waitFor(() => expect(asked()).toHaveLength(n));
    const { dryRunId } = (asked()[n - 1] as { data: DataOf<'DryRunAsked'> }).data;
    const data = { dryRunId, proposalId, outcome: 'approved' as const, reasons: [], at };
    await harness.deliver('dry-runs.judged.v1', [{ type: 'DryRunJudged', data, key: proposalId }]);
  };
  const first = ask();
  await judge(1);
  const { body } = await first;
  expect(body).toMatchObject({ judged: true, outcome: 'approved' });
  expect(await ask()).toEqual({ status: 200, body });
  expect(asked()).toHaveLength(1);
  const stop = { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'a drill' };
  expect((await call('POST', '/v1/controls', stop)).status).toBe(200);
  const third = ask();
  await judge(2);
  expect((await third).status).toBe(200);
});

test('a person can ask for 60 dry runs in a minute; another one is refused, says when to come back, and is not on the record', async () => {
  await escalate(escalated());
  const ask = () =>
    harness.app.inject({
      method: 'POST',
      url: `/v1/reviews/${proposalId}/dry-run`,
      headers: { authorization: 'Bearer lea-token' },
      payload: { payload: changed },
    });
  for (let n = 0; n < 60; n += 10) {
    const answers = Promise.all(Array.from({ length: 10 }, ask));
    await vi.waitFor(() => expect(asked()).toHaveLength(n + 10), { timeout: 10_000 });
    const judged = asked().slice(n) as { data: DataOf<'DryRunAsked'> }[];
    await harness.deliver(
      'dry-runs.judged.v1',
      judged.map(({ data: { dryRunId } }) => ({
        type: 'DryRunJudged',
        data: { dryRunId, proposalId, outcome: 'approved' as const, reasons: [], at },
        key: proposalId,
      })),
    );
    expect((await answers).map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
  }
  const refused = await ask();
  expect([refused.statusCode, refused.json().title]).toEqual([429, 'Too many dry runs']);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(asked()).toHaveLength(60);
});

test('a dry run of a checkpoint is refused here: no rule judges it', async () => {
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint(), key: 'acme' }]);
  expect(await call('POST', `/v1/reviews/${checkpointId}/dry-run`, {})).toMatchObject({
    status: 400,
    body: { title: 'Not judged by rules' },
  });
  expect(asked()).toHaveLength(0);
});

test('an open card has the stops that cover it, by name, and what an approval under them comes to', async () => {
  await escalate(escalated());
  await harness.query(`INSERT INTO accounts (account_id, name, version) VALUES ('acme', 'Acme', 1)`);
  const order = (scope: string, state: string) =>
    call('POST', '/v1/controls', { scope, state, reason: `for ${scope}` });
  const held = async () => (await call('GET', `/v1/reviews/${proposalId}`)).body.underStop;
  expect(await held()).toBeNull();
  for (const scope of ['account:other', 'channel:email', 'account:acme', 'channel:advertising'])
    expect((await order(scope, 'stopped')).status).toBe(200);
  expect(await held()).toEqual({
    stops: [
      { scope: 'account:acme', name: 'Acme', by: 'lea', reason: 'for account:acme', changedAt: at },
      { scope: 'channel:advertising', name: null, by: 'lea', reason: 'for channel:advertising', changedAt: at },
    ],
    approving: expect.stringMatching(/^If you approve it now, changed or not, it is refused/),
    loss: expect.stringMatching(/^It would be refused now .* Wait for the resume/),
  });
  for (const scope of ['account:acme', 'channel:advertising']) await order(scope, 'running');
  expect(await held()).toBeNull();
  await order('all', 'stopped');
  expect((await held()).stops).toHaveLength(1);
  // Nothing can be approved of a card that has its answer.
  await call('POST', `/v1/reviews/${proposalId}`, {
    decision: 'reject',
    digest: escalated().digest,
    category: 'other',
  });
  expect(await held()).toBeNull();
});

test('what a card rests on has another digest when consent, stop, policy or use of a limit changes, and no other one else', async () => {
  const contactId = derivedId('given', 'contact');
  const person = { contactId, seniority: 'vp' as const };
  await escalate(escalated({ card: { ...escalated().card, people: [person] } }));
  const digest = async () => (await call('GET', `/v1/reviews/${proposalId}/facts`)).body.digest;
  let last = await digest();
  const expectAnother = async (what: string) => {
    const next = await digest();
    expect([what, next]).not.toEqual([what, last]);
    last = next;
  };
  const consents = (person: string, version: number) =>
    harness.deliver('consents.v1', [
      {
        type: 'ConsentsChanged',
        data: { contactId: person, entries: [], suppressions: [], version, changedAt: at },
        key: person,
      },
    ]);
  const approve = (n: number, adAccountId: string) => {
    const proposal = derivedId('given', 'proposal', String(n));
    const action = {
      ...escalated().action,
      actionId: derivedId('action', proposal),
      payload: { ...payload, adAccountId },
    };
    const judged = {
      action,
      actionId: action.actionId,
      digest: digestOf(action),
      proposalId: proposal,
      permitId: derivedId('given', 'permit', String(n)),
      reservations: [
        { ledger: `spend:ad-account:${adAccountId}:2026-11-21`, amount: 60_000, currency: 'EUR' },
        { ledger: 'spend:campaign:c-2:2026-11-21', amount: 60_000, currency: 'EUR' },
      ],
    };
    return harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved(judged), key: 'ads' }]);
  };
  await consents(contactId, 1);
  await expectAnother('consents of its person');
  await approve(1, 'ads-1');
  await expectAnother('an approval that spends of the same ad account');
  const stop = { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'a drill' };
  expect((await call('POST', '/v1/controls', stop)).status).toBe(200);
  await expectAnother('a stop');
  await consents(derivedId('given', 'somebody else'), 1);
  await approve(2, 'ads-2');
  expect(await digest()).toBe(last);
  expect((await call('GET', `/v1/reviews/${derivedId('nothing')}/facts`)).status).toBe(404);
});

test('a dry run says so where the validator does not answer', async () => {
  await escalate(escalated());
  const answer = await call('POST', `/v1/reviews/${proposalId}/dry-run`, { payload: changed });
  expect(answer).toEqual({ status: 200, body: { judged: false } });
});

test('a dry run of what is no payload of the kind, or changes nothing, is refused here and asks nobody', async () => {
  await escalate(escalated());
  const dryRun = (given: object) => call('POST', `/v1/reviews/${proposalId}/dry-run`, { payload: given });
  expect(await dryRun({ ...payload, amountMinor: -1 })).toMatchObject({
    status: 400,
    body: { field: 'payload.amountMinor' },
  });
  expect(await dryRun(payload)).toMatchObject({ status: 400, body: { title: 'Nothing changed' } });
  expect(asked()).toHaveLength(0);
});

test('the kinds of actions are told with what their payload may say', async () => {
  const { body } = await call('GET', '/v1/kinds');
  expect(body.kinds.map(({ kind }: { kind: string }) => kind)).toEqual(actionKindNames);
  const shift = body.kinds.find(({ kind }: { kind: string }) => kind === 'ads.shift_budget');
  expect(shift).toMatchObject({
    channel: 'advertising',
    reversible: true,
    payload: {
      type: 'object',
      additionalProperties: false,
      required: ['adAccountId', 'fromCampaignId', 'toCampaignId', 'amountMinor', 'currency'],
      properties: { amountMinor: { type: 'integer', exclusiveMinimum: 0 } },
    },
  });
});

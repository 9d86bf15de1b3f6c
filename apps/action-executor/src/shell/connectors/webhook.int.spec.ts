import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { spec as shipped } from '../../module.js';
import { Approvals } from '../approvals.consumer.js';
import { ComparedState } from '../compared-state.service.js';
import { CONNECTORS } from '../connector.js';
import { PermitJobs } from '../permit.job.js';
import { Permits } from '../permits.repository.js';
import { SETTINGS } from '../settings.js';
import { approvalOf, policy, setBid, signingKey, verifyKeys } from '../testing.js';
import { Webhook } from './webhook.js';

/* The executor, a real database, and a receiver that is as bad as it may be. */

const key = signingKey();
const { access: _pages, ...withoutPages } = shipped;
const spec: ServiceSpec = { ...withoutPages, port: 0 };
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const start = '2026-11-21T10:00:00.000Z';

type Answer = (response: ServerResponse) => unknown;
const silent: Answer = (response) => response.destroy();
const text =
  (status: number, body = '', type = 'text/html'): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': type }).end(body);
const json = (status: number, body: unknown): Answer => text(status, JSON.stringify(body), 'application/json');
const page = '<html><body><h1>Not the receiver</h1></body></html>';
const absent = json(404, { outcome: 'absent' });
const found = json(200, { outcome: 'done', reference: 'r-1' });

/** What it answers to its calls and questions, in order; the last one is repeated. The first call has its effect. */
let calls: Answer[];
let questions: Answer[];
let got: string[];
let server: Server;
let webhook: Webhook;
let database: TestDatabase;
let harness: Harness;

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Approvals],
  providers: [
    {
      provide: SETTINGS,
      useValue: { permitKeys: verifyKeys(key), patience: { turns: 4, backoffMs: 500, behindMs: 150 } },
    },
    { provide: CONNECTORS, useFactory: () => new Map([[webhook.name, webhook]]) },
    ComparedState,
    Permits,
    PermitJobs,
  ],
})
class TestModule {}

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const kind = request.url?.includes('?key=') ? 'question' : 'call';
      got.push(kind);
      const answers = kind === 'call' ? calls : questions;
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? silent;
      answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  webhook = new Webhook({ url: `http://127.0.0.1:${port}/`, secret, timeoutMs: 5_000 });
  database = await createTestDatabase();
  harness = await createHarness(TestModule, spec, { databaseUrl: database.url, at: start });
});
beforeEach(async () => {
  got = [];
  harness.setNow(start);
  await harness.query('TRUNCATE permits, jobs, inbox, outbox, state_rows');
  await harness.putState('policies.v1', 'main', policy(1));
});
afterAll(async () => {
  await harness?.close();
  await database?.drop();
  server?.closeAllConnections();
  server?.close();
});

/** Runs one permit to its end, or for as many turns as it may have, and tells how it was settled. */
const settled = async () => {
  const approval = approvalOf(setBid(), key, { connector: 'webhook' });
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', id: 'event-1', data: approval }]);
  const published = await harness.runJobs();
  for (let minute = 1; minute <= 5 && published.length === 0; minute++) {
    harness.setNow(new Date(Date.parse(start) + minute * 60_000).toISOString());
    published.push(...(await harness.runJobs()));
  }
  expect(published).toHaveLength(1);
  const [{ data }] = published as unknown as [{ data: { outcome: string; reason?: { code: string; detail: string } } }];
  const { outcome, reason } = data;
  return { outcome, ...reason };
};

const refusals: [string, Answer][] = [
  ['400', text(400)],
  ['404', text(404)],
  ['404 with a page', text(404, page)],
  ['409', text(409)],
  ['409 that says rejected', json(409, { outcome: 'rejected', reason: 'duplicate' })],
  ['410', text(410)],
  ['412', text(412)],
  ['422 that says duplicate', json(422, { reason: 'duplicate' })],
  ['425', text(425)],
  ['429', text(429)],
  ['a redirect', text(302)],
  ['500', text(500)],
  ['200 with a page', text(200, page)],
  ['no answer', silent],
];

test.each(refusals)(
  'done but unanswered, then %s to the repeat: the question finds it, and it is executed',
  async (_name, repeat) => {
    calls = [silent, repeat];
    // Not written down yet when it is first asked.
    questions = [absent, found];
    expect(await settled()).toMatchObject({ outcome: 'executed' });
    expect(got).toEqual(['call', 'question', 'call', 'question']);
  },
);

test.each(refusals)(
  'done but unanswered, then %s to every repeat and nothing found: unresolved, never failed',
  async (_name, repeat) => {
    calls = [silent, repeat];
    questions = [absent];
    expect(await settled()).toMatchObject({ outcome: 'unresolved', code: 'not-confirmed' });
  },
);

const bare: [string, Answer][] = [
  ['a bare 404', text(404)],
  ['a proxy’s page with 404', text(404, page)],
  ['some other service’s 404', json(404, { error: 'not found' })],
  ['410', text(410)],
  ['405', text(405)],
  ['200 with a page', text(200, page)],
  ['a redirect', text(302)],
  ['no answer', silent],
];

test.each(bare)(
  'done but unanswered, and %s to the question: nobody knows, so it is not called again',
  async (_name, answer) => {
    calls = [silent, text(409)];
    questions = [answer];
    expect(await settled()).toMatchObject({ outcome: 'unresolved', code: 'no-answer' });
    expect(got.filter((kind) => kind === 'call')).toHaveLength(1);
  },
);

test('a conflict on the very first call may be with a key of ours: the question decides', async () => {
  calls = [text(409)];
  questions = [found];
  expect(await settled()).toMatchObject({ outcome: 'executed' });
});

test('a refusal of the first call that left is a failure', async () => {
  calls = [text(422)];
  questions = [silent];
  expect(await settled()).toMatchObject({ outcome: 'failed', code: 'receiver-refused' });
  expect(got).toEqual(['call']);
});

test('a refusal that is kept under the key is found by the question, and is a failure', async () => {
  calls = [silent];
  questions = [json(200, { outcome: 'rejected', reason: 'no such list' })];
  expect(await settled()).toMatchObject({ outcome: 'failed', detail: 'no such list' });
});

test('a refusal that another instance’s call may have made is not settled by the one that lost the permit', async () => {
  calls = [
    async (response) => {
      await harness.query('UPDATE permits SET turns = turns + 1');
      text(422)(response);
    },
  ];
  questions = [silent];
  const approval = approvalOf(setBid(), key, { connector: 'webhook' });
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', id: 'event-1', data: approval }]);
  expect(await harness.runJobs()).toEqual([]);
  expect(await harness.query('SELECT turns, outcome FROM permits')).toEqual([{ turns: 2, outcome: null }]);
});

test('a receiver that is away is not asked what it cannot know: the first call that leaves is carried out', async () => {
  const { port } = server.address() as AddressInfo;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  const approval = approvalOf(setBid(), key, { connector: 'webhook' });
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', id: 'event-1', data: approval }]);
  expect(await harness.runJobs()).toEqual([]);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  calls = [json(200, { reference: 'r-1' })];
  questions = [silent];
  harness.setNow(new Date(Date.parse(start) + 60_000).toISOString());
  expect(await harness.runJobs()).toMatchObject([{ data: { outcome: 'executed', externalReference: 'r-1' } }]);
  expect(got).toEqual(['call']);
});

test('a receiver that stays away has failed the permit, which claims no call', async () => {
  const { port } = server.address() as AddressInfo;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  expect(await settled()).toMatchObject({
    outcome: 'failed',
    code: 'not-sent',
    detail: expect.stringContaining('nothing could be sent in 4 tries'),
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
});

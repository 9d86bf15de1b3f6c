import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { Module } from '@nestjs/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { spec as shipped } from '../module.js';
import { Approvals } from './approvals.consumer.js';
import { ComparedState } from './compared-state.service.js';
import { CONNECTORS, type Connectors } from './connector.js';
import { Webhook } from './connectors/webhook.js';
import { PermitJobs } from './permit.job.js';
import { Permits } from './permits.repository.js';
import { SETTINGS } from './settings.js';
import { approvalOf, Double, policy, setBid, signingKey, verifyKeys } from './testing.js';

/* One executor, two connected systems, its loops running: one of the two is as bad as it may be. */

const key = signingKey();
const { access: _pages, ...withoutPages } = shipped;
const spec: ServiceSpec = { ...withoutPages, port: 0 };
const start = '2026-11-21T10:00:00.000Z';
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

let server: Server;
let respond: (response: ServerResponse) => unknown;
let asked: number;
let connectors: Connectors;
let double: Double;
let database: TestDatabase;
let harness: Harness;
let ticking: NodeJS.Timeout;
let stop: () => Promise<void>;

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Approvals],
  providers: [
    {
      provide: SETTINGS,
      useValue: { permitKeys: verifyKeys(key), patience: { turns: 3, backoffMs: 500, behindMs: 150 } },
    },
    { provide: CONNECTORS, useFactory: () => connectors },
    ComparedState,
    Permits,
    PermitJobs,
  ],
})
class TestModule {}

beforeEach(async () => {
  asked = 0;
  server = createServer((request, response) => {
    asked++;
    request.resume().on('end', () => respond(response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  double = new Double();
  const webhook = new Webhook({ url: `http://127.0.0.1:${port}/`, secret, timeoutMs: 10_000 });
  connectors = new Map([webhook, double].map((c) => [c.name, c]));
  database = await createTestDatabase();
  harness = await createHarness(TestModule, spec, { databaseUrl: database.url, at: start });
  await harness.putState('policies.v1', 'main', policy(1));
  const began = performance.now();
  ticking = setInterval(() => {
    harness.setNow(new Date(Date.parse(start) + performance.now() - began).toISOString());
  }, 50);
  ticking.unref();
});
afterEach(async () => {
  clearInterval(ticking);
  server.closeAllConnections();
  server.close();
  await stop?.();
  await harness.close();
  await database.close();
});

const give = (connector: string, from: number, count: number) =>
  harness.deliver(
    'actions.approved.v1',
    Array.from({ length: count }, (_, n) => ({
      type: 'ActionApproved',
      id: `${connector}-${from + n}`,
      data: approvalOf(setBid(`${connector}-${from + n}`), key, { connector }),
    })),
  );

const moods: [string, (response: ServerResponse) => unknown][] = [
  ['never answers', () => undefined],
  ['answers a head and no body', (response) => response.writeHead(200).flushHeaders()],
  [
    'answers in drops',
    (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 100);
      response.once('close', () => clearInterval(timer));
    },
  ],
  [
    'answers without end',
    (response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384, 0x20)));
        if (!response.destroyed) response.once('drain', more);
      };
      response.writeHead(200);
      more();
    },
  ],
  [
    'breaks off in its answer',
    (response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"outcome"', () => response.destroy());
    },
  ],
];

test.each(moods)(
  'where one connected system %s to hundreds of calls, the other goes on',
  async (_name, mood) => {
    respond = mood;
    await give('webhook', 0, 400);
    stop = harness.startJobs();
    // The bad one has whatever it can get.
    await vi.waitFor(() => expect(asked).toBeGreaterThanOrEqual(16), { timeout: 5_000 });
    for (let from = 0; from < 60; from += 20) {
      await give('double', from, 20);
      await vi.waitFor(() => expect(double.effects).toBe(from + 20), { timeout: 7_000 });
    }
  },
  60_000,
);

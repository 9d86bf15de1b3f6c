import { Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { RUNTIME } from '../api/runtime.js';
import type { Health } from '../engine/health.js';
import { readingToken } from '../harness.js';
import { type Access, AccessGuard, bearerToken } from './access.js';
import { HealthController, HealthReaders } from './health.controller.js';
import { httpAdapter, letIn } from './http-adapter.js';

const healthy: Health = {
  status: 'ok',
  service: 'console',
  ready: true,
  well: true,
  checks: { database: 'ok', paused: { 'signals.accepted.v1/2': 'reason' } },
};
let health: Health;
let asked = 0;

/** A person has a role, a source has none. */
class Known implements Access {
  readonly realm = 'here';
  readonly identify: Access['identify'] = (headers) => {
    const token = bearerToken(headers);
    if (token === 'of-lea') return { principal: { name: 'lea', roles: ['viewer'] } };
    if (token === 'of-crm') return { principal: { name: 'crm', roles: [] } };
    return { refusal: { status: 401, title: 'no', detail: 'no' } };
  };
}

const engine = {
  spec: { name: 'console', access: Known },
  health: async () => {
    asked++;
    return health;
  },
};

@Module({
  controllers: [HealthController],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    HealthReaders,
    Known,
    { provide: RUNTIME, useValue: engine },
  ],
})
class Site {}

async function site() {
  const reading = readingToken();
  onTestFinished(() => reading.remove());
  const adapter = httpAdapter();
  letIn(adapter, new Known());
  const app = await NestFactory.create<NestFastifyApplication>(Site, adapter, { logger: false });
  await app.init();
  onTestFinished(() => app.close());
  const ask = async (url: string, authorization?: string) => {
    const answer = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
    return [answer.statusCode, answer.json()] as const;
  };
  return { ask, reading: reading.headers.authorization };
}

beforeEach(() => {
  health = healthy;
  asked = 0;
});

test('strangers and whoever has no role are told the status alone; people of the service and readers of the installation all of it', async () => {
  const { ask, reading } = await site();
  for (const [report, code] of [
    [healthy, 200],
    [{ ...healthy, status: 'degraded', well: false }, 503],
    [{ ...healthy, status: 'degraded' }, 200],
  ] as const) {
    health = report;
    for (const nobody of [undefined, 'Bearer of-nobody', 'Bearer of-crm'])
      expect(await ask('/health', nobody)).toEqual([code, { status: report.status }]);
    for (const somebody of ['Bearer of-lea', reading]) expect(await ask('/health', somebody)).toEqual([code, report]);
  }
});

test('ready is whether it takes work, also where something is wrong with it that waits for a person; nobody is told more', async () => {
  const { ask } = await site();
  for (const [report, code] of [
    [healthy, 200],
    [{ ...healthy, status: 'degraded', well: false }, 200],
    [{ ...healthy, status: 'degraded', well: false, ready: false }, 503],
    [{ ...healthy, status: 'starting', well: false, ready: false }, 503],
  ] as const) {
    health = report;
    for (const asker of [undefined, 'Bearer of-lea'])
      expect(await ask('/health/ready', asker)).toEqual([code, { status: report.status }]);
  }
});

test('live is answered by a process that is up, whatever is wrong, and asks nobody', async () => {
  const { ask } = await site();
  health = { ...healthy, status: 'degraded', ready: false, well: false };
  expect(await ask('/health/live')).toEqual([200, { status: 'live' }]);
  expect(asked).toBe(0);
});

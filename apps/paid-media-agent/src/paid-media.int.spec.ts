import { aCampaign, aTask, at, profilesWith } from '@countersign/agent/testing';
import type { ActionProposed, TaskAssigned } from '@countersign/contracts';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PaidMediaModule, spec } from './module.js';

let database: TestDatabase;
let service: Harness;

beforeEach(async () => {
  for (const name of ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_MODEL']) vi.stubEnv(name, '');
  database = await createTestDatabase();
  service = await createHarness(PaidMediaModule, spec, { databaseUrl: database.url, at });
  const campaigns = [aCampaign('cmp-a', 100, 300), aCampaign('cmp-low', 100, 40)];
  for (const [key, { data }] of profilesWith(campaigns)) await service.putState('profiles.v1', key, data);
});
afterEach(async () => {
  await service?.close();
  await database?.close();
  vi.unstubAllEnvs();
});

test('a surge and a campaign below its floor are answered in one batch, keyed by the ad account', async () => {
  const { accountId: _account, ...bare } = aTask();
  const below: TaskAssigned = {
    ...bare,
    taskId: '0b7c1c4e-6f0e-5f5a-9d0e-0c8f6a1d2b3c',
    contactIds: [],
    kinds: ['ads.pause_campaign'],
    adAccountId: 'ads-1',
    campaignId: 'cmp-low',
    settings: { floorPercent: 120, windowDays: 7, pauseBelowShare: 50 },
  };
  const out = await service.deliver(
    'tasks.assigned.v1',
    [aTask(), below].map((data) => ({ type: 'TaskAssigned', data })),
  );
  const proposed = out.filter((e) => e.type === 'ActionProposed');
  expect(proposed.map((e) => [e.topic, e.key, (e.data as ActionProposed).action.kind])).toEqual([
    ['actions.proposed.paid-media-agent.v1', 'ads-1', 'ads.set_bid'],
    ['actions.proposed.paid-media-agent.v1', 'ads-1', 'ads.pause_campaign'],
  ]);
  expect(out.filter((e) => e.type === 'TaskSettled').map((e) => e.key)).toEqual(['acme', 'ads-1']);
});

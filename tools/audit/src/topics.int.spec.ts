import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deploymentIn, write } from '@countersign/client';
import {
  acls,
  type DataOf,
  derivedId,
  shippedDeployment,
  sourceOf,
  topicConfig,
  topology,
} from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { startTestBroker, type TestBroker } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkInvariants } from './check.js';
import { world } from './given.js';
import { readTopics } from './topics.js';

/* What the audit sees of those that a configuration added, on a broker that was set up by it. */

const user = (name: string) => ({ name, password: `password-of-${name}` });
const taskId = derivedId('task', 1);
const proposalId = derivedId('proposal', 1);

let folder: string;
let broker: TestBroker;
const installed = () => deploymentIn({ CONFIG_DIR: folder }, { deployment: undefined, from: undefined });
const as = (name: string) => new kafkajs.Kafka({ ...broker.access(user(name)), logLevel: kafkajs.logLevel.NOTHING });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  const source = (name: string, via: string) =>
    `  - { name: ${name}, via: ${via}, source: /sources/${name}, title: T }\n`;
  writeFileSync(
    join(folder, 'sources.yaml'),
    // Without the sequencing-agent and most sources that were shipped, and with others.
    `sources:\n${source('website', 'http')}${source('shop', 'kafka')}` +
      'agents: [paid-media-agent, seo-agent]\nexecutors: [action-executor, ledger]\n',
  );
  const topics = topology(installed());
  broker = await startTestBroker({
    users: ['auditor', 'orchestrator', 'seo-agent', 'shop'].map(user),
    topics: topics.map(({ name, ...topic }) => ({ name, partitions: 1, config: topicConfig({ name, ...topic }) })),
    acls: acls(topics),
  });
});

afterAll(async () => {
  await broker?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

test('the audit reads what an added agent and an added source wrote, and misses nobody who is gone', async () => {
  const at = new Date().toISOString();
  const message = (writer: string, type: 'TaskAssigned' | 'TaskSettled', data: unknown) => ({
    key: 'k',
    event: { id: derivedId(type, 1), source: sourceOf(writer), type, time: at, data } as never,
  });
  const play = { id: 'p', runId: derivedId('run', 1), title: 'P' };
  const task: DataOf<'TaskAssigned'> = {
    taskId,
    play,
    agent: 'seo-agent',
    purpose: 'p',
    kinds: ['ads.set_bid'],
    settings: {},
    contactIds: [],
    evidence: [],
    assignedAt: at,
    dueAt: at,
    madeFrom: {},
  };
  const settled: DataOf<'TaskSettled'> = {
    taskId,
    agent: 'seo-agent',
    play,
    outcome: 'proposed',
    reason: 'r',
    proposalIds: [],
    at,
  };
  await write(as('orchestrator'), broker.bootstrap, 'tasks.assigned.v1', [
    message('orchestrator', 'TaskAssigned', task),
  ]);
  await write(as('seo-agent'), broker.bootstrap, 'tasks.settled.seo-agent.v1', [
    message('seo-agent', 'TaskSettled', { ...settled, proposalIds: [proposalId] }),
  ]);
  const signal = { id: 's-1', source: '/sources/shop', type: 'PageViewed', time: at, data: {} } as never;
  await write(as('shop'), broker.bootstrap, 'signals.inbound.shop.v1', [{ key: 'k', event: signal }]);

  const read = await readTopics(as('auditor'), broker.bootstrap, topology(installed()));
  expect(read.seen.map(({ event }) => event.type).sort()).toEqual(['TaskAssigned', 'TaskSettled']);
  expect(read.inbound).toMatchObject([{ source: '/sources/shop', id: 's-1' }]);
  expect(read.unreadable).toEqual([]);
  const long = new Date(Date.parse(at) + 3_600_000).toISOString();
  const observed = {
    ...world().observed(),
    ...read,
    at: long,
    participants: installed(),
    record: null,
    reserved: null,
  };
  const lost = checkInvariants(observed).violations.filter(({ invariant }) => invariant === 'nothing-lost');
  // The task is answered; what the agent says it proposed is missing, as it would be of an agent that was shipped.
  expect(lost.map(({ ids, detail }) => [ids, detail.split(' since')[0]])).toEqual([
    [['s-1'], 'signal waits for signal-ingestion'],
    [[proposalId], 'proposal waits for seo-agent to publish it'],
  ]);
});

test('a topic that the configuration does not name is not passed over: there is no audit without it', async () => {
  await expect(readTopics(as('auditor'), broker.bootstrap, topology(shippedDeployment))).rejects.toThrow(
    /the audit may read actions.proposed.seo-agent.v1, .*signals.inbound.shop.v1.*, which the configuration does not name: set CONFIG_DIR/,
  );
});

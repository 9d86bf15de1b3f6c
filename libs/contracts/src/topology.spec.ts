import { expect, test } from 'vitest';
import {
  acls,
  isService,
  ownNames,
  quotas,
  services,
  shippedDeployment,
  topicConfig,
  topicNamed,
  topology,
} from './topology.js';

const topics = topology();
const may = (principal: string, operation: string) =>
  acls(topics)
    .filter(
      (a) =>
        a.principal === principal && a.resource === 'topic' && (a.operations as readonly string[]).includes(operation),
    )
    .map((a) => a.name);

test('only the validator may write approvals, and only the console controls and policies', () => {
  const writers = (name: string) =>
    [...services, ...shippedDeployment.executors, 'upstream'].filter((p) => may(p, 'write').includes(name));
  expect(writers('actions.approved.v1')).toEqual(['guardrail-validator']);
  expect(writers('controls.v1')).toEqual(['console']);
  expect(writers('policies.v1')).toEqual(['console']);
});

test('an outside upstream may write its own signals and read nothing of ours', () => {
  expect(may('upstream', 'write')).toEqual(['signals.inbound.upstream.v1']);
  expect(may('upstream', 'read')).toEqual([]);
});

test('writers outside may use transactions under ten ids of their own, and nobody else may', () => {
  const ids = acls(topology()).filter(({ resource }) => resource === 'transactional-id');
  expect(ids.every(({ pattern }) => pattern === 'literal')).toBe(true);
  for (const principal of ['downstream', 'upstream'])
    expect(ids.filter((id) => id.principal === principal).map(({ name }) => name)).toEqual(ownNames(principal));
  expect(ids).toHaveLength(20);
});

test('nobody outside has more groups or transactional ids than the broker can keep in its memory', () => {
  const inside = (principal: string) => isService(principal) || principal === 'auditor';
  const outside = acls(topology()).filter(({ principal, resource }) => !inside(principal) && resource !== 'topic');
  expect(new Set(outside.map(({ principal }) => principal))).toEqual(new Set(['downstream', 'upstream']));
  expect(outside.filter(({ pattern }) => pattern !== 'literal')).toEqual([]);
  for (const { principal, name } of outside) expect(ownNames(principal)).toContain(name);
});

test('an outside executor reads approvals and the state they are compared with, and writes its own settlements and confirmations', () => {
  expect(may('downstream', 'write')).toEqual(['actions.settled.downstream.v1', 'controls.confirmed.downstream.v1']);
  expect(may('downstream', 'read')).toEqual([
    'actions.approved.v1',
    'consents.v1',
    'controls.v1',
    'policies.v1',
    'record.checkpoints.v1',
    'settlements.decided.v1',
  ]);
});

test('sealed contact points reach executors of ours only', () => {
  expect(topicNamed('contact-points.v1', topics).readers).toEqual([
    'action-executor',
    'audit-recorder',
    'signal-ingestion',
  ]);
});

test('the recorder reads every topic but its own checkpoints', () => {
  expect(topics.filter((t) => !t.readers.includes('audit-recorder')).map((t) => t.name)).toEqual([
    'record.checkpoints.v1',
  ]);
});

test('the audit reads every topic under a login of its own, and may write none', () => {
  const own = acls(topics).filter(({ principal }) => principal === 'auditor');
  expect(own.filter(({ resource }) => resource === 'topic').map(({ name }) => name)).toEqual(
    topics.map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en')),
  );
  expect(new Set(own.flatMap(({ operations }) => operations))).toEqual(new Set(['read', 'describe-configs']));
  expect(own.filter(({ resource }) => resource !== 'topic').map(({ name }) => name)).toEqual(['auditor', 'auditor.']);
});

test('whoever writes a state topic reads it back', () => {
  for (const t of topics.filter((t) => t.kind === 'state')) expect(t.readers, t.name).toContain(t.writer);
});

test('a misspelt topic is a bug', () => {
  expect(() => topicNamed('actions.aproved.v1', topics)).toThrow(/no topic/);
});

test('everybody who is no service has quotas, and no service has any', () => {
  expect(quotas(topics).map(({ principal }) => principal)).toEqual(['downstream', 'upstream']);
});

test('the broker keeps every batch as its writer compressed it, so that none is unpacked on its heap', () => {
  for (const topic of topics) expect(topicConfig(topic)).toMatchObject({ 'compression.type': 'producer' });
});

test('the age of a record counts from when the broker took it, whatever time its writer gave it', () => {
  for (const topic of topics) expect(topicConfig(topic)).toMatchObject({ 'message.timestamp.type': 'LogAppendTime' });
});

test('what is sealed for one request is kept for a day, and the broker begins new segments so that it is deleted then', () => {
  expect(topicConfig(topicNamed('reveals.sealed.v1', topics))).toMatchObject({
    'retention.ms': '86400000',
    'segment.ms': '3600000',
  });
  expect(
    topics.filter(({ name }) => name.startsWith('reveals.')).map(({ writer, readers }) => [writer, readers]),
  ).toEqual([
    ['console', ['audit-recorder', 'console', 'signal-ingestion']],
    ['signal-ingestion', ['audit-recorder', 'console']],
    ['signal-ingestion', ['audit-recorder', 'console']],
  ]);
});

test('a state topic is compacted, and not before a read-back and a reader’s start are long over; no other topic is', () => {
  for (const topic of topics) {
    const { 'cleanup.policy': policy, 'min.compaction.lag.ms': lag } = topicConfig(topic);
    expect(policy, topic.name).toBe(topic.kind === 'state' ? 'compact' : 'delete');
    if (topic.kind === 'state') expect(Number(lag), topic.name).toBeGreaterThanOrEqual(600_000);
  }
});

import { shippedDeployment, type Topic, topics, topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import type { ServiceSpec } from '../api/runtime.js';
import { serviceTopics } from './service-topics.js';
import { checkHandlers } from './worker.js';

const all = topology(shippedDeployment);
const names = (list: readonly Topic[]) => list.map(({ name }) => name);
const tasks = { topic: topics.tasksAssigned, key: () => '', value: () => ({}) };
const topicsOf = (spec: Pick<ServiceSpec, 'name' | 'state' | 'ownState' | 'lookedUp'>) => serviceTopics(spec, all);

test('a service watches what it may read and its own state, and uses what it reads or writes', () => {
  const console = topicsOf({ name: 'console', ownState: [topics.controls, topics.policies] });
  expect(names(console.ownState)).toEqual(['controls.v1', 'policies.v1']);
  expect(names(console.watched)).toEqual(expect.arrayContaining(names(console.readable)));
  expect(names(console.watched)).toEqual(expect.arrayContaining(['controls.v1', 'policies.v1']));
  expect(console.writable.has('reviews.decided.v1')).toBe(true);
  expect(names(console.used)).toEqual(expect.arrayContaining(['reviews.decided.v1', 'actions.escalated.v1']));
  expect(names(console.used)).not.toContain('contact-points.v1');
});

test('it follows the state of others and the events that it looks up', () => {
  const { followed, lookedUp } = topicsOf({
    name: 'guardrail-validator',
    state: [topics.controls],
    lookedUp: [tasks] as never,
  });
  expect(names(followed)).toEqual(['controls.v1', 'tasks.assigned.v1']);
  expect([...lookedUp.keys()]).toEqual(['tasks.assigned.v1']);
});

test.each([
  [
    'it follows them and may confirm',
    { name: 'action-executor', state: [topics.controls] },
    'controls.confirmed.action-executor.v1',
  ],
  ['it follows none', { name: 'action-executor', state: [topics.policies] }, undefined],
  ['the topology gives it no topic for that', { name: 'orchestrator', state: [topics.controls] }, undefined],
] as const)('it confirms controls where it should: %s', (_why, spec, confirms) => {
  expect(topicsOf(spec).confirms).toBe(confirms);
});

test('a confirmation and state are no work by which a restore is noticed', () => {
  const { worksOn } = topicsOf({ name: 'action-executor', state: [topics.controls] });
  expect(names(worksOn)).toEqual(['actions.settled.action-executor.v1', 'action-executor.dead-letters.v1']);
  expect(names(topicsOf({ name: 'signal-ingestion' }).worksOn)).not.toContain('profiles.v1');
});

test.each<[string, readonly string[], boolean, RegExp | undefined]>([
  ['of a topic that it may read', ['tasks.assigned.v1'], false, undefined],
  ['of a topic that it may not read', ['contact-points.v1'], false, /does not let it read/],
  ['beside a record consumer', ['tasks.assigned.v1'], true, /has handlers too/],
])('a service with handlers %s', (_what, handled, recordConsumer, refused) => {
  const check = () =>
    checkHandlers('guardrail-validator', handled, recordConsumer, topicsOf({ name: 'guardrail-validator' }));
  if (refused) expect(check).toThrow(refused);
  else expect(check).not.toThrow();
});

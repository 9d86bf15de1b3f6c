import { topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { type GroupsSeen, type ServiceFigures, servicesHealth } from './services.js';

const participants = { agents: ['paid-media-agent'], executors: ['action-executor', 'downstream'] };
const topics = topology({ ...participants, sources: [] });
const at = '2026-11-21T10:00:00.000Z';
const nothing: ServiceFigures = { topicsHeard: [], openDeadLetters: [], notConfirmed: new Map() };
const healthOf = (service: string, seen: Partial<GroupsSeen>, figures: Partial<ServiceFigures> = {}) =>
  servicesHealth(
    participants,
    topics,
    { at, members: new Map([['orchestrator', 2]]), lastMemberAt: new Map(), ...seen },
    { ...nothing, ...figures },
    at,
  ).find((health) => health.service === service);

test('a service is confirmed while the broker counts an instance of it', () => {
  expect(healthOf('orchestrator', {})).toMatchObject({ state: 'confirmed', instances: 2, elsewhere: false });
  expect(healthOf('signal-ingestion', {})).toMatchObject({
    state: 'not-confirmed',
    instances: 0,
    detail: expect.stringContaining('no instance'),
  });
});

test('what the broker said half a minute ago confirms nothing; nor does a broker that cannot be asked', () => {
  expect(healthOf('orchestrator', { at: '2026-11-21T09:59:29.000Z', failed: 'connection refused' })).toMatchObject({
    state: 'not-confirmed',
    instances: null,
    detail: expect.stringContaining('connection refused'),
  });
  expect(healthOf('orchestrator', { at: null })).toMatchObject({ state: 'not-confirmed', instances: null });
});

test('a service that has not confirmed a stop is not confirmed; who runs elsewhere never is', () => {
  const notConfirmed = new Map([['action-executor', 1]]);
  const members = new Map([['action-executor', 1]]);
  expect(healthOf('action-executor', { members }, { notConfirmed })).toMatchObject({
    state: 'not-confirmed',
    controlsNotConfirmed: 1,
  });
  expect(healthOf('downstream', {})).toMatchObject({ state: 'not-confirmed', elsewhere: true, instances: null });
  expect(healthOf('sequencing-agent', {})).toBeUndefined();
});

test('the last event of a service is the latest on any of its topics', () => {
  const topicsHeard = [
    { topic: 'tasks.assigned.v1', at: '2026-11-21T09:00:00.000Z' },
    { topic: 'tasks.escalated.v1', at: '2026-11-21T09:30:00.000Z' },
    { topic: 'actions.approved.v1', at },
  ];
  const openDeadLetters = [{ service: 'orchestrator', n: 3 }];
  expect(healthOf('orchestrator', {}, { topicsHeard, openDeadLetters })).toMatchObject({
    lastEventAt: '2026-11-21T09:30:00.000Z',
    openDeadLetters: 3,
  });
});

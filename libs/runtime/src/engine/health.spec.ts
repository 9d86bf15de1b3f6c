import { expect, test } from 'vitest';
import type { Gap } from '../kafka/gaps.js';
import { type HealthFacts, healthOf } from './health.js';

const well: HealthFacts = {
  service: 'console',
  phase: 'ok',
  database: { detail: 'ok', gaps: [], restored: {} },
  consumers: ['running', 'running'],
  expiring: [],
  topicsMissing: [],
  rightsMissing: {},
  crashed: {},
  paused: {},
  slow: {},
  stale: {},
  providers: [],
  misset: [],
  clockOff: undefined,
  knowsTime: true,
  stateAgeMs: undefined,
  stateIgnored: {},
  stateTakenOver: {},
  stateOvertaken: {},
};
const noted = { database: 'ok', consumer: 'running', clock: 'ok' };
const gap: Gap = {
  topic: 't',
  topicId: 'id',
  partition: 0,
  from: 3,
  to: 5,
  reason: 'records-deleted',
  noticedAt: '2026-11-21T10:00:00.000Z',
};

test('a service without any trouble is ok, well and ready, and shows its database, its consumers and its clock', () => {
  expect(healthOf(well)).toEqual({ status: 'ok', service: 'console', ready: true, well: true, checks: noted });
});

const at = { 't/0': 'bad' };
test.each<[string, Partial<HealthFacts>, object, { status?: string; well?: boolean; ready?: boolean }]>([
  [
    'a database that does not answer',
    { database: { detail: 'no answer for 3 s', gaps: [], restored: {} } },
    { database: 'no answer for 3 s' },
    { ready: false },
  ],
  ['a gap', { database: { detail: 'ok', gaps: [gap], restored: {} } }, { gaps: [gap] }, {}],
  ['a consumer that is silent', { consumers: ['running', 'silent'] }, { consumer: 'silent' }, { ready: false }],
  ['records that are soon deleted', { expiring: ['t/0'] }, { expiring: ['t/0'] }, {}],
  ['a topic that is gone', { topicsMissing: ['t'] }, { topicsMissing: ['t'] }, {}],
  ['a right that is missing', { rightsMissing: { t: 'read' } }, { rightsMissing: { t: 'read' } }, {}],
  ['a consumer that crashed', { crashed: { g: 'bad' } }, { crashed: { g: 'bad' } }, {}],
  ['a partition that is paused', { paused: at }, { paused: at }, {}],
  ['a slice that takes long', { slow: { 't/0': 61 } }, { slow: { 't/0': 61 } }, {}],
  ['state that stands still', { stale: { t: 11_000 } }, { stale: { t: 11_000 } }, {}],
  [
    'what a provider tells of the service',
    { providers: [{ name: 'model', found: at, whom: 'itself' }] },
    { model: at },
    {},
  ],
  ['a clock that is off', { clockOff: '3 s ahead of the broker' }, { clock: '3 s ahead of the broker' }, {}],
  ['a writer that was overtaken', { stateOvertaken: { t: 'key' } }, { stateOvertaken: { t: 'key' } }, {}],
  [
    'what a provider tells of others only',
    { providers: [{ name: 'people', found: at, whom: 'others' }] },
    { people: at },
    { well: true },
  ],
  ['a time that is not known', { knowsTime: false }, {}, { status: 'ok', well: true, ready: false }],
  ['a start that is under way', { phase: 'starting' }, {}, { status: 'starting', ready: false }],
  ['a stop that is under way', { phase: 'stopping' }, {}, { status: 'stopping', ready: false }],
])('%s', (_what, facts, shown, expected) => {
  const { status = 'degraded', well: isWell = false, ready = true } = expected;
  expect(healthOf({ ...well, ...facts })).toEqual({
    ...{ status, service: 'console', ready, well: isWell },
    checks: { ...noted, ...shown },
  });
});

test.each<[string, Partial<HealthFacts>, object]>([
  [
    'records that are handled again',
    { database: { detail: 'ok', gaps: [], restored: { 't/0': 4 } } },
    { restored: { 't/0': 4 } },
  ],
  [
    'a setting of a topic that differs',
    {
      misset: [
        { topic: 't', setting: 'retention.ms', is: '1', wanted: '2' },
        { topic: 'u', setting: 'retention.ms', is: undefined, wanted: '2' },
      ],
    },
    { topicSettings: { 't retention.ms': '1, not 2', 'u retention.ms': 'unknown, not 2' } },
  ],
  ['the ages of state', { stateAgeMs: { t: 7, u: null } }, { stateAgeMs: { t: 7, u: null } }],
  ['that it follows no topic yet', { stateAgeMs: {} }, { stateAgeMs: {} }],
  [
    'state that was ignored',
    { stateIgnored: { t: { records: 2, last: '0/7: json' } } },
    { stateIgnored: { t: '2 records, the last at 0/7: json' } },
  ],
  ['keys taken over at the start', { stateTakenOver: { t: 3 } }, { stateTakenOver: { t: 3 } }],
  ['nothing of what a provider has nothing to tell', { providers: [{ name: 'model', found: {}, whom: 'itself' }] }, {}],
])('it shows %s and stays ok', (_what, facts, shown) => {
  expect(healthOf({ ...well, ...facts })).toEqual({
    ...{ status: 'ok', service: 'console', ready: true, well: true },
    checks: { ...noted, ...shown },
  });
});

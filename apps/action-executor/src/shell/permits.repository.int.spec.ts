import { randomBytes } from 'node:crypto';
import { type ActionApproved, derivedId } from '@countersign/contracts';
import { RuntimeModule, type ServiceSpec } from '@countersign/runtime';
import { createHarness, type Harness, type Published } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NotWritten } from '../core/answer.js';
import { spec as shipped } from '../module.js';
import { Approvals } from './approvals.consumer.js';
import { ComparedState } from './compared-state.service.js';
import { CONNECTORS } from './connector.js';
import { Decisions } from './decisions.consumer.js';
import { PastSettlements } from './past-settlements.recovery.js';
import { PermitJobs } from './permit.job.js';
import { Permits } from './permits.repository.js';
import { SETTINGS } from './settings.js';
import {
  approvalOf,
  consents,
  contactId,
  control,
  Double,
  policy,
  type Sealing,
  sendEmail,
  setBid,
  signingKey,
  verifyKeys,
} from './testing.js';

const key = signingKey();
const double = new Double();
const { access: _pages, ...withoutPages } = shipped;
const spec: ServiceSpec = { ...withoutPages, port: 0 };
const patience = { turns: 3, backoffMs: 500, behindMs: 150 };

@Module({
  imports: [RuntimeModule.of(spec)],
  controllers: [Approvals, Decisions],
  providers: [
    { provide: SETTINGS, useValue: { permitKeys: verifyKeys(key), patience } },
    { provide: CONNECTORS, useFactory: () => new Map([[double.name, double]]) },
    ComparedState,
    Permits,
    PermitJobs,
    PastSettlements,
  ],
})
class TestModule {}

const start = '2026-11-21T10:00:00.000Z';
const later = (seconds: number): string => new Date(Date.parse(start) + seconds * 1000).toISOString();
const topic = 'actions.approved.v1';
const event = (approval: ActionApproved, id: string) => ({ type: 'ActionApproved', id, data: approval });

let database: TestDatabase;
let harness: Harness;
/** Age of the state as every instance has read it, in milliseconds. */
let ageMs: Record<string, number | null> = {};
const fresh = { 'controls.v1': 0, 'consents.v1': 0, 'policies.v1': 0 };
const instance = (stateAgeMs = () => ageMs) =>
  createHarness(TestModule, spec, { databaseUrl: database.url, at: start, stateAgeMs });

beforeAll(async () => {
  database = await createTestDatabase();
  harness = await instance();
});
beforeEach(async () => {
  Object.assign(double, new Double());
  ageMs = fresh;
  harness.setNow(start);
  await harness.query('TRUNCATE permits, jobs, inbox, outbox, state_rows, dead_letters, work_positions, own_events');
  await harness.putState('consents.v1', contactId, consents(1));
  await harness.putState('policies.v1', 'main', policy(1));
});
afterAll(async () => {
  await harness?.close();
  await database?.drop();
});

const run = async (approval: ActionApproved, id = 'event-1'): Promise<Published[]> => {
  await harness.deliver(topic, [event(approval, id)]);
  return harness.runJobs();
};
/** Runs what is due at a later time. */
const runAt = (seconds: number): Promise<Published[]> => {
  harness.setNow(later(seconds));
  return harness.runJobs();
};
/** As if the instance that holds the claims were gone for good. */
const loseLease = () => harness.query(`UPDATE jobs SET lease_until = now() - interval '1 second'`);
const permits = () => harness.query('SELECT turns, outcome, called_at IS NOT NULL AS called FROM permits');
/** Ends a claim at a chosen point, as a killed process does. */
const killedAt = (point: 'finish' | 'call') => {
  const jobs = harness.app.get(PermitJobs);
  const { work } = PermitJobs.prototype;
  jobs.work = async (claimed, context) => {
    Reflect.deleteProperty(jobs, 'work');
    // As its lost connection would be told: nothing of the job's own.
    const dead = () => Promise.reject(Object.assign(new Error('killed'), { code: 'ECONNRESET' }));
    if (point === 'finish') return work.call(jobs, claimed, { ...context, finish: dead });
    const { call } = double;
    double.call = dead;
    await work.call(jobs, claimed, { ...context, finish: dead, later: dead }).catch(() => undefined);
    double.call = call;
  };
};
/** Does something between the spend and the look that precedes the first call. */
const beforeFirstCall = (act: () => Promise<unknown>) => {
  const state = harness.app.get(ComparedState);
  state.now = async (compared) => {
    Reflect.deleteProperty(state, 'now');
    await act();
    return state.now(compared);
  };
};

test('[case 1] an approved action is called once, with its own id as the key, and settles executed', async () => {
  const approval = approvalOf(setBid(), key);
  await harness.deliver(topic, [{ ...event(approval, 'event-1'), correlationid: 'signal-1' }]);
  const [settled, ...more] = await harness.runJobs();
  expect(more).toEqual([]);
  expect(settled).toMatchObject({
    topic: 'actions.settled.action-executor.v1',
    key: 'ads-1',
    type: 'ActionSettled',
    correlationid: 'signal-1',
    causationid: 'event-1',
    data: {
      permitId: approval.permitId,
      actionId: approval.actionId,
      proposalId: approval.proposalId,
      digest: approval.digest,
      executor: 'action-executor',
      connector: 'double',
      outcome: 'executed',
      externalReference: 'double/1',
      before: { bid: 1 },
      after: { bid: 2 },
    },
  });
  expect(double.calls).toEqual([approval.permitId]);
  expect(await permits()).toEqual([{ turns: 1, outcome: 'executed', called: true }]);
});

test('a permit for another executor is ignored', async () => {
  expect(await run(approvalOf(setBid(), key, { executor: 'downstream', connector: 'theirs' }))).toEqual([]);
  expect(double.calls).toEqual([]);
});

test('many actions of one claim are all settled', async () => {
  const approvals = Array.from({ length: 150 }, (_, n) => approvalOf(setBid(`many-${n}`), key));
  await harness.deliver(
    topic,
    approvals.map((a, n) => event(a, `event-${n}`)),
  );
  const settled = await harness.runJobs();
  expect(settled.map((e) => (e.data as { outcome: string }).outcome)).toEqual(approvals.map(() => 'executed'));
  expect(new Set(settled.map((e) => (e.data as { permitId: string }).permitId)).size).toBe(150);
  expect(double.effects).toBe(150);
});

test('[case 10] a replay under another event id is recorded, runs nothing and leaves the first settlement as it is', async () => {
  const approval = approvalOf(setBid(), key);
  await run(approval);
  const replayed = await run(approval, 'event-2');
  expect(replayed).toMatchObject([{ type: 'PermitRejected', data: { reason: { code: 'spent' }, partition: 0 } }]);
  const restarted = await instance();
  try {
    await restarted.deliver(topic, [event(approval, 'event-3')]);
    expect(await restarted.runJobs()).toMatchObject([{ type: 'PermitRejected', data: { reason: { code: 'spent' } } }]);
  } finally {
    await restarted.close();
  }
  expect(double.effects).toBe(1);
  expect(await permits()).toEqual([{ turns: 1, outcome: 'executed', called: true }]);
});

test('[case 10] the same permit twice in one claim runs once', async () => {
  const approval = approvalOf(setBid(), key);
  await harness.deliver(topic, [event(approval, 'event-1'), event(approval, 'event-2')]);
  const published = await harness.runJobs();
  expect(published.map((e) => e.type).sort()).toEqual(['ActionSettled', 'PermitRejected']);
  expect(double.calls).toHaveLength(1);
});

test('[case 10] two instances that meet over one permit run it once', async () => {
  const other = await instance();
  try {
    for (let n = 0; n < 10; n++) {
      const approval = approvalOf(setBid(`race-${n}`), key);
      await Promise.all([
        harness.deliver(topic, [event(approval, `a-${n}`)]),
        other.deliver(topic, [event(approval, `b-${n}`)]),
      ]);
      const published = (await Promise.all([harness.runJobs(), other.runJobs()])).flat();
      expect(published.map((e) => e.type).sort()).toEqual(['ActionSettled', 'PermitRejected']);
    }
    expect(double.calls).toHaveLength(10);
  } finally {
    await other.close();
  }
});

test('an early permit waits for its time', async () => {
  const approval = approvalOf(setBid(), key, { notBefore: later(60) });
  expect(await run(approval)).toEqual([]);
  expect(await runAt(59)).toEqual([]);
  expect(double.calls).toEqual([]);
  expect(await runAt(60)).toMatchObject([{ data: { outcome: 'executed' } }]);
});

test('[case 13] a late permit settles expired, once, and is never called', async () => {
  const approval = approvalOf(setBid(), key, { expiresAt: later(60) });
  await harness.deliver(topic, [event(approval, 'event-1')]);
  expect(await runAt(60)).toMatchObject([{ type: 'ActionSettled', data: { outcome: 'expired' } }]);
  expect(await run(approval, 'event-2')).toMatchObject([
    { type: 'PermitRejected', data: { reason: { code: 'spent' } } },
  ]);
  expect(double.calls).toEqual([]);
  expect(await permits()).toEqual([{ turns: 0, outcome: 'expired', called: false }]);
});

test('[case 14] a withdrawal after the signature refuses, and says what changed', async () => {
  await harness.putState('consents.v1', contactId, consents(2, 'withdrawn'));
  expect(await run(approvalOf(sendEmail(), key))).toMatchObject([
    {
      data: {
        outcome: 'refused',
        reason: { code: 'consent-changed', detail: expect.stringContaining(`contact ${contactId}`) },
      },
    },
  ]);
  expect(double.calls).toEqual([]);
});

test('[case 29] a permit in the quiet hours of its recipient refuses, and before them it runs', async () => {
  const from = Date.parse(start) / 1000;
  const open = [{ from, to: from + 60 }];
  expect(await run(approvalOf(sendEmail('in time'), key, { open }))).toMatchObject([{ data: { outcome: 'executed' } }]);
  harness.setNow(later(60));
  const approval = approvalOf(sendEmail('late'), key, { open });
  expect(await run(approval, 'event-2')).toMatchObject([
    { data: { permitId: approval.permitId, outcome: 'refused', reason: { code: 'quiet-hours' } } },
  ]);
  expect(double.calls).toHaveLength(1);
});

test('[case 29] quiet hours that begin between the spend and the first call refuse, and nothing is called', async () => {
  const from = Date.parse(start) / 1000;
  beforeFirstCall(async () => harness.setNow(later(60)));
  expect(await run(approvalOf(sendEmail(), key, { open: [{ from, to: from + 60 }] }))).toMatchObject([
    { data: { outcome: 'refused', reason: { code: 'quiet-hours' } } },
  ]);
  expect(double.calls).toEqual([]);
});

test('[case 37] a stop refuses, naming its scope, who raised it and why', async () => {
  await harness.putState('controls.v1', 'channel:advertising', control('channel:advertising', 1, 'stopped'));
  expect(await run(approvalOf(setBid(), key))).toMatchObject([
    { data: { outcome: 'refused', reason: { detail: 'stopped: channel:advertising by lea: wrong tone' } } },
  ]);
  expect(double.calls).toEqual([]);
});

/** Resolves when somebody waits for a lock, or all is over. */
async function blocked(over: () => boolean): Promise<void> {
  const waiting = () => harness.query('SELECT 1 FROM pg_locks WHERE NOT granted');
  while (!over() && (await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Runs the jobs while a stop of everything is written and not committed: until they wait for it, or are over. */
async function runDuringStop(): Promise<Published[]> {
  let ran: Promise<Published[]> = Promise.resolve([]);
  await harness.transaction(async (tx) => {
    await tx.query(
      `INSERT INTO state_rows (topic, key, version, data, read_at) VALUES ('controls.v1', 'all', 2, $1, now())
       ON CONFLICT (topic, key) DO UPDATE SET version = excluded.version, data = excluded.data`,
      [JSON.stringify(control('all', 2, 'stopped'))],
    );
    let over = false;
    ran = harness.runJobs().finally(() => {
      over = true;
    });
    await blocked(() => over);
  });
  return ran;
}

test('rule 4: a stop that commits while a permit is being opened is waited for, and refuses', async () => {
  await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
  expect(await runDuringStop()).toMatchObject([{ data: { outcome: 'refused', reason: { code: 'stopped' } } }]);
  expect(await permits()).toEqual([{ turns: 0, outcome: 'refused', called: false }]);
});

test('rule 4: a stop of a scope that had one before is waited for too, and refuses', async () => {
  await harness.putState('controls.v1', 'all', control('all', 1, 'running'));
  await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
  expect(await runDuringStop()).toMatchObject([{ data: { outcome: 'refused', reason: { code: 'stopped' } } }]);
  expect(await permits()).toEqual([{ turns: 0, outcome: 'refused', called: false }]);
});

test('[case 18] a stop of somebody else changes nothing', async () => {
  await harness.putState('controls.v1', 'agent:paid-media-agent', control('agent:paid-media-agent', 1, 'stopped'));
  expect(await run(approvalOf(setBid(), key))).toMatchObject([{ data: { outcome: 'executed' } }]);
});

test('[case 16] a changed part of the policy refuses', async () => {
  await harness.putState('policies.v1', 'main', policy(2, { permitSeconds: 600 }));
  expect(await run(approvalOf(setBid(), key))).toMatchObject([
    {
      data: {
        outcome: 'refused',
        reason: { code: 'policy-changed', detail: 'rules changed: policy 2, signed under 1' },
      },
    },
  ]);
});

test.each([
  ['a number in it was changed', `jsonb_set(data, '{content,rules,permitSeconds}', '901')`],
  ['it lacks its content', `data - 'content'`],
  ['its digests are those of another one', `jsonb_set(data, '{parts,rules}', to_jsonb(repeat('f', 64)))`],
])('a stored policy that is not what its digests announce opens nothing until it is mended: %s', async (_, altered) => {
  const [row] = await harness.query(`SELECT data FROM state_rows WHERE topic = 'policies.v1'`);
  await harness.query(`UPDATE state_rows SET data = ${altered} WHERE topic = 'policies.v1'`);
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  expect(double.calls).toEqual([]);
  await harness.query(`UPDATE state_rows SET data = $1 WHERE topic = 'policies.v1'`, [row?.data]);
  expect(await runAt(60)).toMatchObject([{ data: { outcome: 'executed' } }]);
});

test('a policy that is altered in the table between the spend and the call calls nothing', async () => {
  beforeFirstCall(() =>
    harness.query(
      `UPDATE state_rows SET data = jsonb_set(data, '{content,rules,permitSeconds}', '901') WHERE topic = 'policies.v1'`,
    ),
  );
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  expect(double.calls).toEqual([]);
});

test('a permit that is ahead of our own state waits for it', async () => {
  const approval = approvalOf(sendEmail(), key, { epochs: { [`consent:${contactId}`]: 2 } });
  expect(await run(approval)).toEqual([]);
  expect(await runAt(1)).toEqual([]);
  await harness.putState('consents.v1', contactId, consents(2));
  expect(await runAt(2)).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(double.calls).toHaveLength(1);
});

test('a permit that waits for state beyond its expiry settles expired', async () => {
  await run(approvalOf(sendEmail(), key, { epochs: { [`consent:${contactId}`]: 2 } }));
  expect(await runAt(3600)).toMatchObject([{ data: { outcome: 'expired' } }]);
});

describe('[case 38] state that was not compared with its topic for too long', () => {
  const unknown = [10_001, 14_000, null, -1, -15_000, Number.NaN];

  test.each(unknown)('of an age of %s ms: what is due waits, and runs when the state is known again', async (age) => {
    ageMs = { ...fresh, 'controls.v1': age };
    expect(await run(approvalOf(setBid(), key))).toEqual([]);
    for (const seconds of [1, 2, 3]) expect(await runAt(seconds)).toEqual([]);
    expect(double.calls).toEqual([]);
    ageMs = fresh;
    expect(await runAt(14)).toMatchObject([{ data: { outcome: 'executed' } }]);
    expect(double.calls).toHaveLength(1);
  });

  test('waits until the permit expires, and the settlement says what it waited for', async () => {
    ageMs = { ...fresh, 'controls.v1': 14_000 };
    await run(approvalOf(setBid(), key, { expiresAt: later(60) }));
    expect(await runAt(60)).toMatchObject([
      { data: { outcome: 'expired', reason: { code: 'expired', detail: expect.stringContaining('controls') } } },
    ]);
    expect(double.calls).toEqual([]);
  });

  test('does not hide a stop that is known already', async () => {
    ageMs = { ...fresh, 'consents.v1': 14_000 };
    await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
    expect(await run(approvalOf(setBid(), key))).toMatchObject([{ data: { outcome: 'refused' } }]);
  });

  /** Spends a permit, and stands still before the first call for longer than the state may be old. */
  const spentAndStale = async (approval = approvalOf(setBid(), key)) => {
    beforeFirstCall(async () => {
      ageMs = { ...fresh, 'controls.v1': 14_000 };
    });
    expect(await run(approval)).toEqual([]);
    expect(double.calls).toEqual([]);
    expect(await permits()).toEqual([{ turns: 0, outcome: null, called: true }]);
  };

  test('after the spend: nothing is called, no turn is used up, and it runs as if for the first time', async () => {
    await spentAndStale();
    for (const seconds of [1, 2, 3, 4, 5]) expect(await runAt(seconds)).toEqual([]);
    ageMs = fresh;
    expect(await runAt(14)).toMatchObject([{ data: { outcome: 'executed' } }]);
    expect(double.asked).toBe(0);
    expect(double.calls).toHaveLength(1);
    expect(await permits()).toEqual([{ turns: 1, outcome: 'executed', called: true }]);
  });

  test('after the spend: a stop that came meanwhile refuses, and expiry expires', async () => {
    await spentAndStale();
    await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
    expect(await runAt(1)).toMatchObject([{ data: { outcome: 'refused', reason: { code: 'stopped' } } }]);
    expect(double.calls).toEqual([]);
  });

  test('after the spend: it is still spent, and a replay runs nothing', async () => {
    const approval = approvalOf(setBid(), key);
    await spentAndStale(approval);
    ageMs = fresh;
    await harness.query('UPDATE jobs SET due_at = $1', [later(5)]);
    await harness.deliver(topic, [event(approval, 'event-2')]);
    const replayed = await runAt(1);
    expect(replayed).toMatchObject([{ type: 'PermitRejected', data: { reason: { code: 'spent' } } }]);
    expect(await runAt(5)).toMatchObject([{ data: { outcome: 'executed' } }]);
    expect(double.calls).toHaveLength(1);
  });

  test('when it may have been called: it is asked about, waits without using up its turns, and is called when it may', async () => {
    killedAt('call');
    await run(approvalOf(setBid(), key)).catch(() => undefined);
    await loseLease();
    ageMs = { ...fresh, 'controls.v1': null };
    for (const seconds of [5, 40, 80, 120, 160]) expect(await runAt(seconds)).toEqual([]);
    expect(await permits()).toMatchObject([{ turns: 1, outcome: null }]);
    ageMs = fresh;
    expect(await runAt(200)).toMatchObject([{ data: { outcome: 'executed' } }]);
    expect(double.effects).toBe(1);
  });

  test('after the spend: a turn that another instance took meanwhile, and called in, is not given back', async () => {
    const other = await instance(() => fresh);
    try {
      beforeFirstCall(async () => {
        await loseLease();
        double.mood = 'lands-silently';
        other.setNow(later(1));
        await other.runJobs();
        ageMs = { ...fresh, 'controls.v1': 14_000 };
      });
      expect(await run(approvalOf(setBid(), key))).toEqual([]);
      expect(await permits()).toMatchObject([{ turns: 2, outcome: null }]);
      ageMs = fresh;
      double.mood = 'answers';
      expect(await runAt(40)).toMatchObject([{ data: { outcome: 'executed' } }]);
      expect(double.calls).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('in one instance of two: the other one runs it', async () => {
    let other = 14_000;
    const standing = await instance(() => ({ ...fresh, 'controls.v1': other }));
    try {
      await standing.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
      expect(await standing.runJobs()).toEqual([]);
      expect(await runAt(1)).toMatchObject([{ data: { outcome: 'executed' } }]);
      other = 0;
      standing.setNow(later(2));
      expect(await standing.runJobs()).toEqual([]);
      expect(double.calls).toHaveLength(1);
    } finally {
      await standing.close();
    }
  });
});

describe('[case 13] a clock that is known to be wrong', () => {
  const wrong = () => harness.setNow(null);

  test('opens nothing and refuses nothing: what is due runs when the clock is right again', async () => {
    await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
    wrong();
    await expect(harness.runJobs()).rejects.toThrow('nothing is decided');
    expect(await permits()).toEqual([]);
    expect(await runAt(1)).toMatchObject([{ data: { outcome: 'executed' } }]);
  });

  test('after the spend: nothing is called and nothing is refused by it', async () => {
    beforeFirstCall(async () => wrong());
    await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
    await harness.runJobs().catch(() => undefined);
    expect(double.calls).toEqual([]);
    expect(await permits()).toMatchObject([{ outcome: null }]);
    await loseLease();
    expect(await runAt(30)).toMatchObject([{ data: { outcome: 'executed' } }]);
    expect(double.calls).toHaveLength(1);
  });

  test('during a call: its answer is not lost, since it is asked about', async () => {
    const { call } = double;
    double.call = async (...given) => {
      const answer = await call.apply(double, given);
      wrong();
      return answer;
    };
    await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
    await harness.runJobs().catch(() => undefined);
    double.call = call;
    await loseLease();
    expect(await runAt(30)).toMatchObject([{ data: { outcome: 'executed' } }]);
    expect(double.effects).toBe(1);
  });

  test('a permit of a validator that is ahead waits until it is of now', async () => {
    const approval = approvalOf(setBid(), key, { notBefore: later(60), expiresAt: later(600) });
    harness.setNow(later(-60));
    expect(await run(approval)).toEqual([]);
    expect(await runAt(60)).toMatchObject([{ data: { outcome: 'executed' } }]);
  });
});

test('[case 12] a forged permit is recorded even where no table can hold what it names', async () => {
  const approval = approvalOf(setBid(), key);
  const [head, claims = '', signature] = approval.permit.split('.');
  const named = JSON.parse(Buffer.from(claims, 'base64url').toString());
  named.epochs['control:\u0000'] = 1;
  named.epochs[`consent:${randomBytes(3_000).toString('hex')}`] = 1;
  const body = Buffer.from(JSON.stringify(named)).toString('base64url');
  expect(await run({ ...approval, permit: `${head}.${body}.${signature}` }, 'event-1')).toMatchObject([
    { type: 'PermitRejected', data: { reason: { code: 'signature' } } },
  ]);
});

test('[case 12] a forged permit is recorded, and the genuine one still runs', async () => {
  const approval = approvalOf(setBid(), key);
  const forged = approvalOf(setBid(), signingKey());
  expect(await run({ ...approval, permit: forged.permit }, 'event-1')).toMatchObject([
    { type: 'PermitRejected', data: { permitId: approval.permitId, reason: { code: 'signature' } } },
  ]);
  expect(await run(approval, 'event-2')).toMatchObject([{ type: 'ActionSettled', data: { outcome: 'executed' } }]);
});

test('[case 7] an altered action is recorded and never called', async () => {
  const approval = approvalOf(setBid(), key);
  const action = { ...approval.action, payload: { ...approval.action.payload, bidMinor: 8_200_000 } };
  expect(await run({ ...approval, action })).toMatchObject([
    { type: 'PermitRejected', data: { reason: { code: 'digest' } } },
  ]);
  expect(double.calls).toEqual([]);
});

test('a connector that is not configured here settles refused', async () => {
  expect(await run(approvalOf(setBid(), key, { connector: 'elsewhere' }))).toMatchObject([
    { data: { outcome: 'refused', reason: { code: 'no-connector' }, connector: 'elsewhere' } },
  ]);
});

test('a definite refusal by the connected system settles failed', async () => {
  double.mood = 'refuses';
  expect(await run(approvalOf(setBid(), key))).toMatchObject([
    { data: { outcome: 'failed', reason: { code: 'no-such-campaign' } } },
  ]);
});

test('rule 5: a stop between the spend and the first call settles refused, and nothing is called', async () => {
  beforeFirstCall(() =>
    harness.putState('controls.v1', 'agent:sequencing-agent', control('agent:sequencing-agent', 1, 'stopped')),
  );
  expect(await run(approvalOf(setBid(), key))).toMatchObject([
    { data: { outcome: 'refused', reason: { code: 'stopped' } } },
  ]);
  expect(double.calls).toEqual([]);
});

test('rule 5: a stop reaches what a claim has not begun; only the few calls that are under way with the first still run', async () => {
  const approvals = Array.from({ length: 60 }, (_, n) => approvalOf(setBid(`claim-${n}`), key));
  await harness.deliver(
    topic,
    approvals.map((a, n) => event(a, `event-${n}`)),
  );
  double.call = async (action, id) => {
    Reflect.deleteProperty(double, 'call');
    await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
    return double.call(action, id);
  };
  const settled = (await harness.runJobs()).map((e) => e.data as { outcome: string; reason?: { code: string } });
  expect(settled).toHaveLength(60);
  expect(settled.filter(({ outcome }) => outcome === 'executed')).toHaveLength(16);
  expect(settled.filter(({ outcome, reason }) => outcome === 'refused' && reason?.code === 'stopped')).toHaveLength(44);
  expect(double.effects).toBe(16);
});

test('rule 5: an intent that another instance took over is not settled by the one that lost it', async () => {
  beforeFirstCall(async () => {
    await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
    await harness.query('UPDATE permits SET turns = turns + 1');
  });
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  expect(await permits()).toEqual([{ turns: 2, outcome: null, called: true }]);
});

test('[case 20] [case 51] a crash after the call is resolved by asking: executed, and not called again', async () => {
  killedAt('finish');
  const approval = approvalOf(setBid(), key);
  expect(await run(approval)).toEqual([]);
  expect(await permits()).toEqual([{ turns: 1, outcome: null, called: true }]);
  await loseLease();
  expect(await harness.runJobs()).toMatchObject([{ data: { outcome: 'executed', externalReference: 'double/1' } }]);
  expect(double.calls).toHaveLength(1);
  expect(double.asked).toBe(1);
});

test('[case 51] a crash after the call is executed even where a stop came meanwhile', async () => {
  killedAt('finish');
  await run(approvalOf(setBid(), key));
  await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
  await loseLease();
  expect(await harness.runJobs()).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(double.calls).toHaveLength(1);
});

test('[case 51] a crash before the call landed is called again, with the same key', async () => {
  killedAt('call');
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  await loseLease();
  expect(await harness.runJobs()).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(double.effects).toBe(1);
});

test('rule 5: absent after a crash and stopped meanwhile is unresolved, never refused or failed', async () => {
  killedAt('call');
  await run(approvalOf(setBid(), key));
  await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
  await loseLease();
  expect(await harness.runJobs()).toMatchObject([
    { data: { outcome: 'unresolved', reason: { code: 'stopped', detail: expect.stringContaining('by lea') } } },
  ]);
  expect(double.effects).toBe(0);
});

test('[case 51] a call that landed without an answer is found by its key', async () => {
  double.mood = 'lands-silently';
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  expect(await runAt(1)).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(double.effects).toBe(1);
  expect(double.calls).toHaveLength(1);
});

test('a system that is away is called again, and settles executed when it is back', async () => {
  double.mood = 'silent';
  await run(approvalOf(setBid(), key));
  double.mood = 'answers';
  expect(await runAt(1)).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(double.calls).toHaveLength(2);
  expect(double.effects).toBe(1);
});

test('[case 21] what the connected system says was spent is settled with the effect', async () => {
  double.spentMinor = 4600;
  killedAt('finish');
  await run(approvalOf(setBid(), key));
  await loseLease();
  expect(await harness.runJobs()).toMatchObject([{ data: { outcome: 'executed', spentMinor: 4600 } }]);
  // It is kept with the end: whatever comes between the end and its settlement, it is told the same.
  expect(await harness.query('SELECT spent_minor FROM permits')).toEqual([{ spent_minor: 4600 }]);
});

test('[case 37] of one agent stopped, then of all, nothing runs from then on, and every permit ends with the stop by name', async () => {
  const [a, b] = ['paid-media-agent', 'sequencing-agent'];
  const soon = { notBefore: later(10) };
  const waitingA = approvalOf(setBid('waits-a'), key, { agent: a, ...soon });
  const waitingB = approvalOf(setBid('waits-b'), key, { agent: b, ...soon });
  const latestB = approvalOf(setBid('waits-longer'), key, { agent: b, notBefore: later(20) });
  const retryA = approvalOf(setBid('retries'), key, { agent: a });
  double.mood = 'silent';
  await harness.deliver(
    topic,
    [waitingA, waitingB, latestB, retryA].map((approval, n) => event(approval, `event-${n}`)),
  );
  expect(await harness.runJobs()).toEqual([]);
  expect(double.calls).toEqual([retryA.permitId]);
  double.mood = 'answers';
  await harness.putState('controls.v1', `agent:${a}`, control(`agent:${a}`, 1, 'stopped'));
  const ends = (events: readonly Published[]) =>
    Object.fromEntries(
      events.map(({ data }) => {
        const { permitId, outcome, reason } = data as {
          permitId: string;
          outcome: string;
          reason?: { detail: string };
        };
        return [permitId, [outcome, /stopped: .* by lea: wrong tone/.exec(reason?.detail ?? '')?.[0]]];
      }),
    );
  const ofA = `stopped: agent:${a} by lea: wrong tone`;
  const first = ends(await runAt(10));
  expect(first).toEqual({
    [waitingA.permitId]: ['refused', ofA],
    // It may have been called before the stop, and must not be called again: nobody can tell.
    [retryA.permitId]: ['unresolved', ofA],
    [waitingB.permitId]: ['executed', undefined],
  });
  await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
  const second = ends(await runAt(20));
  expect(second).toEqual({ [latestB.permitId]: ['refused', 'stopped: all by lea: wrong tone'] });
  expect(double.calls).toEqual([retryA.permitId, waitingB.permitId]);
  expect(await harness.query('SELECT outcome, count(*) AS n FROM permits GROUP BY outcome ORDER BY outcome')).toEqual([
    { outcome: 'executed', n: 1 },
    { outcome: 'refused', n: 2 },
    { outcome: 'unresolved', n: 1 },
  ]);
});

test('[case 40] a permit from before a stop stays dead when the stop is lifted; one that was judged afterwards runs', async () => {
  const scope = 'channel:advertising';
  await harness.putState('controls.v1', scope, control(scope, 1, 'stopped'));
  await harness.putState('controls.v1', scope, control(scope, 2, 'running'));
  expect(await run(approvalOf(setBid('before'), key))).toMatchObject([
    {
      data: {
        outcome: 'refused',
        reason: { code: 'control-changed', detail: `${scope} was stopped and resumed since: version 2, signed at 0` },
      },
    },
  ]);
  const fresh = approvalOf(setBid('after'), key, { epochs: { [`control:${scope}`]: 2 } });
  expect(await run(fresh, 'event-2')).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(double.calls).toEqual([fresh.permitId]);
});

test('[case 37] an in-flight retry obeys a stop', async () => {
  double.mood = 'silent';
  await run(approvalOf(setBid(), key));
  await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
  expect(await runAt(1)).toMatchObject([{ data: { outcome: 'unresolved', reason: { code: 'stopped' } } }]);
  expect(double.calls).toHaveLength(1);
});

test('rule 7: silence to the end is unresolved, after a bounded number of calls', async () => {
  double.mood = 'silent';
  await run(approvalOf(setBid(), key));
  await runAt(10);
  expect(await runAt(30)).toMatchObject([{ data: { outcome: 'unresolved', reason: { code: 'not-confirmed' } } }]);
  expect(double.calls).toHaveLength(2);
  expect(await runAt(600)).toEqual([]);
});

test('rule 7: a system that cannot tell leaves it unresolved', async () => {
  double.mood = 'cannot-tell';
  await run(approvalOf(setBid(), key));
  await runAt(10);
  expect(await runAt(30)).toMatchObject([{ data: { outcome: 'unresolved', reason: { code: 'no-answer' } } }]);
  expect(double.calls).toHaveLength(1);
});

test('a connected system that hangs is named on the health page, since when and why, until it answers', async () => {
  const connectors = async () => (await harness.engine.health()).checks.connectors;
  expect(await connectors()).toBeUndefined();
  double.call = () => new Promise(() => undefined);
  await run(approvalOf(setBid('hangs'), key));
  expect(await connectors()).toEqual({
    double: expect.stringMatching(/^no definite answer since \d{4}-.*: no answer within 1000 ms$/),
  });
  Object.assign(double, new Double());
  Reflect.deleteProperty(double, 'call');
  expect(await runAt(1)).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(await connectors()).toBeUndefined();
});

test('permits of a system that answers nothing wait while they may run, and are settled as what they are, without a call that was not made', async () => {
  const paused = await createHarness(TestModule, spec, {
    databaseUrl: database.url,
    at: start,
    stateAgeMs: () => ageMs,
  });
  try {
    double.mood = 'silent';
    const called = Array.from({ length: 8 }, (_, n) => approvalOf(setBid(`called-${n}`), key));
    const uncalled = Array.from({ length: 3 }, (_, n) => approvalOf(setBid(`uncalled-${n}`), key));
    await paused.deliver(
      topic,
      called.map((approval, n) => event(approval, `called-${n}`)),
    );
    expect(await paused.runJobs()).toEqual([]);
    expect(double.calls).toHaveLength(8);
    await paused.deliver(
      topic,
      uncalled.map((approval, n) => event(approval, `uncalled-${n}`)),
    );
    expect(await paused.runJobs()).toEqual([]);
    expect(double.calls).toHaveLength(8);
    expect(double.asked).toBe(0);
    const health = await paused.engine.health();
    expect(health.checks.connectors).toEqual({ double: expect.stringContaining('paused since') });
    const at = (seconds: number) => {
      paused.setNow(later(seconds));
      return paused.runJobs();
    };
    expect(await paused.query('SELECT DISTINCT turns FROM permits')).toEqual([{ turns: 1 }]);
    // Past the life of all of them. The pause is of the monotonic clock, which hardly moves here.
    const ends = [...(await at(1_000)), ...(await at(1_100)), ...(await at(1_200))];
    const outcomes = (approvals: readonly ActionApproved[]) =>
      approvals.map(({ permitId }) =>
        ends.flatMap(({ data }) => {
          const {
            permitId: id,
            outcome,
            reason,
          } = data as { permitId: string; outcome: string; reason: { code: string } };
          return id === permitId ? [[outcome, reason.code]] : [];
        }),
      );
    expect(outcomes(uncalled)).toEqual(uncalled.map(() => [['expired', 'expired']]));
    for (const [[outcome] = []] of outcomes(called)) expect(outcome).toBe('unresolved');
    expect(double.calls).toHaveLength(8);
  } finally {
    await paused.close();
  }
});

test('a call that we could not write is no answer and no silence of the system: it neither ends a row of silences nor adds to it', async () => {
  const fresh = await createHarness(TestModule, spec, {
    databaseUrl: database.url,
    at: start,
    stateAgeMs: () => ageMs,
  });
  const give = async (name: string, count: number) => {
    const approvals = Array.from({ length: count }, (_, n) =>
      event(approvalOf(setBid(`${name}-${n}`), key), `${name}-${n}`),
    );
    await fresh.deliver(topic, approvals);
    expect(await fresh.runJobs()).toEqual([]);
  };
  const paused = async () =>
    JSON.stringify((await fresh.engine.health()).checks.connectors ?? {}).includes('paused since');
  try {
    double.mood = 'silent';
    await give('silent', 7);
    double.call = () => Promise.reject(new NotWritten('it could not be written'));
    await give('unwritten', 3);
    Reflect.deleteProperty(double, 'call');
    expect(await paused()).toBe(false);
    await give('last', 1);
    expect(await paused()).toBe(true);
    expect(double.calls).toHaveLength(8);
  } finally {
    await fresh.close();
  }
});

test('rule 6: an end that another instance wrote while the call was out stands, and is the only settlement', async () => {
  const call = Double.prototype.call;
  double.call = async (...given) => {
    Reflect.deleteProperty(double, 'call');
    await harness.query(
      `UPDATE permits SET outcome = 'unresolved', reason = '{"code":"x","detail":"y"}', ended_at = now()`,
    );
    return call.apply(double, given);
  };
  expect(await run(approvalOf(setBid(), key))).toMatchObject([
    { data: { outcome: 'unresolved', reason: { code: 'x', detail: 'y' } } },
  ]);
  expect(await runAt(60)).toEqual([]);
});

test('an intent that one instance ends while another sets out to ask gets no further turn', async () => {
  killedAt('finish');
  const approval = approvalOf(setBid(), key);
  await run(approval);
  const table = harness.app.get(Permits);
  let turn: Promise<ReadonlyMap<string, unknown>> | undefined;
  await harness.transaction(async (tx) => {
    await table.end(tx, new Map([[approval.permitId, { outcome: 'executed' }]]), start);
    let over = false;
    turn = harness
      .transaction((other) => table.nextTurn(other, [approval.permitId], start))
      .finally(() => {
        over = true;
      });
    await blocked(() => over);
  });
  expect(await turn).toEqual(new Map());
  expect(await permits()).toEqual([{ turns: 1, outcome: 'executed', called: true }]);
});

test('a decided end whose settlement was lost with its instance is settled as it was decided', async () => {
  await harness.putState('controls.v1', 'all', control('all', 1, 'stopped'));
  killedAt('finish');
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  await harness.putState('controls.v1', 'all', control('all', 2, 'running'));
  await loseLease();
  expect(await harness.runJobs()).toMatchObject([{ data: { outcome: 'refused', reason: { code: 'stopped' } } }]);
  expect(double.calls).toEqual([]);
});

const sealings: [string, Sealing][] = [
  ['another executor’s audience', { executor: 'downstream' }],
  ['another connector’s audience', { connector: 'other' }],
];
test.each(sealings)('a permit with %s under our name is recorded and never called', async (_name, sealing) => {
  const approval = { ...approvalOf(setBid(), key, sealing), executor: 'action-executor', connector: 'double' };
  expect(await run(approval)).toMatchObject([{ type: 'PermitRejected', data: { reason: { code: 'audience' } } }]);
  expect(double.calls).toEqual([]);
});

/** Runs what is due a minute later, and so on: as often as a job is tried. */
const runUntilDead = async (): Promise<Published[]> => {
  const published: Published[] = [];
  for (let minute = 1; minute <= 10; minute++) published.push(...(await runAt(minute * 60)));
  return published;
};
const broken = () => Promise.reject(new Error('a bug of ours'));
const deadLetter = (kind = 'permit') => ({
  topic: 'action-executor.dead-letters.v1',
  data: { job: { kind }, fault: { code: 'job', detail: 'a bug of ours' }, attempts: 10 },
});

test('a permit that can never be worked settles refused where nobody has called, is told as a dead letter, and stays used', async () => {
  const jobs = harness.app.get(PermitJobs);
  jobs.work = broken;
  const approval = approvalOf(setBid(), key);
  await harness.deliver(topic, [event(approval, 'event-1')]);
  const published = await runUntilDead();
  Reflect.deleteProperty(jobs, 'work');
  expect(published).toMatchObject([
    {
      type: 'ActionSettled',
      data: { permitId: approval.permitId, outcome: 'refused', reason: { code: 'job-failed' } },
    },
    deadLetter(),
  ]);
  expect(await run(approval, 'event-2')).toMatchObject([{ type: 'PermitRejected' }]);
  expect(double.calls).toEqual([]);
  expect(await harness.query('SELECT 1 FROM jobs')).toEqual([]);
});

test('a permit that can never be worked does not end refused where another instance sets out for it at that moment', async () => {
  double.call = () => Promise.reject(new NotWritten('it could not be written'));
  expect(await run(approvalOf(setBid(), key))).toEqual([]);
  Reflect.deleteProperty(double, 'call');
  const jobs = harness.app.get(PermitJobs);
  const table = harness.app.get(Permits);
  jobs.work = broken;
  table.find = async (...given) => {
    Reflect.deleteProperty(table, 'find');
    const rows = await table.find(...given);
    // Between what is read of the row and what is written to it.
    await harness.query('UPDATE permits SET turns = turns + 1, called_at = now()');
    return rows;
  };
  const published = await runUntilDead();
  Reflect.deleteProperty(jobs, 'work');
  Reflect.deleteProperty(table, 'find');
  expect(published).toMatchObject([deadLetter()]);
  expect(await permits()).toEqual([{ turns: 2, outcome: null, called: true }]);
});

test('a permit that may have been called and can never be ended settles unresolved, and says so', async () => {
  const jobs = harness.app.get(PermitJobs);
  const { work } = PermitJobs.prototype;
  jobs.work = (claimed, context) => work.call(jobs, claimed, { ...context, finish: broken, later: broken });
  await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
  const published = [...(await harness.runJobs()), ...(await runUntilDead())];
  Reflect.deleteProperty(jobs, 'work');
  expect(published).toMatchObject([
    { type: 'ActionSettled', data: { outcome: 'unresolved', reason: { code: 'job-failed' } } },
    deadLetter(),
  ]);
  expect(double.calls).toHaveLength(1);
});

test('a late permit and a forged one that can never be worked end as what they are', async () => {
  const jobs = harness.app.get(PermitJobs);
  const tooLate = approvalOf(setBid('late'), key, { expiresAt: '2026-11-21T10:05:00.000Z' });
  const forged = { ...approvalOf(setBid('forged'), key), digest: 'f'.repeat(64) };
  jobs.work = broken;
  await harness.deliver(topic, [event(tooLate, 'event-1'), event(forged, 'event-2')]);
  const published = await runUntilDead();
  Reflect.deleteProperty(jobs, 'work');
  const outcomes = published.map(({ type, data }) => [type, (data as { outcome?: string }).outcome]);
  expect(outcomes).toHaveLength(4);
  expect(outcomes).toEqual(
    expect.arrayContaining([
      ['ActionSettled', 'expired'],
      ['PermitRejected', undefined],
      ['DeadLetter', undefined],
    ]),
  );
});

test('the replay of a dead permit changes nothing: it has its end', async () => {
  const jobs = harness.app.get(PermitJobs);
  jobs.work = broken;
  await harness.deliver(topic, [event(approvalOf(setBid(), key), 'event-1')]);
  const letter = (await runUntilDead()).find(({ type }) => type === 'DeadLetter');
  Reflect.deleteProperty(jobs, 'work');
  const { deadLetterId } = (letter as Published).data as unknown as { deadLetterId: string };
  const order = { deadLetterId, service: 'action-executor', by: 'sam', at: start };
  await harness.deliver('dead-letters.replayed.v1', [{ type: 'DeadLetterReplayed', id: 'order-1', data: order }]);
  expect(await harness.runJobs()).toEqual([]);
  expect(double.calls).toEqual([]);
});

const decisionOf = (approval: ActionApproved, outcome: 'executed' | 'failed', by = 'lea') => {
  const { permitId, actionId, proposalId, digest, executor, connector } = approval;
  const identity = { permitId, actionId, proposalId, digest, executor, connector };
  const data = { decisionId: derivedId('decision', by), ...identity, outcome, by, note: 'seen there', at: start };
  return { type: 'SettlementDecided', id: `decision-${by}`, key: 'ads-1', data };
};
const decisions = 'settlements.decided.v1';

test('rule 7: what a person decides of an unresolved permit settles it, once; the opposite, a repeat and another try change nothing', async () => {
  double.mood = 'silent';
  const approval = approvalOf(setBid(), key);
  await run(approval);
  await runAt(10);
  await runAt(30);
  const [settled, ...more] = await harness.deliver(decisions, [
    decisionOf(approval, 'executed'),
    decisionOf(approval, 'failed', 'tom'),
  ]);
  expect(more).toEqual([]);
  expect(settled).toMatchObject({
    topic: 'actions.settled.action-executor.v1',
    key: 'ads-1',
    data: { permitId: approval.permitId, digest: approval.digest, outcome: 'executed', reason: { code: 'decided' } },
  });
  expect(await harness.deliver(decisions, [decisionOf(approval, 'failed', 'max')])).toEqual([]);
  expect(await runAt(600)).toEqual([]);
  expect(await run(approval, 'event-2')).toMatchObject([{ type: 'PermitRejected' }]);
  expect(await permits()).toMatchObject([{ outcome: 'executed' }]);
});

test('what a person decides of a permit that is not unresolved, of nobody or of another executor changes nothing', async () => {
  const approval = approvalOf(setBid(), key);
  await run(approval);
  const theirs = decisionOf(approval, 'failed', 'tom');
  expect(
    await harness.deliver(decisions, [
      decisionOf(approval, 'failed'),
      { ...theirs, data: { ...theirs.data, executor: 'downstream' } },
      decisionOf(approvalOf(setBid('b'), key), 'executed', 'max'),
    ]),
  ).toEqual([]);
  expect(await permits()).toMatchObject([{ outcome: 'executed' }]);
});

/** The tables as a copy from before the approval has them. */
const forget = () => harness.query('TRUNCATE permits, jobs, inbox, outbox');

/** An approval whose call had its effect before its row, and all else of it, was lost; returns its records. */
async function calledBeforeRestore() {
  const records = harness.records(topic, [event(approvalOf(setBid(), key), 'event-1')]);
  await harness.deliverRecords(topic, records);
  killedAt('finish');
  await harness.runJobs();
  expect(double.effects).toBe(1);
  await forget();
  await harness.afterRestore([]);
  return records;
}

test('an approval that was called before a restore, and whose row is lost, is asked for and not called again', async () => {
  const records = await calledBeforeRestore();
  await harness.deliverRecords(topic, records);
  const [settled] = await harness.runJobs();
  expect(settled).toMatchObject({
    type: 'ActionSettled',
    data: { outcome: 'executed', externalReference: 'double/1' },
  });
  expect(double.calls).toHaveLength(1);
});

test('after a restore an approval that was called, and is expired by now, is not settled as expired', async () => {
  const records = await calledBeforeRestore();
  harness.setNow(later(3_600));
  await harness.deliverRecords(topic, records);
  const [settled] = await harness.runJobs();
  expect(settled).toMatchObject({ type: 'ActionSettled', data: { outcome: 'executed' } });
  expect(double.calls).toHaveLength(1);
});

test('after a restore an approval that was called, and can never be worked, is unresolved: nobody knows what came of it', async () => {
  const records = await calledBeforeRestore();
  await harness.deliverRecords(topic, records);
  const jobs = harness.app.get(PermitJobs);
  jobs.work = broken;
  const [settled] = await runUntilDead();
  Reflect.deleteProperty(jobs, 'work');
  expect(settled).toMatchObject({ data: { outcome: 'unresolved', reason: { code: 'job-failed' } } });
  expect(double.effects).toBe(1);
});

test('a settlement that was published before a restore stands: nobody is asked, nothing is settled again', async () => {
  const records = harness.records(topic, [event(approvalOf(setBid(), key), 'event-1')]);
  await harness.deliverRecords(topic, records);
  const published = await harness.runJobs();
  await forget();
  await harness.afterRestore(published);
  double.mood = 'cannot-tell';
  harness.setNow(later(3_600));
  await harness.deliverRecords(topic, records);
  expect(await harness.runJobs()).toEqual([]);
  expect(double.asked).toBe(0);
  expect(await permits()).toMatchObject([{ outcome: 'executed' }]);
  expect(await harness.query('SELECT id FROM jobs')).toEqual([]);
});

test('after a restore what a person decides settles an unresolved permit, though its row is lost, or open, and its approval is not read again yet', async () => {
  double.mood = 'silent';
  const [lost, open] = [approvalOf(setBid('lost'), key), approvalOf(setBid('open'), key)];
  const records = harness.records(topic, [event(lost, 'event-1'), event(open, 'event-2')]);
  await harness.deliverRecords(topic, records);
  await harness.runJobs();
  const settled = [...(await runAt(10)), ...(await runAt(30))];
  expect(settled).toMatchObject([{ data: { outcome: 'unresolved' } }, { data: { outcome: 'unresolved' } }]);
  await forget();
  // One permit was taken when the copy was made: its row is an intent there.
  await harness.deliverRecords(topic, records.slice(1));
  killedAt('finish');
  await harness.runJobs();
  await harness.afterRestore(settled);

  const decided = [decisionOf(lost, 'executed'), decisionOf(open, 'failed', 'tom')];
  const given = harness.records(decisions, decided);
  expect((await harness.deliverRecords(decisions, given)).map(({ data }) => data)).toMatchObject([
    { permitId: lost.permitId, outcome: 'executed', reason: { code: 'decided' } },
    { permitId: open.permitId, outcome: 'failed', reason: { code: 'decided' } },
  ]);
  // Then its approval is read again, and the claim of the other one is taken up.
  await harness.deliverRecords(topic, records.slice(0, 1));
  await loseLease();
  const calls = double.calls.length;
  expect(await runAt(60)).toEqual([]);
  expect(double.calls).toHaveLength(calls);
  expect((await permits()).map(({ outcome }) => outcome).sort()).toEqual(['executed', 'failed']);
  expect(await harness.query('SELECT id FROM jobs')).toEqual([]);
});

test('what a person had decided before a restore stands, and what they decide is settled once', async () => {
  double.mood = 'silent';
  const approval = approvalOf(setBid(), key);
  const records = harness.records(topic, [event(approval, 'event-1')]);
  const decided = harness.records(decisions, [decisionOf(approval, 'executed')]);
  await harness.deliverRecords(topic, records);
  await harness.runJobs();
  const published = [...(await runAt(10)), ...(await runAt(30))];
  harness.setNow(later(40));
  published.push(...(await harness.deliverRecords(decisions, decided)));
  expect(published.map(({ data }) => (data as { outcome?: string }).outcome)).toEqual(['unresolved', 'executed']);
  await forget();
  await harness.afterRestore(published);
  expect(await permits()).toMatchObject([{ outcome: 'executed' }]);
  expect(await harness.deliverRecords(decisions, decided)).toEqual([]);
  await harness.deliverRecords(topic, records);
  expect(await runAt(60)).toEqual([]);
  expect(await permits()).toMatchObject([{ outcome: 'executed' }]);
});

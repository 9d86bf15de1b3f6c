import { expect, test } from 'vitest';
import type { Answer, Found } from './answer.js';
import {
  beforeFirstCall,
  type End,
  onAnswer,
  onFound,
  onOpening,
  onReopening,
  type Standing,
  type Step,
  standing,
  type Tried,
} from './decide.js';

const patience = { turns: 3, backoffMs: 500, behindMs: 150 };
const reason = { code: 'stopped', detail: 'stopped: agent:a by lea: enough' };
const ok: Standing = { kind: 'ok' };
const behind: Standing = { kind: 'wait', until: null, reason: { code: 'state-behind', detail: 'behind' } };
const early: Standing = { kind: 'wait', until: '2026-11-21T10:00:00.000Z', reason: { code: 'early', detail: 'early' } };
const refused: Standing = { kind: 'ends', outcome: 'refused', reason };
const stale: Standing = { kind: 'wait', until: null, reason: { code: 'state-stale', detail: 'not compared' } };
const expired: Standing = { kind: 'ends', outcome: 'expired', reason: { code: 'expired', detail: 'expired' } };
const forged: Standing = { kind: 'void', reason: { code: 'signature', detail: 'bad signature' } };
const done: Answer = { outcome: 'done', externalReference: 'x/1', before: { bidMinor: 1 }, after: { bidMinor: 2 } };
const executed: End = {
  outcome: 'executed',
  externalReference: 'x/1',
  before: { bidMinor: 1 },
  after: { bidMinor: 2 },
};
const rejection: Answer = { outcome: 'rejected', reason };

/** Turn `n`, in each of whose earlier ones a call may have left. */
const turn = (n: number): Tried => ({ turn: n, sent: n - 1 });

/** A step in a few words: what is done, and how it ends. */
const brief = (step: Step): string => (step.step === 'end' ? step.end.outcome : step.step);

test.each<[string, Standing, string]>([
  ['spends a permit that opens', ok, 'spend'],
  ['waits where its own state is behind the permit', behind, 'later'],
  ['waits for the time that the permit names', early, 'later'],
  ['refuses a permit that newer state speaks against', refused, 'refused'],
  ['ends a late permit as expired', expired, 'expired'],
  ['only records a permit that nobody sealed', forged, 'reject'],
])('opening: %s', (_name, said, expected) => {
  expect(brief(onOpening(said, patience))).toBe(expected);
});

test.each<[string, Parameters<typeof standing>[0], Standing['kind']]>([
  ['an open permit', { ok: true }, 'ok'],
  ['a stop', { ok: false, refusal: { kind: 'refused', ...reason, code: 'stopped', settles: 'refused' } }, 'ends'],
  ['a replay', { ok: false, refusal: { kind: 'refused', ...reason, code: 'spent', settles: null } }, 'void'],
  ['an early permit', { ok: false, refusal: { kind: 'wait', code: 'early', detail: '', until: null } }, 'wait'],
])('%s stands as such', (_name, said, kind) => {
  expect(standing(said).kind).toBe(kind);
});

test.each<[string, Standing, string]>([
  ['calls what may run now', ok, 'call'],
  ['refuses on a stop that came after the spend', refused, 'refused'],
  ['refuses on expiry after the spend: it was never called', expired, 'refused'],
  ['waits while its state is behind', behind, 'later'],
  ['waits while its state is unknown', stale, 'later'],
])('before the first call: %s', (_name, now, expected) => {
  expect(brief(beforeFirstCall(now, turn(1), patience))).toBe(expected);
});

test.each<[string, Standing, string]>([
  ['calls what opens again', ok, 'spend'],
  ['waits on', stale, 'later'],
  ['refuses what was stopped', refused, 'refused'],
  ['ends as expired what waited too long', expired, 'expired'],
  ['refuses what no key of ours verifies any more', forged, 'refused'],
])('an intent that nobody has called: %s', (_name, now, expected) => {
  expect(brief(onReopening(now, patience))).toBe(expected);
});

test('to wait uses up no turn, however long it takes', () => {
  expect(beforeFirstCall(stale, { turn: 2, sent: 0 }, patience)).toMatchObject({ step: 'later', unused: 2 });
  for (const n of [2, 3, 30])
    expect(onFound({ outcome: 'absent' }, stale, turn(n), patience)).toMatchObject({ step: 'later', unused: n });
});

test.each<[string, Found, Standing, number, string]>([
  ['present is executed, even if it may not run now', done, refused, 2, 'executed'],
  ['a definite refusal is a failure', rejection, ok, 2, 'failed'],
  ['absent is called again when it may run now', { outcome: 'absent' }, ok, 2, 'call'],
  ['absent is unresolved when it may not run now', { outcome: 'absent' }, refused, 2, 'unresolved'],
  ['absent is unresolved after expiry', { outcome: 'absent' }, expired, 2, 'unresolved'],
  ['absent waits while its own state is behind', { outcome: 'absent' }, behind, 2, 'later'],
  ['absent waits while its own state is unknown', { outcome: 'absent' }, stale, 2, 'later'],
  ['absent waits on when its own state is unknown to the last', { outcome: 'absent' }, stale, 3, 'later'],
  ['absent is unresolved when all calls are used up', { outcome: 'absent' }, ok, 3, 'unresolved'],
  ['no answer is asked again', { outcome: 'unknown', detail: 'away' }, ok, 2, 'later'],
  ['no answer to the last asking is unresolved', { outcome: 'unknown', detail: 'away' }, ok, 3, 'unresolved'],
])('after asking: %s', (_name, found, now, n, expected) => {
  expect(brief(onFound(found, now, turn(n), patience))).toBe(expected);
});

test.each<[string, Parameters<typeof onAnswer>[0], number, string]>([
  ['done is executed', done, 1, 'executed'],
  ['a definite refusal of the first call is a failure', rejection, 1, 'failed'],
  ['a refusal of a repeat is asked about: the call before it may have landed', rejection, 2, 'later'],
  ['a refusal of a repeat on the last turn is unresolved, never a failure', rejection, 3, 'unresolved'],
  ['a repeat that is done is executed', done, 2, 'executed'],
  ['silence is asked about later', { outcome: 'unknown', detail: 'time-out' }, 1, 'later'],
  [
    'silence on the last turn is unresolved, never a failure',
    { outcome: 'unknown', detail: 'time-out' },
    3,
    'unresolved',
  ],
])('after a call: %s', (_name, answer, n, expected) => {
  expect(brief(onAnswer(answer, turn(n), patience))).toBe(expected);
});

test('a refusal of the first call that left is a failure, however many tries were needed to send it', () => {
  expect(brief(onAnswer(rejection, { turn: 2, sent: 0 }, patience))).toBe('failed');
});

test('what says that nothing was done holds only while no other instance has set out for it', () => {
  const steps = [
    beforeFirstCall(refused, turn(1), patience),
    onReopening(forged, patience),
    onAnswer(rejection, turn(1), patience),
    onAnswer({ outcome: 'unknown', detail: 'away', unsent: true }, { turn: 3, sent: 0 }, patience),
  ];
  expect(steps).toEqual(steps.map(() => expect.objectContaining({ step: 'end', ifAlone: true })));
  expect(onAnswer(done, turn(1), patience)).not.toHaveProperty('ifAlone');
});

test('a permit never claims a call that was not made', () => {
  const away: Found = { outcome: 'unknown', detail: 'away' };
  const unsent = { outcome: 'unknown', detail: 'refused', unsent: true } as const;
  const detail = (step: Step) => (step.step === 'end' ? step.end.reason?.detail : undefined);
  expect(detail(onFound({ outcome: 'absent' }, ok, { turn: 3, sent: 1 }, patience))).toBe(
    'one call may have been sent, and the connected system does not know the key',
  );
  expect(detail(onFound(away, ok, { turn: 3, sent: 2 }, patience))).toBe(
    'up to 2 calls were sent, and no answer tells what came of it: away',
  );
  expect(detail(onAnswer(unsent, { turn: 3, sent: 1 }, patience))).toMatch(/^one call may have been sent/);
  expect(onAnswer(unsent, { turn: 2, sent: 0 }, patience)).toMatchObject({ step: 'later' });
  expect(onAnswer(unsent, { turn: 3, sent: 0 }, patience)).toMatchObject({
    end: { outcome: 'failed', reason: { code: 'not-sent', detail: 'nothing could be sent in 3 tries: refused' } },
  });
});

test('no absence and no silence ever comes out as failed, refused, expired or executed', () => {
  const founds: Found[] = [{ outcome: 'absent' }, { outcome: 'unknown', detail: 'away' }];
  for (const found of founds)
    for (const now of [ok, behind, stale, refused, expired, forged])
      for (let n = 2; n <= patience.turns; n++) {
        expect(['call', 'later', 'unresolved']).toContain(brief(onFound(found, now, turn(n), patience)));
      }
});

test('the end carries reference and values, and the pauses double', () => {
  expect(onAnswer(done, turn(1), patience)).toEqual({ step: 'end', end: executed });
  const silent = { outcome: 'unknown', detail: 'time-out' } as const;
  const long = { ...patience, turns: 20 };
  expect([1, 2, 3, 15].map((n) => onAnswer(silent, turn(n), long))).toEqual(
    [500, 1000, 2000, 30_000].map((inMs) => ({ step: 'later', wait: { inMs } })),
  );
});

test('unresolved says why it was not called again', () => {
  expect(onFound({ outcome: 'absent' }, refused, turn(2), patience)).toMatchObject({
    end: { reason: { code: 'stopped', detail: expect.stringContaining('agent:a by lea') } },
  });
});

test('what no database could keep is not written down: an answer with it still ends its permit', () => {
  const odd = 'a\0b \ud800 c';
  const end = (answer: Answer) => {
    const step = onAnswer(answer, turn(1), patience);
    return step.step === 'end' ? step.end : undefined;
  };
  expect(end({ outcome: 'rejected', reason: { code: 'odd', detail: odd } })).toEqual({
    outcome: 'failed',
    reason: { code: 'odd', detail: 'a\ufffdb \ufffd c' },
  });
  expect(end({ outcome: 'done', externalReference: odd, before: { odd }, after: { [odd]: 1 } })).toEqual({
    outcome: 'executed',
    externalReference: 'a\ufffdb \ufffd c',
  });
  const words = { said: 'a \\u0000 in words' };
  expect(end({ outcome: 'done', externalReference: 'r', after: words })).toMatchObject({ after: words });
  expect(end({ outcome: 'rejected', reason: { code: 'long', detail: `${'x'.repeat(999)}😀` } })?.reason?.detail).toBe(
    `${'x'.repeat(999)}\ufffd`,
  );
});

import { expect, test } from 'vitest';
import type { Answer, Found, Unknown } from './answer.js';
import { events, permits, table } from './permit-diagram.js';
import {
  type End,
  type Event,
  type GateAnswer,
  gateAnswer,
  type Patience,
  type Permit,
  type State,
  type Step,
  standing,
  step,
  type Tried,
} from './permit-machine.js';

const claimed = (permit: Permit, gate: GateAnswer, patience: Patience): Step =>
  step(permit, { on: 'claimed', gate, readBefore: false }, patience);
const onOpening = (gate: GateAnswer, patience: Patience): Step => claimed({ state: 'new' }, gate, patience);
const onReopening = (gate: GateAnswer, patience: Patience): Step =>
  claimed({ state: 'held', turns: 1 }, gate, patience);
const beforeFirstCall = (gate: GateAnswer, tried: Tried, patience: Patience): Step =>
  step({ state: 'calling', tried }, { on: 'looked', gate }, patience);
const onFound = (found: Found, gate: GateAnswer, tried: Tried, patience: Patience): Step =>
  step({ state: 'asking', tried }, { on: 'found', found, gate }, patience);
const onAnswer = (answer: Answer | Unknown, tried: Tried, patience: Patience): Step =>
  step({ state: tried.sent > 0 ? 'repeating' : 'calling', tried }, { on: 'answered', answer }, patience);
const endOf = ({ to }: Step): End | undefined => ('end' in to ? to.end : undefined);

const patience = { turns: 3, backoffMs: 500, behindMs: 150 };
const reason = { code: 'stopped', detail: 'stopped: agent:a by lea: enough' };
const ok: GateAnswer = { kind: 'opens' };
const behind: GateAnswer = { kind: 'waits', until: null, reason: { code: 'state-behind', detail: 'behind' } };
const early: GateAnswer = {
  kind: 'waits',
  until: '2026-11-21T10:00:00.000Z',
  reason: { code: 'early', detail: 'early' },
};
const refused: GateAnswer = { kind: 'ends', outcome: 'refused', reason };
const stale: GateAnswer = { kind: 'waits', until: null, reason: { code: 'state-stale', detail: 'not compared' } };
const expired: GateAnswer = { kind: 'ends', outcome: 'expired', reason: { code: 'expired', detail: 'expired' } };
const forged: GateAnswer = { kind: 'void', reason: { code: 'signature', detail: 'bad signature' } };
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
const brief = ({ to, effect }: Step): string => (effect.do === 'settle' ? to.state : effect.do);

test.each<[string, GateAnswer, string]>([
  ['spends a permit that opens', ok, 'take'],
  ['waits where its own state is behind the permit', behind, 'wait'],
  ['waits for the time that the permit names', early, 'wait'],
  ['refuses a permit that newer state speaks against', refused, 'refused'],
  ['ends a late permit as expired', expired, 'expired'],
  ['only records a permit that nobody sealed', forged, 'reject'],
])('opening: %s', (_name, opening, expected) => {
  expect(brief(onOpening(opening, patience))).toBe(expected);
});

test.each<[string, Parameters<typeof gateAnswer>[0], GateAnswer['kind']]>([
  ['an open permit', { ok: true }, 'opens'],
  ['a stop', { ok: false, refusal: { kind: 'refused', ...reason, code: 'stopped', settles: 'refused' } }, 'ends'],
  ['a replay', { ok: false, refusal: { kind: 'refused', ...reason, code: 'spent', settles: null } }, 'void'],
  ['an early permit', { ok: false, refusal: { kind: 'wait', code: 'early', detail: '', until: null } }, 'waits'],
])('%s stands as such', (_name, opening, kind) => {
  expect(gateAnswer(opening).kind).toBe(kind);
});

test.each<[string, GateAnswer, string]>([
  ['calls what may run now', ok, 'call'],
  ['refuses on a stop that came after the spend', refused, 'refused'],
  ['refuses on expiry after the spend: it was never called', expired, 'refused'],
  ['waits while its state is behind', behind, 'wait'],
  ['waits while its state is unknown', stale, 'wait'],
])('before the first call: %s', (_name, now, expected) => {
  expect(brief(beforeFirstCall(now, turn(1), patience))).toBe(expected);
});

test.each<[string, GateAnswer, string]>([
  ['sets out for what opens again', ok, 'turn'],
  ['waits on', stale, 'wait'],
  ['refuses what was stopped', refused, 'refused'],
  ['ends as expired what waited too long', expired, 'expired'],
  ['refuses what no key of ours verifies any more', forged, 'refused'],
])('an intent that nobody has called: %s', (_name, now, expected) => {
  expect(brief(onReopening(now, patience))).toBe(expected);
});

test('to wait uses up no turn, however long it takes', () => {
  expect(beforeFirstCall(stale, { turn: 2, sent: 0 }, patience)).toMatchObject({
    to: { state: 'held', turns: 1 },
    effect: { do: 'wait', turn: 'back' },
  });
  for (const n of [2, 3, 30])
    expect(onFound({ outcome: 'absent' }, stale, turn(n), patience)).toMatchObject({
      to: { state: 'doubtful' },
      effect: { do: 'wait', turn: 'back' },
    });
});

test.each<[string, Found, GateAnswer, number, string]>([
  ['present is executed, even if it may not run now', done, refused, 2, 'executed'],
  ['a definite refusal is a failure', rejection, ok, 2, 'failed'],
  ['absent is called again when it may run now', { outcome: 'absent' }, ok, 2, 'call'],
  ['absent is unresolved when it may not run now', { outcome: 'absent' }, refused, 2, 'unresolved'],
  ['absent is unresolved after expiry', { outcome: 'absent' }, expired, 2, 'unresolved'],
  ['absent waits while its own state is behind', { outcome: 'absent' }, behind, 2, 'wait'],
  ['absent waits while its own state is unknown', { outcome: 'absent' }, stale, 2, 'wait'],
  ['absent waits on when its own state is unknown to the last', { outcome: 'absent' }, stale, 3, 'wait'],
  ['absent is unresolved when all calls are used up', { outcome: 'absent' }, ok, 3, 'unresolved'],
  ['no answer is asked again', { outcome: 'unknown', detail: 'away' }, ok, 2, 'wait'],
  ['no answer to the last asking is unresolved', { outcome: 'unknown', detail: 'away' }, ok, 3, 'unresolved'],
])('after asking: %s', (_name, found, now, n, expected) => {
  expect(brief(onFound(found, now, turn(n), patience))).toBe(expected);
});

test.each<[string, Parameters<typeof onAnswer>[0], number, string]>([
  ['done is executed', done, 1, 'executed'],
  ['a definite refusal of the first call is a failure', rejection, 1, 'failed'],
  ['a refusal of a repeat is asked about: the call before it may have landed', rejection, 2, 'wait'],
  ['a refusal of a repeat on the last turn is unresolved, never a failure', rejection, 3, 'unresolved'],
  ['a repeat that is done is executed', done, 2, 'executed'],
  ['silence is asked about later', { outcome: 'unknown', detail: 'time-out' }, 1, 'wait'],
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
  expect(steps.map(({ effect }) => effect)).toEqual(steps.map(() => ({ do: 'settle', where: 'alone' })));
  expect(onAnswer(done, turn(1), patience).effect).toEqual({ do: 'settle', where: 'open' });
});

test('a permit never claims a call that was not made', () => {
  const away: Found = { outcome: 'unknown', detail: 'away' };
  const unsent = { outcome: 'unknown', detail: 'refused', unsent: true } as const;
  const detail = (reached: Step) => endOf(reached)?.reason?.detail;
  expect(detail(onFound({ outcome: 'absent' }, ok, { turn: 3, sent: 1 }, patience))).toBe(
    'one call may have been sent, and the connected system does not know the key',
  );
  expect(detail(onFound(away, ok, { turn: 3, sent: 2 }, patience))).toBe(
    'up to 2 calls were sent, and no answer tells what came of it: away',
  );
  expect(detail(onAnswer(unsent, { turn: 3, sent: 1 }, patience))).toMatch(/^one call may have been sent/);
  expect(onAnswer(unsent, { turn: 2, sent: 0 }, patience)).toMatchObject({ effect: { do: 'wait', turn: 'unsent' } });
  expect(onAnswer(unsent, { turn: 3, sent: 0 }, patience)).toMatchObject({
    to: {
      end: { outcome: 'failed', reason: { code: 'not-sent', detail: 'nothing could be sent in 3 tries: refused' } },
    },
  });
});

test('no absence and no silence ever comes out as failed, refused, expired or executed', () => {
  const founds: Found[] = [{ outcome: 'absent' }, { outcome: 'unknown', detail: 'away' }];
  for (const found of founds)
    for (const now of [ok, behind, stale, refused, expired, forged])
      for (let n = 2; n <= patience.turns; n++) {
        expect(['call', 'wait', 'unresolved']).toContain(brief(onFound(found, now, turn(n), patience)));
      }
});

test('the end carries reference and values, and the pauses double', () => {
  expect(endOf(onAnswer(done, turn(1), patience))).toEqual(executed);
  const silent = { outcome: 'unknown', detail: 'time-out' } as const;
  const long = { ...patience, turns: 20 };
  expect([1, 2, 3, 15].map((n) => onAnswer(silent, turn(n), long))).toEqual(
    [500, 1000, 2000, 30_000].map((inMs) => ({ to: { state: 'doubtful' }, effect: { do: 'wait', pause: { inMs } } })),
  );
});

test('unresolved says why it was not called again', () => {
  expect(onFound({ outcome: 'absent' }, refused, turn(2), patience)).toMatchObject({
    to: { end: { reason: { code: 'stopped', detail: expect.stringContaining('agent:a by lea') } } },
  });
});

test('what no database could keep is not written down: an answer with it still ends its permit', () => {
  const odd = 'a\0b \ud800 c';
  const end = (answer: Answer) => endOf(onAnswer(answer, turn(1), patience));
  expect(end({ outcome: 'rejected', reason: { code: 'odd', detail: odd } })).toEqual({
    outcome: 'failed',
    reason: { code: 'odd', detail: 'a\ufffdb \ufffd c' },
  });
  expect(end({ outcome: 'done', externalReference: odd, before: { odd }, after: { [odd]: 1 } })).toEqual({
    outcome: 'executed',
    externalReference: 'a\ufffdb \ufffd c',
  });
  const words = { text: 'a \\u0000 in words' };
  expect(end({ outcome: 'done', externalReference: 'r', after: words })).toMatchObject({ after: words });
  expect(end({ outcome: 'rejected', reason: { code: 'long', detail: `${'x'.repeat(999)}😀` } })?.reason?.detail).toBe(
    `${'x'.repeat(999)}\ufffd`,
  );
});

test('a permit stands by its row: by who took it, whether it has its end, and whether a call may have left', () => {
  const row = { jobId: 'mine', turns: 2, unsent: 2, end: null };
  expect(standing(undefined, 'mine')).toEqual({ state: 'new' });
  expect(standing(row, 'other')).toEqual({ state: 'used' });
  expect(standing(row, 'mine')).toEqual({ state: 'held', turns: 2 });
  expect(standing({ ...row, turns: 3 }, 'mine')).toEqual({ state: 'doubtful' });
  expect(standing({ ...row, turns: 3, end: executed }, 'mine')).toEqual({ state: 'executed', end: executed });
});

/** The same for each event of a kind. */
const all = (kind: string, leadsTo: string): Record<string, string> =>
  Object.fromEntries(Object.keys(events).flatMap((name) => (name.startsWith(kind) ? [[name, leadsTo]] : [])));
/** What has its end settles it again, so that a lost settlement is said; nothing else comes of it. */
const stands = (state: State): Record<string, string> =>
  Object.fromEntries(
    ['claimed', 'read before', 'given up', 'restored'].flatMap((kind) =>
      Object.entries(all(kind, `${state}: settle open`)),
    ),
  );

/** Every state and every event that changes something there: `where it leads: what is done`. All other pairs change nothing. */
const expected: Readonly<Record<State, Readonly<Record<string, string>>>> = {
  new: {
    'claimed, opens': 'held: take',
    'claimed, waits': 'new: wait',
    'claimed, refuses': 'refused: settle free',
    'claimed, expired': 'expired: settle free',
    'claimed, void': 'rejected: reject',
    ...all('read before, ', 'doubtful: take'),
    'read before, waits': 'new: wait',
    'read before, void': 'rejected: reject',
    ...all('held up', 'new: wait'),
    'paused, refuses': 'new: wait',
    overtaken: 'new: wait',
    ...all('given up', 'refused: settle free'),
    'given up, expired': 'expired: settle free',
    'given up, void': 'rejected: reject',
    ...all('read before given up', 'unresolved: settle free'),
    'read before given up, void': 'rejected: reject',
    'restored executed': 'executed: settle open',
    'restored unresolved': 'unresolved: settle open',
    'restored rejected': 'rejected: reject',
  },
  used: {
    ...all('claimed', 'rejected: reject'),
    ...all('read before, ', 'rejected: reject'),
    'claimed, waits': 'used: wait',
    'read before, waits': 'used: wait',
    ...all('held up', 'used: wait'),
    'paused, refuses': 'used: wait',
    overtaken: 'used: wait',
    ...all('given up', 'rejected: reject'),
    ...all('read before given up', 'rejected: reject'),
    'restored executed': 'executed: settle open',
    'restored unresolved': 'unresolved: settle open',
    'restored rejected': 'rejected: reject',
  },
  held: {
    'claimed, opens': 'held: turn',
    'claimed, waits': 'held: wait',
    'claimed, refuses': 'refused: settle alone',
    'claimed, expired': 'expired: settle alone',
    'claimed, void': 'refused: settle alone',
    ...all('read before, ', 'doubtful: turn lost'),
    'read before, waits': 'held: wait',
    ...all('held up', 'held: wait'),
    'paused, refuses': 'held: wait',
    'turn, unsent': 'calling: look',
    'turn, sent': 'asking: ask',
    overtaken: 'held: wait',
    ...all('given up', 'refused: settle alone'),
    'given up, expired': 'expired: settle alone',
    ...all('read before given up', 'unresolved: settle open'),
    'restored executed': 'executed: settle open',
    'restored unresolved': 'unresolved: settle open',
    'restored rejected': 'rejected: reject',
  },
  calling: {
    ...all('looked', 'refused: settle alone'),
    'looked, opens': 'calling: call',
    'looked, waits': 'held: wait back',
    'put off': 'held: wait back',
    'answered done': 'executed: settle open',
    'answered rejected': 'failed: settle alone',
    silent: 'doubtful: wait',
    unsent: 'held: wait unsent',
    'last turn, answered rejected': 'failed: settle alone',
    'last turn, silent': 'unresolved: settle open',
    'last turn, unsent': 'failed: settle alone',
  },
  doubtful: {
    ...all('claimed', 'doubtful: turn'),
    ...all('read before, ', 'doubtful: turn'),
    ...all('held up', 'doubtful: wait'),
    'paused, refuses': 'doubtful: turn unasked',
    ...all('turn', 'asking: ask'),
    overtaken: 'doubtful: wait',
    ...all('given up', 'unresolved: settle open'),
    ...all('read before given up', 'unresolved: settle open'),
    'restored executed': 'executed: settle open',
    'restored unresolved': 'unresolved: settle open',
    'restored rejected': 'rejected: reject',
  },
  asking: {
    'found done': 'executed: settle open',
    'found rejected': 'failed: settle open',
    'found nothing': 'doubtful: wait unsent',
    'absent, opens': 'repeating: call',
    'absent, waits': 'doubtful: wait back',
    'absent, refuses': 'unresolved: settle open',
    'last turn, found nothing': 'unresolved: settle open',
    'last turn, absent opens': 'unresolved: settle open',
  },
  repeating: {
    'answered done': 'executed: settle open',
    'answered rejected': 'doubtful: wait',
    silent: 'doubtful: wait',
    unsent: 'doubtful: wait unsent',
    'last turn, answered rejected': 'unresolved: settle open',
    'last turn, silent': 'unresolved: settle open',
    'last turn, unsent': 'unresolved: settle open',
  },
  executed: stands('executed'),
  failed: stands('failed'),
  refused: stands('refused'),
  expired: stands('expired'),
  unresolved: {
    ...stands('unresolved'),
    'decided executed': 'executed: settle unresolved',
    'decided failed': 'failed: settle unresolved',
    'restored executed': 'executed: settle open',
  },
  rejected: {},
};

test.each(Object.keys(permits) as State[])('a permit that is %s: every event leads where the table says', (state) => {
  const rows = table().filter(({ from }) => from === state);
  expect(Object.fromEntries(rows.map(({ event, to, effect }) => [event, `${to}: ${effect}`]))).toEqual(expected[state]);
});

test('the table asks about every kind of event', () => {
  const kinds: Record<Event['on'], true> = {
    claimed: true,
    'held-up': true,
    turn: true,
    overtaken: true,
    looked: true,
    'put-off': true,
    found: true,
    answered: true,
    'given-up': true,
    decided: true,
    restored: true,
  };
  expect(new Set(Object.values(events).map(({ on }) => on))).toEqual(new Set(Object.keys(kinds)));
});

import {
  type AccountProfile,
  type Control,
  compareStatements,
  type SignalAccepted,
  TaskAssigned,
  TaskEscalated,
} from '@countersign/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begin } from './begin.js';
import { playSubjectKey, underControls } from './detect.js';
import { contactSignal, type DayReport, subjectKey } from './facts.js';
import {
  accountUpserted,
  contact,
  type Detected,
  daysBefore,
  detect,
  engaged,
  floorPlay,
  type KnownWithControls,
  knowing,
  now,
  reported,
  surgePlay,
} from './testing.js';

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] as T;
}

const under = (version: number, parts: Record<string, string> = {}) => ({ version, parts });
const runIds = ({ found }: Detected) => found.map((f) => begin(f, new Map(), under(1), now).run.runId);
const acme = { kind: 'account', accountId: 'acme' } as const;
const stopped = (scope: string): Control => ({
  version: 1,
  changedAt: now,
  scope,
  state: 'stopped',
  by: 'lea',
  reason: 'a test',
});

/** What is kept after a batch, as the next batch knows it. */
function next(known: KnownWithControls, done: Detected, at: string): KnownWithControls {
  const subjects = new Map(known.subjects);
  for (const f of done.found.filter((found) => !found.stoppedBy)) {
    subjects.set(playSubjectKey(f.play.id, f.subject), { runs: f.ordinal, lastStartedAt: at });
  }
  const signals = new Map([...known.signals].map(([k, v]) => [k, [...v]]));
  for (const s of done.signals) signals.set(s.accountId, [...(signals.get(s.accountId) ?? []), s]);
  const reports = new Map([...known.reports].map(([k, v]) => [k, [...v]]));
  for (const r of done.reports) {
    const key = subjectKey({ kind: 'campaign', ...r });
    reports.set(key, [...(reports.get(key) ?? []).filter((o) => o.day !== r.day), r]);
  }
  return { ...known, subjects, signals, reports };
}

function replay(batches: readonly (readonly SignalAccepted[])[], known = knowing()) {
  let state = known;
  const found = batches.flatMap((batch) => {
    const done = detect(batch, state, now);
    state = next(state, done, now);
    return done.found;
  });
  return { found, known: state };
}

describe('three distinct contacts within eight days', () => {
  test('start one run, with a signal of each contact as evidence', () => {
    const { found } = detect([engaged('ann', 7), engaged('bob', 3), engaged('cyn', 0)], knowing(), now);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ ordinal: 1, subject: acme, stoppedBy: null, trigger: { signalId: 'cyn-0' } });
    expect(found[0]?.contactIds).toEqual(['ann', 'bob', 'cyn'].map(contact));
    expect(found[0]?.evidence.map((e) => e.detail)).toEqual(Array(3).fill('content engaged: topic comparison'));
  });

  test('start nothing when two of them are one person, or the window is a moment too long', () => {
    expect(detect([engaged('ann', 5), engaged('ann', 3), engaged('bob', 0)], knowing(), now).found).toEqual([]);
    const early = { receivedAt: daysBefore(2) };
    const wide = [engaged('ann', 8.001, early), engaged('bob', 3), engaged('cyn', 0)];
    expect(detect(wide, knowing(), now).found).toEqual([]);
    expect(detect([engaged('ann', 8, early), ...wide.slice(1)], knowing(), now).found).toHaveLength(1);
  });

  test('start nothing for an account of another tier, another topic, or an account that is not known', () => {
    const three = (given: Partial<SignalAccepted>) => ['ann', 'bob', 'cyn'].map((c) => engaged(c, 1, given));
    expect(detect(three({ accountId: 'small' }), knowing(), now).found).toEqual([]);
    expect(detect(three({ accountId: 'unknown' }), knowing(), now).found).toEqual([]);
    expect(detect(three({ facts: { topic: 'pricing' } }), knowing(), now).found).toEqual([]);
  });

  test('[case 17] never count a signal that may not trigger, nor one that was old when it arrived', () => {
    const two = [engaged('ann', 1), engaged('bob', 1)];
    expect(detect([...two, engaged('cyn', 1, { triggers: false })], knowing(), now).found).toEqual([]);
    const { found, signals } = detect([...two, engaged('cyn', 8.5)], knowing(), now);
    expect(found).toEqual([]);
    expect(signals).toHaveLength(3);
  });

  test('are found when the last thing to arrive is the account profile', () => {
    const known = knowing({ accounts: new Map() });
    const { known: later, found } = replay([['ann', 'bob', 'cyn'].map((c) => engaged(c, 1))], known);
    expect(found).toEqual([]);
    const withProfile = { ...later, accounts: knowing().accounts };
    expect(detect([accountUpserted('acme')], withProfile, now).found).toHaveLength(1);
  });

  test('start no second run in the cool-down, and one after it only with something new', () => {
    const { known } = replay([['ann', 'bob', 'cyn'].map((c) => engaged(c, 1))]);
    expect(detect([engaged('dan', 0)], known, now).found).toEqual([]);
    const later = daysBefore(-15);
    expect(detect([accountUpserted('acme')], known, later).found).toEqual([]);
    const fresh = ['ann', 'bob', 'cyn'].map((c) => engaged(c, -14.5, { receivedAt: later }));
    const again = detect(fresh, known, later).found;
    expect(again.map((f) => f.ordinal)).toEqual([2]);
  });

  test.each([
    ['all', 'everything'],
    ['play:surge', 'the play surge'],
    ['account:acme', 'the account acme'],
  ])('are recorded, not run, while %s is stopped', (scope, words) => {
    const known = knowing({ controls: new Map([[scope, stopped(scope)]]) });
    const { found, known: later } = replay([['ann', 'bob', 'cyn', 'dan'].map((c) => engaged(c, 1))], known);
    expect(found).toHaveLength(1);
    expect(begin(only(found), new Map(), under(1), now)).toMatchObject({
      run: { state: 'suppressed', reason: `lea stopped ${words}: a test` },
      tasks: [],
    });
    const resumed = { ...later, controls: new Map() };
    expect(detect([engaged('eve', 0)], resumed, now).found).toMatchObject([{ ordinal: 1, stoppedBy: null }]);
  });

  test('that match more than once in a batch are recorded once where a control stops them, and all where none does', () => {
    const [match] = detect(
      ['ann', 'bob', 'cyn'].map((c) => engaged(c, 1)),
      knowing(),
      now,
    ).found;
    if (!match) throw new Error('nothing was found');
    const twice = [match, { ...match, ordinal: 2 }];
    const ordinals = (scopes: readonly string[]) =>
      underControls(twice, new Map(scopes.map((scope) => [scope, stopped(scope)]))).map((f) => f.ordinal);
    expect(ordinals(['account:acme'])).toEqual([1]);
    expect(ordinals(['account:other'])).toEqual([1, 2]);
  });

  test('make the same runs in any order, batching and duplication, late signals included', () => {
    const names = ['ann', 'bob', 'cyn', 'dan', 'eve'];
    const signal = fc.record({ name: fc.constantFrom(...names), hoursAgo: fc.integer({ min: 0, max: 24 * 9 }) });
    const scenario = fc.array(signal, { maxLength: 8 }).chain((list) => {
      const events = list.map(({ name, hoursAgo }, i) => engaged(name, hoursAgo / 24, { signalId: `s${i}` }));
      const messy = [...events, ...events.slice(0, 3)];
      return fc.record({
        events: fc.constant(events),
        shuffled: fc.shuffledSubarray(messy, { minLength: messy.length }),
        cuts: fc.array(fc.integer({ min: 0, max: messy.length }), { maxLength: 4 }),
      });
    });
    let withRuns = 0;
    fc.assert(
      fc.property(scenario, ({ events, shuffled, cuts }) => {
        const edges = [0, ...[...cuts].sort((a, b) => a - b), shuffled.length];
        const batches = edges.slice(1).map((end, i) => shuffled.slice(edges[i], end));
        const inOrder = [...events].sort((a, b) => Date.parse(a.occurredAt) - Date.parse(b.occurredAt));
        const expected = replay(inOrder.map((e) => [e])).found;
        withRuns += expected.length;
        expect(runIds({ found: replay(batches).found, signals: [], reports: [] })).toEqual(
          runIds({ found: expected, signals: [], reports: [] }),
        );
      }),
      { numRuns: 500, seed: 7 },
    );
    expect(withRuns).toBeGreaterThan(20);
  });
});

describe('a campaign below its floor', () => {
  const bad = [reported(3, 10_000, 9_000), reported(2, 10_000, 9_000), reported(1, 10_000, 9_000)] as const;

  test('starts one run with the days as evidence and the figures as settings', () => {
    const { found } = detect(bad, knowing(), now);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      subject: { kind: 'campaign', adAccountId: 'ads-1', campaignId: 'c-1' },
      settings: { windowDays: 3, floorPercent: 120 },
      contactIds: [],
    });
    expect(found[0]?.evidence.map((e) => e.detail)).toEqual([
      '2026-03-07: spent EUR 100.00, brought EUR 90.00',
      '2026-03-08: spent EUR 100.00, brought EUR 90.00',
      '2026-03-09: spent EUR 100.00, brought EUR 90.00',
    ]);
  });

  test('is not judged on a window with a gap, since a day that was not reported is unknown', () => {
    expect(detect([bad[0], bad[2]], knowing(), now).found).toEqual([]);
  });

  test('has its own floor outweigh that of the play', () => {
    const own = (floor: number) => [
      ...bad.slice(0, 2),
      reported(1, 10_000, 9_000, { facts: { returnFloorPercent: floor } }),
    ];
    expect(detect(own(80), knowing(), now).found).toEqual([]);
    expect(detect(own(95), knowing(), now).found).toMatchObject([{ settings: { floorPercent: 95 } }]);
  });

  test('is left alone exactly at the floor, under the minimum spend, paused, in two currencies, or long ago', () => {
    const days = (spend: number, revenue: number, facts: Record<string, unknown> = {}) => [
      reported(3, spend, revenue),
      reported(2, spend, revenue),
      reported(1, spend, revenue, { facts }),
    ];
    expect(detect(days(10_000, 12_000), knowing(), now).found).toEqual([]);
    expect(detect(days(10_000, 11_999), knowing(), now).found).toHaveLength(1);
    expect(detect(days(333, 0), knowing(), now).found).toEqual([]);
    expect(detect(days(10_000, 0, { status: 'paused' }), knowing(), now).found).toEqual([]);
    expect(detect(days(10_000, 0, { currency: 'USD' }), knowing(), now).found).toEqual([]);
    expect(detect(bad, knowing(), daysBefore(-10)).found).toEqual([]);
  });

  test('is judged by the latest report of a day, whichever arrives last', () => {
    const corrected = reported(2, 10_000, 90_000, {
      signal: { signalId: 'corrected', occurredAt: daysBefore(0.1) },
    });
    expect(detect([bad[0], corrected, bad[1], bad[2]], knowing(), now).found).toEqual([]);
    expect(detect([bad[0], bad[1], corrected, bad[2]], knowing(), now).found).toEqual([]);
  });

  test('keeps of one day the latest statement, whatever the order of arrival and of the batches', () => {
    const statement = fc.record({
      occurredAt: fc.constantFrom(daysBefore(0.2), daysBefore(0.1)),
      source: fc.constantFrom('/sources/a', '/sources/b'),
      signalId: fc.constantFrom('1', '2', '\uffee', '😀'),
    });
    const arrivals = fc
      .uniqueArray(statement, { minLength: 1, maxLength: 8, selector: (s) => JSON.stringify(s) })
      .map((list) => list.map((signal, i) => reported(1, 10_000, i, { signal })))
      .chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
    fc.assert(
      fc.property(arrivals, (list) => {
        const latest = [...list].sort(compareStatements).at(-1);
        const stored = detect(list, knowing(), now).reports;
        expect(stored).toMatchObject([{ source: latest?.source, signalId: latest?.signalId }]);
        const before = new Map([[subjectKey({ kind: 'campaign', ...(stored[0] as DayReport) }), stored]]);
        expect(detect(list, knowing({ reports: before }), now).reports).toEqual([]);
      }),
      { seed: 11 },
    );
  });

  test('starts nothing by old reports alone, which count as facts all the same', () => {
    const old = bad.map((s) => ({ ...s, triggers: false }));
    const { found, known } = replay([old]);
    expect(found).toEqual([]);
    expect(
      detect([reported(1, 10_000, 9_000, { signal: { signalId: 'again', occurredAt: now } })], known, now).found,
    ).toHaveLength(1);
  });

  test('makes the same runs in any order and batching of its days', () => {
    const scenario = fc
      .array(fc.record({ spend: fc.integer({ min: 0, max: 5000 }), revenue: fc.integer({ min: 0, max: 9000 }) }), {
        minLength: 3,
        maxLength: 5,
      })
      .chain((days) => {
        const events = days.map(({ spend, revenue }, i) => reported(days.length - i, spend, revenue));
        return fc.record({
          events: fc.constant(events),
          shuffled: fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
          cut: fc.integer({ min: 0, max: events.length * 2 }),
        });
      });
    let withRuns = 0;
    fc.assert(
      fc.property(scenario, ({ events, shuffled, cut }) => {
        const ids = (batches: SignalAccepted[][]) => runIds({ found: replay(batches).found, signals: [], reports: [] });
        const expected = ids(events.map((e) => [e]));
        withRuns += expected.length;
        expect(ids([shuffled.slice(0, cut), shuffled.slice(cut)])).toEqual(expected);
      }),
      { numRuns: 300, seed: 11 },
    );
    expect(withRuns).toBeGreaterThan(20);
  });
});

test('both agents of a surge get their tasks at once, with settings, versions and a due time', () => {
  const { found } = detect(
    ['ann', 'bob', 'cyn'].map((c) => engaged(c, 1)),
    knowing(),
    now,
  );
  const versions = new Map([
    ['account:acme', { version: 4 }],
    [`contact:${contact('ann')}`, { version: 2 }],
  ]);
  const { tasks, checkpoint, run } = begin(only(found), versions, under(3), now);
  expect(checkpoint).toBeNull();
  expect(run).toMatchObject({ state: 'started', policyVersion: 3, reason: 'Surge: 3 contacts of acme within 8 days.' });
  expect(tasks.map((t) => [t.agent, t.dueAt, t.settings])).toEqual([
    ['paid-media-agent', '2026-03-10T12:30:00.000Z', {}],
    ['sequencing-agent', '2026-03-10T12:30:00.000Z', { sequence: 'follow-up' }],
  ]);
  expect(tasks[0]?.madeFrom).toEqual({ 'profile:account:acme': 4, [`profile:contact:${contact('ann')}`]: 2 });
});

test('a play with a checkpoint assigns nothing and asks its reviewers', () => {
  const play = { ...floorPlay, checkpoint: { reviewers: ['lea'], withinMinutes: 60 } };
  const days = [3, 2, 1].map((d) => reported(d, 10_000, 0));
  const { found } = detect(days, knowing({ plays: [play] }), now);
  const { tasks, checkpoint, run } = begin(only(found), new Map(), under(1), now);
  expect(tasks).toEqual([]);
  expect(run.state).toBe('waiting');
  expect(checkpoint).toMatchObject({ reviewers: ['lea'], deadline: '2026-03-10T13:00:00.000Z' });
  expect(checkpoint?.tasks).toHaveLength(1);
});

test("a checkpoint tells the account's name where it is known; its tasks do not, since agents read them", () => {
  const play = { ...surgePlay, checkpoint: { reviewers: ['lea'], withinMinutes: 60 } };
  const events = ['ann', 'bob', 'cyn'].map((c) => engaged(c, 1));
  const { found } = detect(events, knowing({ plays: [play] }), now);
  const data = { kind: 'account', accountId: 'acme', name: 'Acme Corp' } as AccountProfile;
  const { checkpoint } = begin(only(found), new Map([['account:acme', { version: 4, data }]]), under(3), now);
  expect(checkpoint).toMatchObject({ accountId: 'acme', accountName: 'Acme Corp' });
  expect(JSON.stringify(checkpoint?.tasks)).not.toContain('Acme Corp');
  expect(begin(only(found), new Map(), under(3), now).checkpoint).not.toHaveProperty('accountName');
});

test('without a play nothing starts and everything is kept', () => {
  const events = ['ann', 'bob', 'cyn'].map((c) => engaged(c, 1));
  const done = detect(events, knowing({ plays: [] }), now);
  expect(done.found).toEqual([]);
  expect(done.signals).toHaveLength(3);
  const later = next(knowing({ plays: [surgePlay] }), done, now);
  expect(detect([engaged('dan', 0)], later, now).found).toHaveLength(1);
});

test('of more contacts than a task may name the tasks name those that engaged last, and the run says so', () => {
  const events = Array.from({ length: 2500 }, (_, i) => engaged(`contact-${i}`, 4 - i / 1000));
  const stored = events.slice(0, -1).flatMap((event) => contactSignal(event) ?? []);
  const known = knowing({ signals: new Map([['acme', stored]]) });
  const play = { ...surgePlay, checkpoint: { reviewers: ['lea'], withinMinutes: 60 } };
  const found = only(detect(events.slice(-1), { ...known, plays: [surgePlay] }, now).found);
  const { run, tasks } = begin(found, new Map(), under(1), now);
  const latest = events.slice(-1000).map(({ contactId }) => contactId);
  expect(tasks.map(({ contactIds }) => contactIds)).toEqual([latest, latest]);
  expect(tasks.map(({ evidence }) => evidence.map(({ contactId }) => contactId))).toEqual([latest, latest]);
  expect(run.reason).toBe(
    'Surge: 2500 contacts of acme within 8 days. Its tasks name the 1000 of them that engaged last.',
  );
  for (const task of tasks) expect(TaskAssigned.safeParse(task).error).toBeUndefined();
  const { checkpoint } = begin({ ...found, play }, new Map(), under(1), now);
  expect(TaskEscalated.safeParse(checkpoint).error).toBeUndefined();
});

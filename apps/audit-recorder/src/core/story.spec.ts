import { type DataOf, derivedId, type Envelope, type EventType } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { idsOf } from './ids.js';
import { type Recorded, storyOf, timeOf, wantedIds } from './story.js';
import { storyLines, titleOf } from './story-lines.js';
import { ids, recordedChain } from './testing.js';

const all = recordedChain();
const namesOf = ({ event, id }: Recorded): readonly (string | null)[] => (event ? idsOf(event) : [id]);

/** Follows an id over the whole log as the shell does. */
function follow(id: string, log = all): Recorded[] {
  const found = new Set<Recorded>();
  const known = new Set<string>();
  for (let wanted = [id]; wanted.length > 0; ) {
    for (const name of wanted) known.add(name);
    for (const record of log)
      if (namesOf(record).some((name) => name !== null && wanted.includes(name))) found.add(record);
    wanted = wantedIds(id, [...found]).filter((name) => !known.has(name));
  }
  return storyOf(id, [...found]);
}

const idsIn = (story: readonly Recorded[]) => story.map(({ id }) => id);
const oneAction = ['event-1', 'event-1', 'event-2', 'event-3', 'event-4', 'event-5', 'event-6', 'event-7'];

describe('the story of one action', () => {
  test.each([
    ['proposal', ids.proposal],
    ['proposed action', ids.action],
    ['edited action', ids.editedAction],
    ['permit', ids.permit],
    ['review', ids.review],
    ['task', ids.task],
    ['event that approved it', 'event-6'],
    ['event that assigned the task', 'event-2'],
  ])('is the same whether asked by %s', (_, id) => {
    expect(idsIn(follow(id))).toEqual(oneAction);
  });

  test('holds the facts that the task was made from, not those that came later', () => {
    const profiles = follow(ids.permit).filter(({ event }) => event?.type === 'ProfileChanged');
    expect(profiles.map(({ event }) => event?.data)).toMatchObject([{ version: 3 }]);
  });

  test('leaves out what the same signal led to elsewhere', () => {
    expect(idsIn(follow(ids.permit))).not.toContain('event-other-proposal');
    expect(idsIn(follow(ids.otherProposal))).toEqual([
      'event-1',
      'event-1',
      'event-other-task',
      'event-other-proposal',
    ]);
  });

  test('holds the dead letter of one of its events, and the order to handle it again', () => {
    const at = '2026-11-21T10:08:00.000Z';
    const base = { at, partition: 0, source: '/countersign/x', sha256: 'f', kept: 'event' };
    const envelope = { source: '/countersign/x', time: at };
    const letter = {
      deadLetterId: ids.deadLetter,
      service: 'orchestrator',
      topic: 'actions.approved.v1',
      partition: 0,
      offset: '9',
      id: 'event-6',
      sha256: 'ab'.repeat(32),
      fault: { code: 'handler', detail: 'no such run' },
      attempts: 3,
      at,
    };
    const log: Recorded[] = [
      ...all,
      {
        ...base,
        index: 90,
        topic: 'orchestrator.dead-letters.v1',
        offset: '0',
        id: 'd1',
        event: { ...envelope, id: 'd1', type: 'DeadLetter', data: letter },
      },
      {
        ...base,
        index: 91,
        topic: 'dead-letters.replayed.v1',
        offset: '0',
        id: 'd2',
        event: {
          ...envelope,
          id: 'd2',
          type: 'DeadLetterReplayed',
          data: { deadLetterId: ids.deadLetter, service: 'orchestrator', by: 'lea', at },
        },
      },
    ];
    expect(idsIn(follow(ids.permit, log)).slice(-2)).toEqual(['d1', 'd2']);
    expect(idsIn(follow(ids.otherProposal, log))).not.toContain('d1');
  });
});

describe('the story of a signal or a run', () => {
  test.each([
    ['signal', ids.signal],
    ['run', ids.run],
  ])('holds every action that came of the %s', (_, id) => {
    expect(idsIn(follow(id))).toEqual(
      expect.arrayContaining([...oneAction, 'event-other-task', 'event-other-proposal']),
    );
  });
});

describe('the story of a checkpoint', () => {
  const checkpointId = derivedId('checkpoint', 1);
  const [play, subject] = [
    { id: 'surge', runId: ids.run, title: 'Surge' },
    { kind: 'checkpoint', id: checkpointId },
  ];
  const task = all.find(({ event }) => event?.type === 'TaskAssigned')?.event?.data as DataOf<'TaskAssigned'>;
  const base = all[0] as Recorded;
  const at = (minute: number) => `2026-11-21T10:0${minute}:00.000Z`;
  const record = (n: number, topic: string, type: EventType, data: object): Recorded => ({
    ...base,
    ...{ index: n, topic, id: `c-${n}`, offset: String(n) },
    event: { ...(base.event as Envelope), id: `c-${n}`, time: at(n), type, data: data as never },
  });
  const [digest, decision] = ['ab'.repeat(32), { digest: 'ab'.repeat(32), decision: 'approve', by: 'lea' }];
  const reason = { code: 'stopped', detail: 'approved by lea, but marc stopped the play surge: wrong figures' };
  const closed = { code: 'closed', detail: 'lea approved it before' };
  const [first, second] = [derivedId('review', 1), derivedId('review', 2)];
  const asked = { checkpointId, play, reviewers: ['lea', 'marc'], tasks: [task], digest, detail: 'three contacts' };
  const log = [
    base,
    record(2, 'tasks.escalated.v1', 'TaskEscalated', { ...asked, deadline: at(9), at: at(2) }),
    record(3, 'reviews.decided.v1', 'ReviewDecided', { reviewId: first, subject, ...decision, at: at(3) }),
    record(4, 'tasks.escalated.v1', 'TaskWithheld', {
      ...{ checkpointId, play, outcome: 'suppressed', review: { reviewId: first, by: 'lea' }, reason, at: at(4) },
    }),
    record(5, 'reviews.decided.v1', 'ReviewDecided', { reviewId: second, subject, ...decision, by: 'marc', at: at(5) }),
    record(6, 'tasks.escalated.v1', 'TaskReviewSetAside', {
      ...{ reviewId: second, checkpointId, by: 'marc', reason: closed, at: at(6) },
    }),
  ];

  test.each([
    ['checkpoint', checkpointId],
    ['run', ids.run],
  ])('says how it ended and which answer had no effect, asked by the %s', (_, id) => {
    const story = follow(id, log);
    expect(titleOf(id, story)).toBe('Surge: no task went out');
    expect(storyLines(story).flatMap(({ what, detail }) => (what === 'signal' ? [] : [`${what}: ${detail}`]))).toEqual([
      `checkpoint: the play "Surge" waits for lea and marc until ${at(9)}: three contacts`,
      'review: lea approved it',
      'checkpoint: no task of the play "Surge" goes out: approved by lea, but marc stopped the play surge: wrong figures',
      'review: marc approved it',
      'review: an answer of marc had no effect: lea approved it before',
    ]);
  });

  test('says what a person saw before an act, and for how long, if the event says it', () => {
    const seen = { digest: '12'.repeat(32), lookedMs: 12_400 };
    const acts = [
      record(7, 'controls.v1', 'ControlChanged', {
        scope: 'all',
        state: 'stopped',
        by: 'lea',
        reason: 'incident',
        seen,
      }),
      record(8, 'controls.v1', 'ControlChanged', { scope: 'all', state: 'running', by: 'lea', reason: 'it is over' }),
      record(9, 'reviews.decided.v1', 'ReviewDecided', { reviewId: first, subject, ...decision, lookedMs: 400 }),
    ];
    expect(storyLines(acts).map(({ what, detail }) => `${what}: ${detail}`)).toEqual([
      'control: lea set all to stopped: incident',
      'seen: lea had what it concerns in sight for 12 s, digest 121212121212…',
      'control: lea set all to running: it is over',
      'review: lea approved it',
      'seen: lea had what it concerns in sight for 0 s, digest abababababab…',
    ]);
  });

  test('has a title while it waits', () => {
    expect(titleOf(checkpointId, follow(checkpointId, log.slice(0, 2)))).toBe('Surge: waits for lea and marc');
  });
});

test('an id that nothing has gives an empty story', () => {
  expect(follow('nobody')).toEqual([]);
  expect(titleOf('nobody', [])).toBe('nothing on record has the id nobody');
});

describe('told', () => {
  const story = follow(ids.permit);

  test('[case 56] it says signal, profile, play, rationale, every reason, reviewer, permit and effect, in that order', () => {
    expect(storyLines(story).map(({ what, detail }) => `${what}: ${detail}`)).toEqual([
      `signal: ContentEngaged from /sources/website about Acme (account acme), contact ${ids.contact}: topic comparison, seconds 120 (quality 87 of 100)`,
      'profile: account acme: name Acme, tier 1, 12 signals so far (version 3)',
      'play: the play "Tier-1 comparison surge" gave paid-media-agent a task: move budget to what is compared; about Acme (account acme); allowed: ads.shift_budget; due 2026-11-21T10:32:00.000Z',
      'evidence: 2026-11-21T10:00:00.000Z: a contact of acme read a comparison',
      'proposal: paid-media-agent proposed to move EUR 20.00 of daily budget from c-1 to c-2, confidence 80 %',
      "rationale: in the agent's own words (rules surge): “Three people of acme compare vendors.”",
      'alternative: considered and left: raise the bid (the bid is not what limits it)',
      'verdict: needs a person, lea, until 2026-11-21T10:59:00.000Z: move EUR 20.00 of daily budget from c-1 to c-2',
      'rule: spend-cap passes: EUR 20.00 of EUR 500.00 a day',
      'rule: approval-threshold asks for a person: more than 20 % of the daily budget',
      'review: lea changed it to: move EUR 10.00 of daily budget from c-1 to c-2, noting “half is enough”',
      'verdict: approved under policy version 7, as lea answered: move EUR 10.00 of daily budget from c-1 to c-2',
      'rule: spend-cap passes: EUR 20.00 of EUR 500.00 a day',
      'rule: approval-threshold asks for a person: more than 20 % of the daily budget',
      `permit: permit ${ids.permit}: action-executor/ads may run it once, from 2026-11-21T10:06:00.000Z to 2026-11-21T10:21:00.000Z; it holds EUR 10.00 of spend:ad-account:ad-1:2026-11-21`,
      'effect: executed by action-executor/ads; there called ads-991; to daily budget EUR 60.00, before EUR 50.00',
    ]);
  });

  test('it says which model the agent called and what that took, where the agent says so', () => {
    const proposed = story.find(({ id }) => id === 'event-3') as Recorded;
    const data = {
      taskId: ids.task,
      agent: 'paid-media-agent',
      play: { id: 'surge', runId: ids.run, title: 'Surge' },
      outcome: 'proposed',
      reason: 'proposed ads.shift_budget',
      proposalIds: [ids.proposal],
      at: timeOf(proposed),
      model: { name: 'a-model', calls: 2, unknownCalls: 0, inputTokens: 1200, outputTokens: 300 },
    };
    const settled = {
      ...proposed,
      index: 97,
      offset: '97',
      topic: 'tasks.settled.paid-media-agent.v1',
      id: 'event-answer',
      event: { ...proposed.event, id: 'event-answer', type: 'TaskSettled', data },
    } as Recorded;
    expect(storyLines(follow(ids.proposal, [...all, settled])).map(({ what, detail }) => `${what}: ${detail}`)).toEqual(
      expect.arrayContaining([
        'task: paid-media-agent answered the task with 1 proposal: proposed ads.shift_budget',
        'model: the model a-model was called 2 times: 1200 tokens in, 300 out',
      ]),
    );
  });

  test('it is headed by the action and where it stands', () => {
    expect(titleOf(ids.permit, story)).toBe(
      'paid-media-agent: move EUR 20.00 of daily budget from c-1 to c-2 (executed)',
    );
    expect(titleOf(ids.run, follow(ids.run))).toBe('Tier-1 comparison surge: 2 actions proposed');
  });

  test('a twin with the same id and other content is pointed out, a plain repeat is not', () => {
    const original = story.find(({ id }) => id === 'event-6') as Recorded;
    const repeat = { ...original, index: 98, offset: '98' };
    const forged = { ...original, index: 99, offset: '99', sha256: 'other' };
    const lines = storyLines([...story, repeat, forged]);
    expect(lines.slice(storyLines(story).length)).toEqual([
      {
        at: original.event?.time,
        what: 'twin',
        detail:
          'another record with the id event-6 and other content stands at actions.approved.v1 0/99; only one of them was obeyed',
      },
    ]);
  });

  test('an inbound signal is said to have arrived only while nothing answers it', () => {
    const accepted = all[0] as Recorded;
    const { event: _event, ...arrival } = {
      ...accepted,
      kept: 'commitment',
      source: '/sources/website',
      id: ids.signal,
    };
    expect(storyLines([arrival]).map(({ what }) => what)).toEqual(['arrival']);
    expect(storyLines([arrival, accepted]).map(({ what }) => what)).toEqual(['signal']);
  });

  test('a record that no service could obey says why', () => {
    const { event: _event, ...record } = all[9] as Recorded;
    expect(
      storyLines([{ ...record, fault: { code: 'wrong-author', detail: 'source: must be another' } }]),
    ).toMatchObject([
      { what: 'unreadable', detail: 'a record on actions.approved.v1 that no service obeyed: source: must be another' },
    ]);
  });
});

describe('people', () => {
  const topic = 'actions.proposed.paid-media-agent.v1';
  const base = { partition: 0, sha256: 'f', kept: 'event', source: '/countersign/x' };
  const recorded = (index: number, on: string, type: string, data: unknown): Recorded => {
    const at = `2026-11-21T10:0${index}:00.000Z`;
    const id = `e-${index}`;
    return {
      ...base,
      index,
      at,
      topic: on,
      offset: String(index),
      id,
      event: { id, source: base.source, time: at, type, data },
    };
  };
  const proposed = all.find(({ event }) => event?.type === 'ActionProposed');
  const payload = { contactId: ids.contact, sequenceId: 'welcome', purpose: 'sales' };
  const action = { actionId: ids.action, kind: 'sequence.enroll', accountId: 'lumen-health', payload };
  const proposal = { ...(proposed?.event?.data as object), proposalId: ids.proposal, action };
  const contactProfile = {
    version: 1,
    changedAt: '2026-11-21T10:01:00.000Z',
    kind: 'contact',
    contactId: ids.contact,
    accountId: 'lumen-health',
    seniority: 'c-suite',
    jobFunction: 'finance',
    reachable: ['email'],
    signals: 1,
    provenance: {},
  };
  const accountProfile = {
    version: 1,
    kind: 'account',
    accountId: 'lumen-health',
    name: 'Lumen\u001b[2J Health',
    signals: 1,
    deals: [],
    provenance: {},
  };
  const known = [
    recorded(1, 'profiles.v1', 'ProfileChanged', accountProfile),
    recorded(2, 'profiles.v1', 'ProfileChanged', contactProfile),
  ];
  const linesOf = (records: readonly Recorded[]) => storyLines(records).map(({ what, detail }) => `${what}: ${detail}`);

  test('are told by what the profiles on record say of them, beside the id, and outsiders words are made harmless', () => {
    const records = [...known, recorded(3, topic, 'ActionProposed', proposal)];
    const person = `c-suite, finance, at Lumen\ufffd[2J Health (contact ${ids.contact})`;
    expect(linesOf(records)).toContain(
      `proposal: paid-media-agent proposed to enrol ${person} in welcome, confidence 80 %`,
    );
    expect(titleOf(ids.proposal, records)).toBe(`paid-media-agent: enrol ${person} in welcome (not judged yet)`);
  });

  test('by the latest profile, whatever order the records stand in', () => {
    const later = recorded(4, 'profiles.v1', 'ProfileChanged', { ...contactProfile, version: 2, seniority: 'vp' });
    const records = [later, ...known, recorded(3, topic, 'ActionProposed', proposal)];
    for (const lines of [linesOf(records), linesOf(records.toReversed())])
      expect(lines.find((line) => line.startsWith('proposal'))).toContain('enrol vp, finance, at');
  });

  test('by what the card says where no profile is in the story, and by the id where nothing is', () => {
    const escalated = all.find(({ event }) => event?.type === 'ActionEscalated')?.event?.data as object;
    const people = [{ contactId: ids.contact, seniority: 'director', jobFunction: 'legal', accountName: 'Lumen' }];
    const card = { detail: 'enrol', people, runningTotals: [], reversible: 'yes', accountName: 'Lumen' };
    const asked = recorded(4, 'actions.escalated.v1', 'ActionEscalated', { ...escalated, action, card });
    expect(linesOf([asked])[0]).toContain(`enrol director, legal, at Lumen (contact ${ids.contact}) in welcome`);
    expect(linesOf([recorded(3, topic, 'ActionProposed', proposal)])[0]).toContain(`enrol contact ${ids.contact} in`);
  });

  test('a signal, a task, its evidence and a consent say whom they are about', () => {
    const evidence = { source: 's', signalId: 's-1', type: 'PageViewed', occurredAt: '2026-11-21T10:00:00.000Z' };
    const about = { accountId: 'lumen-health', contactId: ids.contact };
    const task = {
      ...(all.find(({ event }) => event?.type === 'TaskAssigned')?.event?.data as object),
      accountId: 'lumen-health',
      contactIds: [ids.contact],
      evidence: [{ ...evidence, ...about, detail: 'page viewed' }],
    };
    const consents = { version: 1, contactId: ids.contact, entries: [], suppressions: [] };
    const signal = { ...(all[0]?.event?.data as object), ...about, facts: {} };
    const account = 'Lumen\ufffd[2J Health (account lumen-health)';
    const contact = `c-suite, finance (contact ${ids.contact})`;
    const lines = linesOf([
      recorded(0, 'signals.accepted.v1', 'SignalAccepted', signal),
      ...known,
      recorded(3, 'consents.v1', 'ConsentsChanged', consents),
      recorded(4, 'tasks.assigned.v1', 'TaskAssigned', task),
    ]);
    expect(lines).toEqual([
      `signal: ContentEngaged from /sources/website about ${account}, ${contact} (quality 87 of 100)`,
      expect.stringContaining('profile: account lumen-health'),
      expect.stringContaining(`profile: contact ${ids.contact}`),
      `consent: c-suite, finance, at Lumen\ufffd[2J Health (contact ${ids.contact}): nothing agreed to (version 1)`,
      expect.stringContaining(`; about ${account}, ${contact}; allowed: ads.shift_budget`),
      `evidence: 2026-11-21T10:00:00.000Z: page viewed; about ${contact}`,
    ]);
  });
});

test('a reveal is told by its id: who asked for what and why, and what came of it, without what was revealed', () => {
  const revealId = '2f6c0a61-9c0e-4b39-8f53-6d6b7d0a9c11';
  const contactId = '6cf220c7-9794-40c6-ae57-e29f891b23ff';
  const record = (index: number, type: string, at: string, data: object): Recorded => ({
    ...{ index, at, topic: 'reveals', partition: 0, offset: String(index), sha256: 'f', kept: 'event' },
    ...{ source: '/countersign/x', id: `reveal-${index}` },
    event: { type, id: `reveal-${index}`, source: '/countersign/x', time: at, data: { revealId, contactId, ...data } },
  });
  const asked = { fields: ['name', 'email'], purpose: 'access-request', note: 'request 4711', by: 'ann' };
  const log = [
    ...all,
    record(91, 'RevealAnswered', '2026-11-21T10:00:01.000Z', { outcome: 'sealed', fields: ['name'] }),
    record(92, 'RevealRequested', '2026-11-21T10:00:00.000Z', asked),
    record(93, 'RevealRequested', '2026-11-21T10:00:00.000Z', { ...asked, revealId: 'another' }),
  ];
  expect(storyLines(follow(revealId, log)).map(({ detail }) => detail)).toEqual([
    `ann asked for name and email of contact ${contactId}, purpose access-request, noting “request 4711”`,
    `name of contact ${contactId} was sealed to whoever asked; the record does not have it`,
  ]);
});

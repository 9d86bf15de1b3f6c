import { type DataOf, derivedId, proposalIdOf, shippedDeployment, type TaskAssigned } from '@countersign/contracts';
import { taskFact } from '@countersign/gate';
import { content, policyOf, taskOf } from '@countersign/gate/testing';
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { type AuditReport, checkInvariants } from './check.js';
import { at, contact, minutes, otherKey, quietWorld, world } from './given.js';
import type { Observed, StateSeen } from './observed.js';
import { auditText } from './report.js';

/** What is wrong, by invariant. */
const found = (observed: Observed): Record<string, string[]> => {
  const wrong: Record<string, string[]> = {};
  for (const { invariant, detail } of checkInvariants(observed).violations) {
    wrong[invariant] = [...(wrong[invariant] ?? []), detail];
  }
  return wrong;
};
const waits = (report: AuditReport): string[] => report.waiting.map((w) => `${w.what} for ${w.for}`);

test('where every promise was kept, nothing is found and nothing waits', () => {
  const report = checkInvariants(quietWorld().observed());
  expect(report).toMatchObject({ ok: true, violations: [], waiting: [] });
  expect(report.invariants.every((line) => line.checked > 0)).toBe(true);
  expect(report.counts).toMatchObject({ approvals: 2, executed: 2, withoutPermit: 0 });
});

test('an execution under a forged permit is an effect without a permit; a forgery that was rejected is none', () => {
  const w = quietWorld();
  const forged = w.approve(w.propose('ads.set_bid'), { key: otherKey });
  const place = w.observed().seen.at(-1)?.place;
  const { topic, partition, offset } = place ?? { topic: '', partition: 0, offset: '' };
  const reason = { code: 'signature', detail: 'not by this key' };
  const rejected = { executor: 'action-executor', reason, topic, partition, offset, at };
  w.add('actions.settled.action-executor.v1', 'PermitRejected', rejected);
  expect(found(w.observed())).toEqual({});

  w.settle(forged, 'executed');
  expect(found(w.observed())).toEqual({ permitted: [expect.stringContaining('settled it as executed')] });
});

test('an effect that nobody approved, or that was settled as refused, is found where the systems show it', () => {
  const w = quietWorld();
  w.messages.push({ messageId: derivedId('sandbox-message', 'nobody'), sentAt: at });
  expect(found(w.observed())).toEqual({ permitted: [expect.stringContaining('no approval leads to it')] });

  const other = quietWorld();
  const refused = other.approve(other.propose('email.send', { contactId: derivedId('contact', 'bob') }, 2));
  other.consent(1, 'granted', minutes(-60));
  other.settle(refused, 'refused');
  expect(found(other.observed())).toEqual({});
  other.messages.push({ messageId: derivedId('sandbox-message', refused.actionId), sentAt: at });
  expect(found(other.observed())).toEqual({ permitted: [expect.stringContaining('settled as refused')] });
});

test('a settlement before its time, or by an executor whom the permit does not name, is found', () => {
  const w = quietWorld();
  w.settle(w.approve(w.propose('email.send', { sendAt: minutes(60 * 24 * 8) }, 2)), 'executed', minutes(1));
  expect(found(w.observed())).toMatchObject({ permitted: [expect.stringContaining('before')] });

  const other = quietWorld();
  const stranger = { ...other.settled(other.shift, 'executed'), executor: 'downstream' };
  other.add('actions.settled.downstream.v1', 'ActionSettled', stranger);
  expect(found(other.observed())).toEqual({ permitted: [expect.stringContaining('downstream settled it')] });
  // One that claims no effect does not count, and harms nobody.
  const harmless = quietWorld();
  harmless.add('actions.settled.downstream.v1', 'ActionSettled', {
    ...harmless.settled(harmless.shift, 'failed'),
    executor: 'downstream',
  });
  expect(found(harmless.observed())).toEqual({});
});

test('an approval of what nobody proposed, or of another action than was proposed, is found; a person’s edit is none', () => {
  const w = quietWorld();
  const { seen } = w.observed();
  const isProposalOf = (proposalId: string) => (s: Observed['seen'][number]) =>
    s.event.type === 'ActionProposed' && (s.event.data as DataOf<'ActionProposed'>).proposalId === proposalId;
  const without = seen.filter((s) => !isProposalOf(w.shift.proposalId)(s));
  expect(found(w.observed({ seen: without }))).toEqual({
    permitted: [expect.stringContaining('which paid-media-agent never made')],
  });
  // What the topics have forgotten the record has.
  const { record } = w.observed();
  const proposed = new Map([[`paid-media-agent ${w.shift.proposalId}`, new Set([w.shift.digest])]]);
  expect(found(w.observed({ seen: without, record: record && { ...record, proposed } }))).toEqual({});

  const otherwise = seen.map((s) => {
    if (!isProposalOf(w.shift.proposalId)(s)) return s;
    const data = s.event.data as DataOf<'ActionProposed'>;
    return { ...s, event: { ...s.event, data: { ...data, action: { ...data.action, accountId: 'another' } } } };
  }) as Observed['seen'];
  expect(found(w.observed({ seen: otherwise }))).toEqual({ permitted: [expect.stringContaining('another action')] });
  // Expired when its approval came: it could run nothing.
  const late = otherwise.map((s) =>
    s.event.type === 'ActionApproved' ? { ...s, place: { ...s.place, at: minutes(600) } } : s,
  ) as Observed['seen'];
  const namesAnother = (seen: Observed['seen']) =>
    (found(w.observed({ seen, at: minutes(601) })).permitted ?? []).some((detail) => detail.includes('another action'));
  expect(namesAnother(late.filter(({ event }) => event.type !== 'ActionSettled'))).toBe(false);
  // Whatever ran counts, however late its permit came.
  expect(namesAnother(late)).toBe(true);
  const review = { reviewId: derivedId('review', 1), by: 'lea', decision: 'edit' as const };
  const edited = otherwise.map((s) =>
    s.event.type === 'ActionApproved' ? { ...s, event: { ...s.event, data: { ...s.event.data, review } } } : s,
  ) as Observed['seen'];
  expect(found(w.observed({ seen: edited })).permitted).toBeUndefined();
});

test('a proposal is its author’s: an approval of what another agent wrote under its id, and a verdict on that, are found', () => {
  const w = quietWorld();
  const { seen } = w.observed();
  const moved = seen.map((s) =>
    s.event.type === 'ActionProposed'
      ? { ...s, place: { ...s.place, topic: 'actions.proposed.sequencing-agent.v1' } }
      : s,
  ) as Observed['seen'];
  const detail = found(w.observed({ seen: moved }));
  const never = expect.stringContaining('which paid-media-agent never made');
  expect(detail.permitted).toEqual([never, never]);
  // Nor has the agent that wrote them a verdict by that.
  expect(detail['nothing-lost']).toEqual([
    expect.stringMatching(/^proposal waits for guardrail-validator/),
    expect.stringMatching(/^proposal waits for guardrail-validator/),
  ]);
});

test('an approval whose task was not given to its agent, for its play, account and kind, is found', () => {
  const w = quietWorld();
  const observed = w.observed();
  const task = taskOf('paid-media-agent');
  const detail = (assigned: readonly TaskAssigned[]) => {
    const record = { ...(observed.record as NonNullable<Observed['record']>) };
    const facts = new Map(assigned.map((given) => [given.taskId, taskFact(given)] as const));
    return found({ ...observed, record: { ...record, assigned: facts } }).permitted ?? [];
  };
  expect(detail([task])).toEqual([]);
  const none = expect.stringContaining(`its task ${task.taskId} was assigned to nobody`);
  expect(detail([])).toEqual([none, none]);
  // Another one's task is none of its own, and of two under one id the first stands.
  expect(detail([{ ...task, taskId: derivedId('task', 'another') }])).toEqual([none, none]);
  for (const [change, reason] of [
    [{ agent: 'sequencing-agent' }, 'was assigned to sequencing-agent, not to paid-media-agent'],
    [{ play: { ...task.play, id: 'surge' } }, 'is of the play surge, not of return-below-floor'],
    [{ accountId: 'umbra' }, 'is not about this: the account of the task is umbra, that of the proposal is acme'],
    [{ kinds: [] }, 'does not allow'],
  ] as const)
    expect(detail([{ ...task, ...change, kinds: [...('kinds' in change ? change.kinds : task.kinds)] }])).toEqual([
      expect.stringContaining(reason),
      expect.stringContaining(reason),
    ]);
  // The ad account is the shift's alone, and so is its campaign; the contact and the template are the message's.
  for (const [change, reason] of [
    [{ adAccountId: 'ads-apac' }, 'the ad account of the task is ads-apac, that of the proposal is ads-emea'],
    [{ campaignId: 'cmp-low' }, 'the campaign of the task is cmp-low, that of the proposal is cmp-from, cmp-to'],
    [{ settings: { campaignId: 'cmp-low' } }, 'the campaign of the task is cmp-low'],
    [{ contactIds: [] }, `contact ${contact} is not among those of the task`],
    [{ settings: { template: 'invitation' } }, 'the template of the task is invitation'],
  ] as const)
    expect(detail([{ ...task, ...change, contactIds: [...('contactIds' in change ? [] : task.contactIds)] }])).toEqual([
      expect.stringContaining(reason),
    ]);
  // What a task leaves open is a person's to answer, or nobody's to ask.
  expect(detail([{ ...task, settings: {}, campaignId: 'cmp-from' }])).toEqual([]);
  const enrolled = world();
  enrolled.settle(enrolled.approve(enrolled.propose('sequence.enroll')), 'executed');
  const foundUnder = (settings: TaskAssigned['settings']) => {
    const all = enrolled.observed();
    const record = { ...(all.record as NonNullable<Observed['record']>) };
    const assigned = new Map([[task.taskId, taskFact({ ...task, settings })] as const]);
    return found({ ...all, record: { ...record, assigned } }).permitted ?? [];
  };
  expect(foundUnder({ sequence: 'comparison-follow-up' })).toEqual([]);
  expect(foundUnder({})).toEqual([]);
  expect(foundUnder({ sequence: 'pricing-follow-up' })).toEqual([
    expect.stringContaining(
      'the sequence of the task is pricing-follow-up, that of the proposal is comparison-follow-up',
    ),
  ]);
  // Where the record cannot be read, a task may be one that its topic has forgotten.
  expect(found({ ...observed, record: null }).permitted ?? []).toEqual([]);
});

test('a permit that was judged under a policy that nobody published is found', () => {
  const w = quietWorld();
  const { seen } = w.observed();
  expect(found(w.observed({ seen: seen.filter((s) => s.event.type !== 'PolicyPublished') })).policies).toEqual([
    expect.stringContaining('never published'),
    expect.stringContaining('never published'),
  ]);
});

test('an event under the id of another is counted beside it where it says something else', () => {
  const w = quietWorld();
  const settled = w.observed().seen.filter((s) => s.event.type === 'ActionSettled');
  const again = settled.map((s) => ({
    place: { ...s.place, offset: `9${s.place.offset}` },
    event: { ...s.event, data: { ...(s.event.data as DataOf<'ActionSettled'>), outcome: 'failed' } },
  })) as unknown as Observed['seen'];
  expect(found(w.observed({ seen: [...w.observed().seen, ...again] })).once).toHaveLength(2);
});

test('two ends of a permit are found; unresolved then executed, and executed then undone, are one', () => {
  const w = quietWorld();
  w.settle(w.shift, 'failed');
  expect(found(w.observed())).toMatchObject({ once: [expect.stringContaining('more than one end')] });

  const honest = quietWorld();
  const late = honest.approve(honest.propose('ads.set_bid'));
  honest.settle(late, 'unresolved');
  honest.settle(late, 'executed');
  honest.settle(late, 'undone');
  expect(found(honest.observed())).toEqual({});
});

test('records that were deleted before a service read them are lost, until a person has acknowledged it', () => {
  const gap = { service: 'audit-recorder', topic: 'reviews.decided.v1', partition: 2, from: 10, noticedAt: at };
  expect(found(quietWorld().observed({ missed: [{ ...gap, to: 15 }] }))).toEqual({
    'nothing-lost': [expect.stringContaining('from offset 10 to 14 were deleted before audit-recorder read them')],
  });
  expect(found(quietWorld().observed({ missed: [{ ...gap, to: null }] }))['nothing-lost']).toHaveLength(1);
});

test('one event published twice is one; an action executed under two permits is found', () => {
  const w = quietWorld();
  const [last] = w.observed().seen.slice(-1);
  expect(found(w.observed({ seen: [...w.observed().seen, ...(last ? [last] : [])] }))).toEqual({});

  const made = w.propose('ads.set_bid');
  const again = { ...made, item: 'second', proposalId: proposalIdOf(made.agent, made.taskId, 'second') };
  const first = w.approve(w.propose('ads.set_bid', {}, 3));
  w.settle(first, 'executed');
  const judged = { ...again, action: { ...again.action, actionId: derivedId('action', again.proposalId) } };
  const second = w.approve(judged);
  w.settle(second, 'executed');
  expect(found(w.observed()).once).toBeUndefined();
  const seen = w.observed().seen.map((s) => {
    if (s.event.type !== 'ActionSettled' || s.event.data.permitId !== second.permitId) return s;
    return {
      ...s,
      event: { ...s.event, id: 'second', data: { ...s.event.data, permitId: first.permitId, digest: first.digest } },
    };
  });
  expect(found(w.observed({ seen: seen as Observed['seen'] })).once).toHaveLength(1);
});

test('an execution that the sandbox does not show is found', () => {
  const w = quietWorld();
  w.messages.length = 0;
  expect(found(w.observed())).toEqual({ once: [expect.stringContaining('does not have it')] });
});

test('what a full list of the newest may have pushed out is not missed, however late it was settled; what it must show is', () => {
  const shown = (from: string) =>
    Array.from({ length: 1000 }, (_, n) => ({ messageId: derivedId('sandbox-message', `other ${n}`), sentAt: from }));
  const settledLate = (from: string) => {
    const w = world();
    w.settle(w.approve(w.propose('email.send')), 'executed', minutes(30));
    w.messages.splice(0, 1, ...shown(from));
    return found(w.observed()).once;
  };
  expect(settledLate(minutes(1))).toBeUndefined();
  expect(settledLate(minutes(-1))).toEqual([expect.stringContaining('does not have it')]);
});

const task: DataOf<'TaskAssigned'> = {
  taskId: derivedId('task', 1),
  play: { id: 'return-below-floor', runId: derivedId('run', 1), title: 'Return below floor' },
  agent: 'paid-media-agent',
  purpose: 'p',
  kinds: ['ads.set_bid'],
  settings: {},
  contactIds: [],
  evidence: [],
  assignedAt: at,
  dueAt: minutes(30),
  madeFrom: {},
};

test('nothing is expected of an agent or an executor that the configuration does not name any more', () => {
  const w = quietWorld();
  w.add('tasks.assigned.v1', 'TaskAssigned', task);
  w.approve(w.propose('ads.set_bid'));
  const without = (gone: string) => ({
    participants: {
      agents: shippedDeployment.agents.filter((name) => name !== gone),
      executors: shippedDeployment.executors.filter((name) => name !== gone),
    },
  });
  const lost = (observed: Observed) =>
    found(observed)
      ['nothing-lost']?.map((detail) => detail.slice(0, 12))
      .sort();
  const at = minutes(120);
  expect(lost(w.observed({ at }))).toEqual(['permit waits', 'task waits f']);
  expect(lost(w.observed({ at, ...without('paid-media-agent') }))).toEqual(['permit waits']);
  expect(lost(w.observed({ at, ...without('action-executor') }))).toEqual(['task waits f']);
  // It is shown all the same.
  expect(checkInvariants(w.observed({ at, ...without('paid-media-agent') })).waiting).toContainEqual({
    what: 'task',
    id: task.taskId,
    for: 'nobody: the configuration does not name paid-media-agent any more',
    since: task.assignedAt,
    until: null,
  });
});

test('what has no next step waits within its time, and is lost after it', () => {
  const w = quietWorld();
  w.signal('s-2');
  w.add('tasks.assigned.v1', 'TaskAssigned', task);
  w.propose('ads.pause_campaign');
  w.approve(w.propose('ads.set_bid'));
  const early = checkInvariants(w.observed({ at: minutes(0.5) }));
  expect(early.violations).toEqual([]);
  expect(waits(early).sort()).toEqual([
    'permit for action-executor',
    'proposal for guardrail-validator',
    'signal for signal-ingestion',
    'task for paid-media-agent',
  ]);
  const half = found(w.observed({ at: minutes(10) }))['nothing-lost'];
  expect(half).toHaveLength(2);
  expect(found(w.observed())['nothing-lost']).toHaveLength(4);
});

test('a task that was settled is not lost; a proposal that its settlement names and nobody published is', () => {
  const w = quietWorld();
  w.add('tasks.assigned.v1', 'TaskAssigned', task);
  const settled = { taskId: task.taskId, agent: task.agent, play: task.play, reason: 'r', at } as const;
  const ids = [w.shift.proposalId];
  w.add('tasks.settled.paid-media-agent.v1', 'TaskSettled', { ...settled, outcome: 'proposed', proposalIds: ids });
  expect(found(w.observed())).toEqual({});
  const lost = { ...settled, outcome: 'proposed' as const, proposalIds: [derivedId('proposal', 'lost')] };
  w.add('tasks.settled.paid-media-agent.v1', 'TaskSettled', lost);
  expect(found(w.observed())).toEqual({ 'nothing-lost': [expect.stringContaining('paid-media-agent to publish it')] });
});

test('an escalation waits for its reviewers until the deadline, and is lost after it unless something closed it', () => {
  const w = quietWorld();
  const proposal = w.propose('ads.set_bid');
  const { action, rationale, confidence, evidence } = proposal;
  const verdict = {
    outcome: 'escalated',
    reasons: [],
    tier: 'suggest',
    policy: { version: 7, digest: w.policy.digest },
    at,
  } as const;
  const judged = {
    proposalId: proposal.proposalId,
    actionId: action.actionId,
    taskId: proposal.taskId,
    agent: proposal.agent,
    play: proposal.play,
    digest: 'ab'.repeat(32),
  };
  const card = { detail: 's', people: [], runningTotals: [], reversible: 'r' };
  const more = { action, reviewers: ['lea', 'marc'], deadline: minutes(30), card, rationale, confidence, evidence };
  const escalated = { ...judged, ...more, verdict: { ...verdict, reasons: [] } };
  w.add('actions.escalated.v1', 'ActionEscalated', escalated);
  const early = checkInvariants(w.observed({ at: minutes(20) }));
  expect([early.ok, waits(early)]).toEqual([true, ['escalation for lea or marc']]);
  expect(found(w.observed())['nothing-lost']).toEqual([expect.stringContaining('escalation waits for lea or marc')]);

  // An answer that nobody heard is lost as well; one that was set aside, or that the verdict names, is not.
  const subject = { kind: 'proposal', id: proposal.proposalId } as const;
  const reviewId = derivedId('review', 1);
  const answer = { reviewId, subject, digest: judged.digest, decision: 'reject', by: 'lea', at: minutes(5) } as const;
  w.add('reviews.decided.v1', 'ReviewDecided', answer, minutes(5));
  expect(found(w.observed())['nothing-lost']).toContainEqual(expect.stringContaining('answer waits for guardrail'));
  w.add('actions.refused.v1', 'ActionRefused', {
    ...judged,
    kind: action.kind,
    verdict: { ...verdict, outcome: 'refused', reasons: [] },
    review: { reviewId, by: 'lea', decision: 'reject' },
  });
  expect(found(w.observed())).toEqual({});
});

test('tasks that a person let go out and that never went are lost; those of an unanswered checkpoint never go', () => {
  const w = quietWorld();
  const checkpointId = derivedId('checkpoint', 1);
  const digest = 'cd'.repeat(32);
  const held = {
    checkpointId,
    play: task.play,
    reviewers: ['lea'],
    tasks: [task],
    digest,
    detail: 's',
    deadline: minutes(30),
    at,
  };
  w.add('tasks.escalated.v1', 'TaskEscalated', held);
  expect(waits(checkInvariants(w.observed({ at: minutes(20) })))).toEqual(['checkpoint for lea']);
  expect(found(w.observed())).toEqual({});
  const subject = { kind: 'checkpoint', id: checkpointId } as const;
  const answer = { subject, digest, decision: 'approve', at: minutes(5) } as const;
  w.add('reviews.decided.v1', 'ReviewDecided', { ...answer, reviewId: derivedId('review', 2), by: 'somebody' });
  expect(found(w.observed())).toEqual({});
  w.add('reviews.decided.v1', 'ReviewDecided', { ...answer, reviewId: derivedId('review', 3), by: 'lea' });
  expect(found(w.observed())).toEqual({
    'nothing-lost': [expect.stringContaining('approved task waits for orchestrator')],
  });
  // The orchestrator may say that they never go: a stop held.
  const reason = { code: 'stopped', detail: 'approved by lea, but marc stopped everything: a test' };
  w.add('tasks.escalated.v1', 'TaskWithheld', {
    ...{ checkpointId, play: task.play, outcome: 'suppressed', reason, at: minutes(6) },
    review: { reviewId: derivedId('review', 3), by: 'lea' },
  });
  expect(found(w.observed())).toEqual({});
});

test('an approval of a checkpoint that was set aside lets no task go, so none is lost', () => {
  const w = quietWorld();
  const [checkpointId, reviewId] = [derivedId('checkpoint', 1), derivedId('review', 3)];
  const held = { checkpointId, play: task.play, reviewers: ['lea'], tasks: [task], digest: 'cd'.repeat(32) };
  w.add('tasks.escalated.v1', 'TaskEscalated', { ...held, detail: 's', deadline: minutes(30), at });
  const subject = { kind: 'checkpoint', id: checkpointId } as const;
  const answer = { reviewId, subject, digest: held.digest, decision: 'approve', by: 'lea', at: minutes(5) } as const;
  w.add('reviews.decided.v1', 'ReviewDecided', answer);
  expect(found(w.observed())).not.toEqual({});
  const reason = { code: 'closed', detail: 'the orchestrator read it after the deadline' };
  w.add('tasks.escalated.v1', 'TaskReviewSetAside', { reviewId, checkpointId, by: 'lea', reason, at: minutes(31) });
  expect(found(w.observed())).toEqual({});
});

test('a record that no contract reads is lost unless somebody buried or rejected it', () => {
  const w = quietWorld();
  const place = { topic: 'actions.proposed.paid-media-agent.v1', partition: 3, offset: '7', at };
  const unreadable = [{ place, fault: { code: 'contract', detail: 'x' } }];
  expect(found(w.observed({ unreadable }))['nothing-lost']).toEqual([
    expect.stringContaining('unreadable record (contract)'),
  ]);
  w.add('guardrail-validator.dead-letters.v1', 'DeadLetter', {
    deadLetterId: derivedId('dead', 2),
    service: 'guardrail-validator',
    topic: place.topic,
    partition: place.partition,
    offset: place.offset,
    sha256: 'ab'.repeat(32),
    fault: { code: 'contract', detail: 'x' },
    attempts: 0,
    at,
  });
  expect(found(w.observed({ unreadable }))).toEqual({});
});

test('a dead letter is not lost: it waits for a person', () => {
  const w = quietWorld();
  const { place } = w.add('tasks.assigned.v1', 'TaskAssigned', task);
  const { topic, partition, offset } = place;
  const letter = {
    deadLetterId: derivedId('dead', 1),
    service: 'paid-media-agent',
    topic,
    partition,
    offset,
    sha256: 'ab'.repeat(32),
    fault: { code: 'handler', detail: 'x' },
    attempts: 3,
    at,
  };
  w.add('paid-media-agent.dead-letters.v1', 'DeadLetter', letter);
  const report = checkInvariants(w.observed());
  expect(report.violations).toEqual([]);
  const waiting = [`task for a person: dead letter ${letter.deadLetterId} of paid-media-agent`];
  expect(waits(report)).toEqual(waiting);
  const { deadLetterId, service } = letter;
  w.add('dead-letters.replayed.v1', 'DeadLetterReplayed', { deadLetterId, service, by: 'lea', at });
  expect(waits(checkInvariants(w.observed()))).toEqual([]);
  const end = { deadLetterId, service, orderedAt: at, outcome: 'failed' as const, attempts: 4, at };
  w.add('paid-media-agent.dead-letters.v1', 'ReplayEnded', end);
  expect(waits(checkInvariants(w.observed()))).toEqual(waiting);
});

test('of two approvals with one permit either may be the one that is rejected; that neither is, is found', () => {
  const w = quietWorld();
  w.add('actions.approved.v1', 'ActionApproved', w.shift);
  expect(found(w.observed())).toEqual({ 'nothing-lost': [expect.stringContaining('repeated approval')] });
  const first = w.observed().seen.find((s) => s.event.type === 'ActionApproved' && s.event.data === w.shift)?.place;
  const { topic, partition, offset } = first ?? { topic: '', partition: 0, offset: '' };
  const reason = { code: 'spent', detail: 'it was used before' };
  const rejected = { permitId: w.shift.permitId, executor: 'action-executor', reason, topic, partition, offset, at };
  w.add('actions.settled.action-executor.v1', 'PermitRejected', rejected);
  expect(found(w.observed())).toEqual({});
});

test('an unresolved permit waits for a person, however long', () => {
  const w = quietWorld();
  w.settle(w.approve(w.propose('ads.set_bid')), 'unresolved');
  const report = checkInvariants(w.observed());
  expect([report.ok, waits(report)]).toEqual([true, ['unresolved permit for a person to decide']]);
});

test('state that an accepted signal made and nobody published is found', () => {
  const w = quietWorld();
  w.accept('s-1b', { [`consent:${contact}`]: 4 });
  expect(found(w.observed())).toEqual({});
  w.accept('s-1c', { [`consent:${contact}`]: 5 });
  expect(found(w.observed())['nothing-lost']).toEqual([expect.stringContaining('version 5 of consent:')]);
});

test('money over the daily cap is found, even where each approval says it was under it; released money makes room', () => {
  const within = quietWorld();
  for (const n of [2, 3, 4, 5, 6]) {
    const shift = within.approve(within.propose('ads.shift_budget', { amountMinor: 10_000 }, n));
    within.settle(shift, n === 2 ? 'refused' : 'executed');
  }
  expect(found(within.observed())).toEqual({});

  const over = quietWorld();
  for (const n of [2, 3, 4, 5, 6]) {
    over.settle(over.approve(over.propose('ads.shift_budget', { amountMinor: 10_000 }, n)), 'executed');
  }
  expect(found(over.observed())).toEqual({ limits: [expect.stringContaining('the limit is 50000')] });
});

test('what names an ad account reserves under its CRM account too, but where an older gate counted the one only', () => {
  const reserved = (gate: number | undefined, left: string) => {
    const w = quietWorld();
    w.approve(w.propose('ads.set_bid'), {
      made: ({ verdict, claims, ...rest }) => ({
        ...rest,
        verdict: { ...verdict, ...(gate !== undefined && { gate }) },
        ...(claims && { claims: { ...claims, reservations: claims.reservations.filter((r) => r.ledger !== left) } }),
      }),
    });
    return found(w.observed()).limits;
  };
  const [acme, ads] = ['acme', 'ads-emea'].map((id) => `actions:paid-media-agent:${id}`) as [string, string];
  expect(reserved(undefined, 'nothing')).toBeUndefined();
  expect(reserved(undefined, acme)).toEqual([expect.stringContaining(`${acme} 1`)]);
  expect(reserved(2, acme)).toBeUndefined();
  expect(reserved(2, ads)).toEqual([expect.stringContaining(`${ads} 1`)]);
});

test('what was overspent counts in full from when it was known, and must be booked in full', () => {
  const overspent = () => {
    const w = quietWorld();
    const big = w.approve(w.propose('ads.shift_budget', { amountMinor: 10_000 }, 2));
    w.add('actions.settled.action-executor.v1', 'ActionSettled', {
      ...w.settled(big, 'executed'),
      spentMinor: 46_000,
    });
    const book = (amount: number) =>
      w.reserved.forEach((row, n, all) => {
        if (row.permitId === big.permitId) all[n] = { ...row, amount, state: 'committed' };
      });
    return { ...w, book };
  };
  const honest = overspent();
  honest.book(46_000);
  expect(found(honest.observed())).toEqual({});

  const clipped = overspent();
  clipped.book(10_000);
  expect(found(clipped.observed())).toEqual({ reservations: [expect.stringContaining('46000 was spent')] });

  const after = overspent();
  after.book(46_000);
  const more = after.approve(after.propose('ads.shift_budget', { amountMinor: 2_000 }, 3), { when: minutes(2) });
  after.settle(more, 'executed', minutes(3));
  expect(found(after.observed()).limits).toEqual([expect.stringContaining('51000 held or spent')]);
});

test('money over a cap of the agent or of the month is found, and money under it is not', () => {
  const spent = (limits: object) => {
    const w = world(policyOf(content({ charter: { limits } })));
    for (const n of [1, 2]) {
      const permit = w.approve(w.propose('ads.shift_budget', { amountMinor: 3_000 }, n), { when: minutes(n) });
      w.settle(permit, 'executed', minutes(n));
    }
    return found(w.observed());
  };
  for (const cap of ['agentSpendPerDayMinor', 'agentSpendPerMonthMinor', 'campaignSpendPerMonthMinor']) {
    expect(spent({ [cap]: 6_000 }), cap).toEqual({});
    expect(spent({ [cap]: 5_999 }).limits, cap).toEqual([expect.stringContaining('6000 held or spent')]);
  }
});

test('more touches of one person than the window allows are found; outside the window they are not', () => {
  const within = quietWorld();
  const week = 60 * 24 * 8;
  const later = within.propose('email.send', { sendAt: minutes(week) }, 2);
  within.approve(later);
  within.settle(within.approve(within.propose('email.send', {}, 3)), 'executed');
  expect(found(within.observed())).toEqual({});

  const over = quietWorld();
  for (const n of [2, 3]) over.settle(over.approve(over.propose('email.send', {}, n)), 'executed');
  expect(found(over.observed()).limits).toEqual([expect.stringContaining('3 within the window')]);
});

test('a message after a withdrawal is found; one that was sent before it, or as it came in, is not', () => {
  const w = quietWorld();
  w.consent(5, 'withdrawn', minutes(1));
  expect(found(w.observed())).toEqual({});
  w.settle(w.approve(w.propose('email.send', {}, 2)), 'executed', minutes(2));
  expect(found(w.observed())).toEqual({ consents: [expect.stringContaining('withdrawn since')] });

  const close = quietWorld();
  close.consent(5, 'withdrawn', minutes(1));
  close.settle(close.approve(close.propose('email.send', {}, 2)), 'executed', minutes(1.1));
  expect(found(close.observed())).toEqual({});
});

test('a message that was judged under a withdrawn consent is found', () => {
  const w = quietWorld();
  const seen = w.observed().seen.filter((s) => s.event.type !== 'ConsentsChanged');
  expect(found(w.observed({ seen })).consents).toEqual([expect.stringContaining('not on the topic')]);
});

test('a reservation that was lost, or released although it was spent, is found', () => {
  const w = quietWorld();
  w.reserved.pop();
  expect(found(w.observed()).reservations).toEqual([expect.stringContaining('is not reserved')]);
  const other = quietWorld();
  other.reserved.forEach((row, n, all) => {
    all[n] = { ...row, state: 'released' };
  });
  expect(found(other.observed()).reservations).toHaveLength(2);
  const orphan = quietWorld();
  orphan.reserved.push({ permitId: derivedId('permit', 'x'), issuedAt: at, ledger: 'l', amount: 1, state: 'held' });
  expect(found(orphan.observed()).reservations).toEqual([expect.stringContaining('not on the topic')]);
});

test('what ran after a stop is found, also when the stop was lifted; what does not concern it is not', () => {
  const w = quietWorld();
  const bid = w.approve(w.propose('ads.set_bid'));
  w.control(1, 'stopped', minutes(1), 'agent:sequencing-agent');
  w.settle(bid, 'executed', minutes(5));
  expect(found(w.observed())).toEqual({});
  w.control(1, 'stopped', minutes(1), 'agent:paid-media-agent');
  w.control(2, 'running', minutes(2), 'agent:paid-media-agent');
  expect(found(w.observed())).toEqual({
    stops: [expect.stringContaining('agent:paid-media-agent was stopped by lea')],
  });
});

test('a stop that came below the version that was judged under is found, with what ran in spite of it', () => {
  const scope = 'agent:paid-media-agent';
  const w = world();
  w.control(5, 'running', minutes(-30), scope);
  const bid = w.approve(w.propose('ads.set_bid'), { controls: { [scope]: { version: 5, state: 'running' } } });
  w.control(4, 'stopped', minutes(1), scope);
  expect(found(w.observed())).toMatchObject({
    binding: [expect.stringMatching(/version 4 of agent:paid-media-agent.* is below version 5 of .*: it is ignored/)],
  });
  w.settle(bid, 'executed', minutes(5));
  expect(found(w.observed())).toMatchObject({
    stops: [expect.stringMatching(/was stopped by lea at .* \(version 4, judged under 5\)/)],
  });

  const twice = world();
  twice.control(5, 'running', minutes(-30), scope);
  twice.control(5, 'stopped', minutes(1), scope);
  expect(found(twice.observed())).toEqual({ binding: [expect.stringContaining('given out twice')] });
});

test('a change that was said again above in time, came late to its topic, or is repeated, binds', () => {
  const scope = 'agent:sequencing-agent';
  const mended = quietWorld();
  mended.control(5, 'running', minutes(-30), scope);
  mended.control(4, 'stopped', minutes(1), scope);
  mended.control(6, 'stopped', minutes(1), scope);
  expect(found(mended.observed())).toEqual({});

  const late = quietWorld();
  late.control(2, 'stopped', minutes(2), scope);
  late.control(1, 'running', minutes(1), scope);
  late.control(2, 'stopped', minutes(2), scope);
  expect(found(late.observed())).toEqual({});
});

test('a withdrawal that came below the version that was judged under is found', () => {
  const w = world();
  const message = w.approve(w.propose('email.send'));
  w.consent(3, 'withdrawn', minutes(-10));
  w.settle(message, 'executed', minutes(5));
  expect(found(w.observed())).toMatchObject({
    binding: [expect.stringContaining('version 3 of')],
    consents: [expect.stringContaining('consent was withdrawn since')],
  });
});

describe('versions that a writer did not give out', () => {
  const scope = 'agent:sequencing-agent';
  const controls = 'controls.v1';
  const binding = (w: ReturnType<typeof quietWorld>, more: object = {}) =>
    checkInvariants(w.observed({ unseen: new Map(), ...more })).violations.filter(
      ({ invariant, ids }) => invariant === 'binding' && ids.some((id) => id.startsWith(controls)),
    );
  const placeOf = (w: ReturnType<typeof quietWorld>, version: number, state: 'stopped' | 'running') => {
    w.control(version, state, minutes(1), scope);
    const { place } = w.observed().states.at(-1) as StateSeen;
    return `${place.topic}/${place.partition}/${place.offset}`;
  };
  /** As the writer says its own again above what somebody else wrote. */
  const repaired = (w: ReturnType<typeof quietWorld>) => {
    const { states } = w.observed();
    return { states: states.map((seen, n) => (n === states.length - 1 ? { ...seen, aboveForeign: true } : seen)) };
  };

  test('a jump is found, and what its writer gives out above it is none', () => {
    const w = quietWorld();
    w.control(1, 'stopped', minutes(-2), scope);
    const jump = placeOf(w, 2 ** 48, 'running');
    placeOf(w, 2 ** 48 + 1, 'stopped');
    placeOf(w, 2 ** 48 + 2, 'running');
    expect(binding(w)).toEqual([
      {
        invariant: 'binding',
        ids: [jump],
        detail: expect.stringMatching(/^version 281474976710656 of .* its writer did not write it$/),
      },
    ]);
    // The record may have lost as many, or not read them yet.
    expect(binding(w, { unseen: new Map([[controls, 2 ** 48]]) })).toEqual([]);
    expect(binding(w, { at: minutes(1.5) })).toEqual([]);
  });

  test('of what a writer passed over the foreign record is named and not the repair, also where it is the next version or the same', () => {
    const next = quietWorld();
    next.control(1, 'stopped', minutes(-2), scope);
    const foreign = placeOf(next, 2, 'running');
    placeOf(next, 3, 'stopped');
    expect(binding(next)).toEqual([]);
    expect(binding(next, repaired(next))).toEqual([
      { invariant: 'binding', ids: [foreign], detail: expect.stringContaining('is not its writer') },
    ]);

    const same = quietWorld();
    const first = placeOf(same, 1, 'running');
    placeOf(same, 1, 'stopped');
    placeOf(same, 2, 'stopped');
    expect(binding(same, repaired(same)).map(({ ids }) => ids)).toEqual([[first]]);
  });

  test('a version that no reader can read fills a gap; one that there cannot be is found', () => {
    const w = quietWorld();
    w.control(1, 'running', minutes(-3), scope);
    placeOf(w, 3, 'stopped');
    const { place } = w.observed().states.at(-1) as StateSeen;
    const unread = { place: { ...place, offset: '900' }, key: scope, version: 2, ahead: false };
    expect(binding(w)).toHaveLength(1);
    expect(binding(w, { noStates: [unread] })).toEqual([]);
    const ahead = { ...unread, version: Number.MAX_SAFE_INTEGER, ahead: true };
    expect(binding(w, { noStates: [unread, ahead] })).toEqual([
      {
        invariant: 'binding',
        ids: [`${controls}/0/900`],
        detail: expect.stringContaining('is above any that there can be'),
      },
    ]);
  });
});

test('a service that holds other state than its writer is found, and a writer behind its topic', () => {
  const w = quietWorld();
  w.control(2, 'running', minutes(1), 'all');
  const row = { reader: 'guardrail-validator', topic: 'controls.v1', key: 'all' };
  const held = (more: object) => {
    const { held } = w.observed();
    return held && { ...held, ...more };
  };
  const binding = (more: object) => found(w.observed({ held: held(more) })).binding;
  const differ = (holds: number, own: number, changedAt: string | null) =>
    binding({ differ: [{ ...row, holds, own, changedAt }] });
  expect(differ(3, 2, minutes(1))).toEqual([
    'guardrail-validator holds version 3 of all of controls.v1, and its writer has version 2: changes are ignored',
  ]);
  expect(differ(1, 0, null)).toEqual([expect.stringContaining('its writer has version 0')]);
  expect(differ(2, 2, minutes(1))).toEqual([expect.stringContaining('another content of version 2')]);
  expect(differ(1, 2, minutes(1))).toEqual([expect.stringContaining('has had version 2 since')]);
  expect(differ(1, 2, minutes(59.5))).toBeUndefined();
  const writers = new Set(['controls.v1']);
  expect(binding({ writers, own: new Map([['controls.v1\u0000all', 2]]) })).toBeUndefined();
  expect(binding({ writers, own: new Map([['controls.v1\u0000all', 1]]) })).toEqual([
    expect.stringContaining("its writer's table has version 1"),
  ]);
});

describe('stops are judged by the broker’s clock alone', () => {
  const agent = 'agent:paid-media-agent';
  const stopped = () => {
    const w = quietWorld();
    return { w, bid: w.approve(w.propose('ads.set_bid')), mail: w.approve(w.propose('email.send', {}, 9)) };
  };

  test.each([-183, 183])(
    'an executor whose clock is %i s off makes no violation of what ran before the stop',
    (off) => {
      const { w, bid, mail } = stopped();
      for (const [n, permit] of [bid, mail].entries())
        w.settle(permit, 'executed', minutes(5 + n / 60 + off / 60), minutes(5 + n / 60));
      w.control(1, 'stopped', minutes(5.5), agent);
      expect(found(w.observed()).stops).toBeUndefined();
    },
  );

  test.each([-183, 183])('and hides none of what ran after it: %i s', (off) => {
    const { w, bid, mail } = stopped();
    w.control(1, 'stopped', minutes(4.5), agent);
    for (const [n, permit] of [bid, mail].entries())
      w.settle(permit, 'executed', minutes(5 + n / 60 + off / 60), minutes(5 + n / 60));
    expect(found(w.observed()).stops).toHaveLength(2);
  });

  test.each([-183, 183])('a console whose clock is %i s off neither makes nor hides one', (off) => {
    const before = stopped();
    before.w.settle(before.bid, 'executed', minutes(5));
    before.w.control(1, 'stopped', minutes(5.5 + off / 60), agent, minutes(5.5));
    expect(found(before.w.observed()).stops).toBeUndefined();
    const after = stopped();
    after.w.control(1, 'stopped', minutes(4.5 + off / 60), agent, minutes(4.5));
    after.w.settle(after.bid, 'executed', minutes(5));
    expect(found(after.w.observed()).stops).toHaveLength(1);
  });

  test('a settlement that the broker took late, since it was away, ran when its executor says', () => {
    const { w, bid, mail } = stopped();
    w.settle(bid, 'executed', minutes(5), minutes(6.1));
    w.settle(mail, 'executed', minutes(6.2));
    w.control(1, 'stopped', minutes(5.8), agent);
    expect(found(w.observed()).stops).toEqual([expect.stringContaining('it ran at 2026-11-21T10:06:12')]);
  });
});

test('a record that does not verify, that lacks a record of a topic, or names other bytes is found', () => {
  const w = quietWorld();
  const { record, ...rest } = w.observed();
  if (!record) throw new Error('there is a record');
  const broken = { ...record, ok: false, problems: ['root-mismatch: checkpoint 0: x'] };
  expect(found({ ...rest, record: broken })).toEqual({ record: ['root-mismatch: checkpoint 0: x'] });
  const [[first = ''] = []] = [...record.leaves];
  const without = new Map([...record.leaves].filter(([name]) => name !== first));
  expect(found({ ...rest, record: { ...record, leaves: without } }).record).toEqual([
    'it is on the topic and not on the record',
  ]);
  const altered = new Map([...record.leaves, [first, 'ff'.repeat(32)]]);
  expect(found({ ...rest, record: { ...record, leaves: altered } }).record).toEqual([
    'the record names other bytes than those on the topic',
  ]);
  // What stands for a commitment has no bytes to compare.
  const committed = new Map([...record.leaves, [first, null]]);
  expect(found({ ...rest, record: { ...record, leaves: committed } })).toEqual({});
});

test('a leaf whose record is not on the topic is found, unless it was deleted by age, came later, or compaction may take it', () => {
  const w = quietWorld();
  const { record, ranges, ...rest } = w.observed();
  if (!record) throw new Error('there is a record');
  const topic = 'actions.settled.action-executor.v1';
  const high = ranges.get(`${topic}/0`)?.high ?? 0n;
  const leavesAt = (...places: readonly string[]) => ({
    ...record,
    leaves: new Map([...record.leaves, ...places.map((place) => [place, 'ff'.repeat(32)] as const)]),
  });
  const within = `${topic}/0/0`;
  expect(record.leaves.has(within)).toBe(false);
  const planted = leavesAt(within, `${topic}/0/${high}`, `${topic}/9/0`);
  expect(checkInvariants({ ...rest, ranges, record: planted }).violations).toEqual([
    { invariant: 'record', ids: [within], detail: expect.stringContaining('on the record and not on the topic') },
  ]);
  const later = new Map([...ranges, [`${topic}/0`, { low: 1n, high }]]);
  expect(found({ ...rest, ranges: later, record: planted })).toEqual({});
  const taken = { ...leavesAt(within), superseded: new Set([within]) };
  expect(found({ ...rest, ranges, record: taken })).toEqual({});
});

test('what could not be looked at is said, and is no violation', () => {
  const report = checkInvariants(quietWorld().observed({ sandbox: null, reserved: null, held: null, record: null }));
  expect(report.ok).toBe(true);
  expect(report.invariants.filter((line) => line.note).map((line) => line.invariant)).toEqual([
    'permitted',
    'policies',
    'judged',
    'reservations',
    'binding',
    'record',
  ]);
});

test('the text has a line per invariant, then what is wrong, then what waits for whom', () => {
  const w = quietWorld();
  w.signal('s-2');
  w.messages.length = 0;
  const text = auditText(picocolors.createColors(false), checkInvariants(w.observed({ at: minutes(0.5) })));
  expect(text).toMatch(/nothing twice +2 +1 +0/);
  expect(text).toMatch(/once: settled as executed/);
  expect(text).toMatch(/signal +s-2 +signal-ingestion +30 s ago/);
  expect(text).toMatch(/1 violation found\.$/);
});

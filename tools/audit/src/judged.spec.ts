import {
  type ActionApproved,
  derivedId,
  digestOf,
  type Policy,
  policyDigests,
  topicNamed,
  topology,
} from '@countersign/contracts';
import { concerns, gateVersion, type Judgement, judge, taskAbout, taskFact } from '@countersign/gate';
import { content, factsFor, other, policyOf, taskOf } from '@countersign/gate/testing';
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { type AuditReport, checkInvariants } from './check.js';
import { at, contact, minutes, otherKey, world } from './given.js';
import { answerRetentionDays } from './judged.js';
import { type Observed, placeName } from './observed.js';
import { auditText } from './report.js';
import { sampleOf, verdictsIn } from './sample.js';

const suggested = policyOf(content({ charter: { kinds: { 'ads.set_bid': 'suggest' } } }));
const alone = policyOf();
/** A bundle with the content of one and what another announces, as no table lets it be judged under. */
const disguised = (as: Policy, announced: Policy): Policy => ({
  ...announced,
  version: as.version,
  digest: as.digest,
  parts: as.parts,
});

const found = (observed: Observed): Record<string, string[]> => {
  const wrong: Record<string, string[]> = {};
  for (const { invariant, detail } of checkInvariants(observed).violations) {
    wrong[invariant] = [...(wrong[invariant] ?? []), detail];
  }
  return wrong;
};
const line = (report: AuditReport) => report.invariants.find(({ invariant }) => invariant === 'judged');
/** What the validator's table has of the newest approval is changed. */
const alter = (w: ReturnType<typeof world>, change: (facts: ReturnType<typeof factsFor>) => object | null): void => {
  const [place, { facts }] = [...w.stored].at(-1) as [string, { facts: ReturnType<typeof factsFor> }];
  w.stored.set(place, { known: true, facts: change(structuredClone(facts)) });
};

describe('a policy that somebody put into the tables', () => {
  test('is no published one: every permit under it is found', () => {
    const w = world(suggested);
    w.settle(w.approve(w.propose('ads.set_bid'), { under: alone }), 'executed');
    expect(found(w.observed())).toEqual({
      policies: [expect.stringMatching(/version 7 of the policy that was never published/)],
    });
  });

  test('that nobody published is none where its permit had expired when it came, unless it ran all the same', () => {
    const madeUp = policyOf(content({ rules: { permitSeconds: 600 } }), 7);
    const seenLate = (runs: boolean) => {
      const w = world();
      const permit = w.approve(w.propose('ads.set_bid'), { under: madeUp });
      if (runs) w.settle(permit, 'executed');
      const seen = w
        .observed()
        .seen.map((s) => (s.event.type === 'ActionApproved' ? { ...s, place: { ...s.place, at: minutes(600) } } : s));
      const { policies, judged } = found(w.observed({ seen, at: minutes(601) }));
      return { policies, judged };
    };
    expect(seenLate(false)).toEqual({});
    expect(seenLate(true).policies).toEqual([expect.stringMatching(/never published/)]);
  });

  test('under the digest of the published one is found, since judged again the verdict is another', () => {
    const w = world(suggested);
    w.settle(w.approve(w.propose('ads.set_bid'), { under: disguised(suggested, alone) }), 'executed');
    expect(found(w.observed())).toEqual({
      judged: [
        expect.stringMatching(/it was approved, and judged again under the published policy it is escalated: tier/),
      ],
    });
  });

  test('with another number is found by the reasons, also where the outcome is the same', () => {
    const looser = policyOf(content({ charter: { limits: { sendsPerHour: 300 } } }));
    const w = world();
    w.approve(w.propose('email.send'), { under: disguised(alone, looser) });
    expect(found(w.observed()).judged).toEqual([expect.stringMatching(/sends-per-hour says: /)]);
  });

  test('is found where it stands, with its own digests or with those of the published one', () => {
    const w = world(suggested);
    const held = (policy: Policy | null) => {
      const { held } = w.observed();
      return found(w.observed({ held: held && { ...held, policies: [{ holder: 'action-executor', policy }] } }));
    };
    expect(held(suggested)).toEqual({});
    expect(held(null).policies).toHaveLength(1);
    expect(held(alone).policies).toEqual([expect.stringMatching(/action-executor holds .* never published/)]);
    expect(held(disguised(suggested, alone)).policies).toEqual([
      expect.stringMatching(/another content than was published/),
    ]);
  });
});

describe('a policy in force', () => {
  const next: Policy = { ...suggested, version: 8, changedAt: minutes(-30) };
  const replaced = (by: Policy, when: string) => {
    const w = world();
    w.add('policies.v1', 'PolicyPublished', by, when);
    w.approve(w.propose('ads.set_bid'));
    return found(w.observed()).policies;
  };

  test('is not one that was replaced longer ago than a change takes to be read', () => {
    expect(replaced(next, minutes(-30))).toEqual([
      expect.stringMatching(/under version 7 of the policy, which version 8 had replaced at/),
    ]);
    expect(replaced(next, new Date(Date.parse(at) - 9_000).toISOString())).toBeUndefined();
    expect(replaced(next, minutes(1))).toBeUndefined();
  });

  test('is not one that was published only later; said again after a restore it is the old one', () => {
    const w = world();
    const later: Policy = { ...policyOf(content({ rules: { permitSeconds: 600 } }), 9), changedAt: minutes(30) };
    w.add('policies.v1', 'PolicyPublished', later, minutes(30));
    w.approve(w.propose('ads.set_bid'), { under: later });
    expect(found(w.observed()).policies).toEqual([expect.stringMatching(/which was published only at/)]);

    const again = world();
    again.approve(again.propose('ads.set_bid'));
    const seen = again
      .observed()
      .seen.map((s) => (s.event.type === 'PolicyPublished' ? { ...s, place: { ...s.place, at: minutes(30) } } : s));
    expect(found(again.observed({ seen })).policies).toBeUndefined();
  });

  test('that is older than the newest is known from the record: without it that is said, and nothing else', () => {
    const w = world();
    w.approve(w.propose('ads.set_bid'));
    w.add('policies.v1', 'PolicyPublished', next, minutes(30));
    const seen = w.observed().seen.filter(({ event }) => event.type !== 'PolicyPublished' || event.data === next);
    const report = checkInvariants(w.observed({ seen, record: null }));
    expect(report.violations.filter(({ invariant }) => invariant === 'policies')).toEqual([]);
    expect(report.invariants.find(({ invariant }) => invariant === 'policies')?.note).toMatch(/only the record has/);
    expect(found(w.observed({ seen })).policies).toEqual([expect.stringMatching(/never published/)]);
  });

  test('has the content that its digests announce', () => {
    const w = world({ ...alone, ...policyDigests(suggested.content) });
    w.approve(w.propose('ads.set_bid'), { under: { ...alone, ...policyDigests(suggested.content) } });
    expect(found(w.observed()).policies).toEqual([expect.stringMatching(/which is not what its digests announce/)]);
  });
});

describe('facts that were altered where they are stored', () => {
  const bid = (change: (facts: ReturnType<typeof factsFor>) => object | null) => {
    const w = world();
    w.approve(w.propose('ads.set_bid'));
    alter(w, change);
    return found(w.observed()).judged;
  };
  const mail = (change: (facts: ReturnType<typeof factsFor>) => object | null) => {
    const w = world();
    w.approve(w.propose('email.send'));
    alter(w, change);
    return found(w.observed()).judged;
  };

  test('make another verdict, which is found; as they were they make the same', () => {
    expect(bid((facts) => facts)).toBeUndefined();
    expect(mail((facts) => facts)).toBeUndefined();
    const [ledger, used] = [`sends:paid-media-agent`, { held: 2, committed: 0 }];
    expect(mail((f) => ({ ...f, ledgers: { ...f.ledgers, [ledger]: used } }))).toEqual([
      expect.stringMatching(/sends-per-hour/),
    ]);
    expect(mail(() => [])).toEqual([expect.stringMatching(/judged/)]);
    expect(mail(() => ({}))).toEqual([expect.stringMatching(/judged/)]);
    expect(mail(({ author, proposalBytes }) => ({ author, proposalBytes }))).toEqual([
      expect.stringMatching(/is none/),
    ]);
  });

  test('are found where the topics say otherwise, whatever verdict they make', () => {
    expect(
      mail((f) => ({ ...f, contacts: { [contact]: { ...f.contacts[contact], seniority: 'individual' } } })),
    ).toEqual([expect.stringMatching(/other facts than were published: the profile of contact .*, version 3/)]);
    expect(mail((f) => ({ ...f, consents: { [contact]: { ...f.consents[contact], version: 0 } } }))).toEqual([
      expect.stringMatching(/the consents of contact .*, version 0/),
    ]);
    expect(
      bid((f) => ({ ...f, controls: { ...f.controls, all: { version: 0, state: 'running', by: 'lea' } } })),
    ).toEqual([expect.stringMatching(/the control of all, version 0/)]);
    expect(
      bid((f) => ({ ...f, adAccounts: { 'ads-emea': { ...f.adAccounts['ads-emea'], currency: 'USD' } } })),
    ).toEqual([expect.stringMatching(/the profile of ad account ads-emea with its campaigns, version 5/)]);
    expect(bid((f) => ({ ...f, author: 'sequencing-agent' }))).toEqual([
      expect.stringMatching(/as if sequencing-agent/),
    ]);
    expect(bid((f) => ({ ...f, task: { ...f.task, kinds: ['ads.set_bid'] } }))).toEqual([
      expect.stringMatching(/: task /),
    ]);
    expect(bid((f) => ({ ...f, proposalBytes: 1 }))).toEqual([expect.stringMatching(/as if the proposal had 1 bytes/)]);
  });
});

test('a campaign is held against its own profile, where the verdict rests on that', () => {
  const proposal = (w: ReturnType<typeof world>) => w.propose('ads.set_bid');
  const campaignId = String(proposal(world()).action.payload.campaignId);
  const published = { status: 'active', dailyBudgetMinor: 40_000, bidMinor: 110, days: [] } as const;
  const judgedOn = (campaign: object) => {
    const w = world();
    const common = { kind: 'campaign', adAccountId: 'ads-emea', currency: 'EUR', campaignId } as const;
    w.add('profiles.v1', 'ProfileChanged', { version: 2, changedAt: at, ...common, ...published, days: [] });
    w.approve(proposal(w));
    alter(w, (f) => ({
      ...f,
      adAccounts: { 'ads-emea': { ...f.adAccounts['ads-emea'], campaigns: { [campaignId]: campaign } } },
    }));
    return found(w.observed()).judged;
  };
  const { dailyBudgetMinor, bidMinor } = published;
  expect(judgedOn({ version: 2, dailyBudgetMinor, bidMinor })).toBeUndefined();
  expect(judgedOn({ version: 2, dailyBudgetMinor, bidMinor: 1_000_000 })).toEqual([
    expect.stringMatching(/the profile of ad account ads-emea with its campaigns, version 5/),
  ]);
  // What is on no topic is not judged again, and counted.
  expect(judgedOn({ version: 3, dailyBudgetMinor, bidMinor })).toBeUndefined();
});

describe('decisions of people that let an agent act alone', () => {
  const asking = policyOf(content({ charter: { firstReviewed: 1 } }));
  const reviewOf = ({ action }: { action: object }) =>
    ({ reviewId: derivedId('review', 1), by: 'lea', decision: 'approve', digest: digestOf(action), at }) as const;

  test('are compared with the topics; those that no topic has any more are counted with the reason', () => {
    const w = world(asking);
    w.settle(w.approve(w.propose('ads.set_bid'), { decided: 1 }), 'executed');
    const report = checkInvariants(w.observed());
    expect(report.violations).toEqual([]);
    expect(line(report)).toMatchObject({
      checked: 0,
      note: 'not judged again: 1 (not all decisions of people that it counts are on the topics any more)',
    });
  });

  test('are enough where the topics have as many', () => {
    const w = world(asking);
    const first = w.propose('ads.set_bid');
    const review = reviewOf(first);
    w.add('reviews.decided.v1', 'ReviewDecided', {
      ...review,
      subject: { kind: 'proposal', id: first.proposalId },
    });
    w.settle(w.approve(first, { decided: 0, review }), 'executed');
    const second = w.approve(w.propose('ads.set_bid', {}, 2), { decided: 1, when: minutes(1) });
    w.settle(second, 'executed', minutes(2));
    const report = checkInvariants(w.observed());
    expect(report.violations).toEqual([]);
    expect(line(report)).toMatchObject({ checked: 2 });
  });

  test('that the stored facts lack are a violation: it is refused when it is judged again', () => {
    const w = world(asking);
    w.approve(w.propose('ads.set_bid'), { decided: 1 });
    alter(w, ({ decided: _decided, ...facts }) => facts);
    expect(found(w.observed()).judged).toEqual([expect.stringMatching(/judged again .* it is refused: tier/)]);
  });
});

describe('what was counted and timed', () => {
  const words = { template: 'follow-up', subject: 'Hello', body: 'A word.' };
  const step = { ...words, sequence: { id: 'comparison-follow-up', enrolment: '', step: 0 } };
  const messageOf = (
    facts: (f: ReturnType<typeof factsFor>) => object,
    enrolled: 'this' | 'another' | 'nobody' = 'this',
  ) => {
    const w = world();
    const enroll = w.propose('sequence.enroll', enrolled === 'another' ? { contactId: other } : {});
    if (enrolled !== 'nobody') w.approve(enroll);
    const enrolment = enroll.action.actionId.toUpperCase();
    w.approve(w.propose('email.send', { ...step, sequence: { ...step.sequence, enrolment } }));
    alter(w, facts);
    return checkInvariants(w.observed());
  };
  const judged = (report: AuditReport) =>
    report.violations.filter(({ invariant }) => invariant === 'judged').map(({ detail }) => detail);

  test('a proposal is not older than its record', () => {
    const bid = (takenAt: string) => {
      const w = world();
      w.approve(w.propose('ads.set_bid'));
      alter(w, (f) => ({ ...f, takenAt }));
      return found(w.observed()).judged;
    };
    expect(bid(at)).toBeUndefined();
    expect(bid(minutes(-1))).toEqual([expect.stringMatching(/as if the broker had taken it at .*, which was at /)]);
  });

  test('an enrolment is one that was approved, for this contact; one that no topic has any more is counted', () => {
    expect(judged(messageOf((f) => f))).toEqual([]);
    expect(judged(messageOf((f) => f, 'another'))).toEqual([expect.stringMatching(/facts .*: enrolment /)]);
    const gone = messageOf((f) => f, 'nobody');
    expect(judged(gone)).toEqual([]);
    expect(line(gone)?.note).toMatch(/the approval of its enrolment is not on the topic any more/);
  });

  test('of an enrolment that came to nothing the settlement is known; where no topic has it any more it is counted', () => {
    const refused = (
      settled: boolean | 'executed' | 'failed',
      change: (f: ReturnType<typeof factsFor>) => object = (f) => f,
    ) => {
      const ended = typeof settled === 'string' ? 'stopped' : 'failed';
      const w = world();
      const enroll = w.propose('sequence.enroll');
      const approval = w.approve(enroll);
      if (settled === true) w.settle(approval, 'failed');
      else if (settled !== false) w.settle(w.approve(w.propose('sequence.stop', {}, 9)), settled);
      const message = w.propose('email.send', {
        ...step,
        sequence: { ...step.sequence, enrolment: enroll.action.actionId },
      });
      const { contacts } = concerns(message, w.policy, at);
      const facts = factsFor(
        message,
        {
          task: taskAbout(taskFact(taskOf('paid-media-agent')), contacts),
          enrolment: { contactId: contact, sequenceId: 'comparison-follow-up', ended },
        },
        w.policy,
      );
      const { verdict, digest } = judge(message, facts, w.policy, at);
      const { proposalId, taskId, agent, play, action } = message;
      const about = { proposalId, actionId: action.actionId, taskId, agent, play, digest, verdict, action };
      const made = w.add('actions.refused.v1', 'ActionRefused', { ...about, kind: action.kind });
      w.stored.set(placeName(made.place), { known: true, facts: change(structuredClone(facts)) });
      return checkInvariants(w.observed());
    };
    expect([judged(refused(true)), line(refused(true))?.note]).toEqual([[], undefined]);
    expect(judged(refused(false))).toEqual([]);
    expect(line(refused(false))?.note).toMatch(/the settlement of its enrolment is not on the topic/);
    expect([judged(refused('executed')), line(refused('executed'))?.note]).toEqual([[], undefined]);
    expect(judged(refused('failed'))).toEqual([]);
    expect(line(refused('failed'))?.note).toMatch(/what stopped the sequence of its enrolment is not on the topic/);
    const never = (f: ReturnType<typeof factsFor>) => ({ ...f, enrolment: { ...f.enrolment, sequenceId: 'nurture' } });
    expect(judged(refused(true, never))).toEqual([expect.stringMatching(/facts .*: enrolment /)]);
  });

  test('a step of an enrolment was approved once; what came to nothing may have come before it', () => {
    const twice = (
      first: 'executed' | 'failed' | undefined,
      { second = {}, change = (f: ReturnType<typeof factsFor>): object => f, later = 1, more = {} } = {},
    ) => {
      const w = world();
      const enroll = w.propose('sequence.enroll');
      w.approve(enroll);
      const enrolment = enroll.action.actionId;
      const message = (n: number, when: string, change: object = {}) =>
        w.approve(w.propose('email.send', { ...step, sequence: { ...step.sequence, enrolment, ...change } }, n), {
          when,
        });
      const before = message(1, at);
      if (first) w.settle(before, first);
      message(2, minutes(later), second);
      alter(w, change);
      return judged(checkInvariants(w.observed(more)));
    };
    const other = expect.stringMatching(/as if nothing else had been approved for its step, and permit .* was/);
    expect(twice('failed')).toEqual([]);
    expect(twice('executed')).toEqual([other]);
    expect(twice('executed', { second: { enrolment: derivedId('x', 1).toUpperCase() } })).toEqual([]);
    // Not settled when this was approved, an hour before: its settlement may still be on its way a moment after.
    expect(twice(undefined)).toEqual([other]);
    expect(twice(undefined, { more: { at: minutes(1.5) } })).toEqual([]);
    // Of before the step was counted.
    expect(twice('executed', { change: ({ sameStep: _none, ...f }) => f })).not.toEqual([other]);
  });

  test('a contact was enrolled in a sequence once under a task; what came to nothing may have come before it', () => {
    const twice = (first: 'executed' | 'failed') => {
      const w = world();
      w.settle(w.approve(w.propose('sequence.enroll', {}, 1), { when: at }), first);
      w.approve(w.propose('sequence.enroll', {}, 2), { when: minutes(1) });
      return judged(checkInvariants(w.observed()));
    };
    expect(twice('failed')).toEqual([]);
    expect(twice('executed')).toEqual([
      expect.stringMatching(/approved for its contact, sequence and task, and permit/),
    ]);
  });

  test('a task that was read before its end was kept may be taken to end as late as any, and no later', () => {
    const bid = (change: object) => {
      const w = world();
      w.approve(w.propose('ads.set_bid'));
      alter(w, (f) => ({ ...f, task: { ...f.task, assumed: true, contactCount: 1000, ...change } }));
      return found(w.observed()).judged;
    };
    expect(bid({ dueAt: minutes(7 * 24 * 60) })).not.toEqual([expect.stringMatching(/: task /)]);
    expect(bid({ dueAt: minutes(9 * 24 * 60) })).toEqual([expect.stringMatching(/: task /)]);
    expect(bid({ dueAt: at, contactCount: 10_000 })).toEqual([expect.stringMatching(/: task /)]);
    expect(bid({ dueAt: at, kinds: ['ads.set_bid'] })).toEqual([expect.stringMatching(/: task /)]);
  });
});

describe('an answer that a verdict rests on', () => {
  const reviewed = (given: boolean, change: object = {}) => {
    const w = world(suggested);
    const proposal = w.propose('ads.set_bid');
    const digest = digestOf(proposal.action);
    const review = { reviewId: derivedId('review', 1), by: 'lea', decision: 'approve', digest, at } as const;
    const subject = { kind: 'proposal', id: proposal.proposalId } as const;
    if (given) w.add('reviews.decided.v1', 'ReviewDecided', { ...review, subject, ...change });
    w.approve(proposal, { review });
    return found(w.observed()).judged;
  };

  test('was given by that person, about that action', () => {
    expect(reviewed(true)).toBeUndefined();
    expect(reviewed(false)).toEqual([expect.stringMatching(/an answer of lea that nobody gave/)]);
    expect(reviewed(true, { by: 'marc' })).toEqual([expect.stringMatching(/an answer of lea that nobody gave/)]);
    expect(reviewed(true, { decision: 'reject' })).toEqual([expect.stringMatching(/that nobody gave/)]);
    expect(reviewed(true, { digest: 'a'.repeat(64) })).toEqual([expect.stringMatching(/that nobody gave/)]);
  });
});

test('refusals and escalations are judged again as well', () => {
  const w = world(suggested);
  const proposal = w.propose('ads.set_bid');
  const facts = factsFor(proposal, {}, suggested, at);
  const { verdict, digest, escalation } = judge(proposal, facts, suggested, at);
  const { proposalId, taskId, agent, play, action } = proposal;
  const about = { proposalId, actionId: action.actionId, taskId, agent, play, digest, verdict, action };
  const card = { detail: 's', people: [], runningTotals: [], reversible: 'no' };
  const words = { card, rationale: 'r', confidence: 1, evidence: [] };
  const escalated = {
    ...about,
    ...words,
    reviewers: [...(escalation?.reviewers ?? [])],
    deadline: escalation?.deadline ?? '',
  };
  const { place } = w.add('actions.escalated.v1', 'ActionEscalated', escalated);
  w.stored.set(`${place.topic}/${place.partition}/${place.offset}`, { known: true, facts });
  expect(line(checkInvariants(w.observed()))).toMatchObject({ checked: 1, violations: 0 });
  alter(w, (f) => ({ ...f, author: 'nobody' }));
  expect(found(w.observed()).judged).toHaveLength(1);

  const refused = world(suggested);
  const other = refused.propose('ads.set_bid');
  const reasons = [{ rule: 'author', outcome: 'refuse' as const, detail: 'made up' }];
  const made = refused.add('actions.refused.v1', 'ActionRefused', {
    ...about,
    kind: 'ads.set_bid',
    verdict: { ...verdict, outcome: 'refused', reasons },
  });
  refused.stored.set(`${made.place.topic}/${made.place.partition}/${made.place.offset}`, {
    known: true,
    facts: factsFor(other, {}, suggested, at),
  });
  expect(found(refused.observed()).judged).toEqual([
    expect.stringMatching(/it was refused, and judged again .* escalated/),
  ]);
});

test('an approval that the validator has nothing of was not given by it', () => {
  const w = world();
  w.approve(w.propose('ads.set_bid'));
  w.stored.set([...w.stored.keys()].at(-1) as string, { known: false, facts: null });
  expect(found(w.observed()).judged).toEqual([expect.stringMatching(/neither this verdict nor its permit/)]);
});

test('what cannot be judged again is counted with the reason, and is no violation', () => {
  const not = (change: (w: ReturnType<typeof world>) => Partial<Observed> | undefined): string => {
    const w = world();
    w.approve(w.propose('ads.set_bid'));
    const report = checkInvariants(w.observed(change(w) ?? {}));
    expect(report.violations.filter(({ invariant }) => invariant === 'judged')).toEqual([]);
    expect(line(report)?.checked).toBe(0);
    expect(auditText(picocolors.createColors(false), report)).toMatch(
      /0 of 1 verdicts judged again from stored facts, of 1 chosen/,
    );
    return line(report)?.note ?? '';
  };
  expect(not((w) => void alter(w, () => null))).toBe(
    'not judged again: 1 (the validator has no facts of it, as after a restore)',
  );
  const { again } = world().observed();
  expect(
    not((w) => ({
      again: { ...again, verdicts: 1, chosen: w.observed().again.chosen.map((c) => ({ ...c, stored: null })) },
    })),
  ).toMatch(/tables could not be read/);
  expect(not((w) => ({ seen: w.observed().seen.filter(({ event }) => event.type !== 'ActionProposed') }))).toMatch(
    /its proposal is not on the topics any more/,
  );
  expect(not((w) => ({ seen: w.observed().seen.filter(({ event }) => event.type !== 'ProfileChanged') }))).toMatch(
    /neither on a topic nor on the record/,
  );
  const old = gateVersion - 1;
  expect(
    not((w) => {
      const seen = w.observed().seen.map((s) => {
        if (s.event.type !== 'ActionApproved') return s;
        const data = s.event.data as ActionApproved;
        const reasons = data.verdict.reasons.map((r) => ({ ...r, detail: 'in other words' }));
        return { ...s, event: { ...s.event, data: { ...data, verdict: { ...data.verdict, gate: old, reasons } } } };
      }) as Observed['seen'];
      return { seen, again: w.observed({ seen }).again };
    }),
  ).toMatch(new RegExp(`version ${old} of the gate judged it, and this is ${gateVersion}`));
});

describe('a verdict of another version of the gate', () => {
  const by =
    (gate: number | undefined, detail?: string) =>
    ({ verdict, ...rest }: Judgement): Judgement => {
      const { gate: _ours, ...judged } = verdict;
      const reasons = verdict.reasons.map((reason) => ({ ...reason, ...(detail !== undefined && { detail }) }));
      return { ...rest, verdict: { ...judged, ...(gate !== undefined && { gate }), reasons } };
    };
  const judged = (w: ReturnType<typeof world>, change: Partial<Observed> = {}) =>
    found(w.observed(change)).judged ?? [];

  test('that is newer than the command line is told, whatever it says and whether or not it was chosen', () => {
    const newer = gateVersion + 1;
    const update = expect.stringMatching(
      new RegExp(
        `^version ${newer} of the gate gave 2 verdicts, and this command line has version ${gateVersion}, .*update it`,
      ),
    );
    const w = world();
    w.approve(w.propose('ads.set_bid', {}, 1));
    w.approve(w.propose('ads.set_bid', {}, 2), { made: by(newer) });
    w.approve(w.propose('ads.set_bid', {}, 3), { made: by(newer, 'in other words') });
    expect(judged(w)).toEqual([update]);
    expect(checkInvariants(w.observed()).ok).toBe(false);
    expect(judged(w, { again: { verdicts: 3, chosen: [] } })).toEqual([update]);
    const own = world();
    own.approve(own.propose('ads.set_bid'), { made: by(gateVersion) });
    expect(judged(own)).toEqual([]);
  });

  test('that runs nothing is nobody’s, whatever version it names', () => {
    const w = world();
    w.approve(w.propose('ads.set_bid'), { key: otherKey, made: by(gateVersion + 1) });
    expect(judged(w)).toEqual([]);
  });

  test.each([
    ['an older one', gateVersion - 1],
    ['none', undefined],
  ])(
    'that names %s cannot be judged again, and was not the validator’s where a later one had judged for an hour',
    (_what, gate) => {
      const judgedAt = (minute: number) => {
        const w = world();
        w.approve(w.propose('ads.set_bid', {}, 1));
        w.approve(w.propose('ads.set_bid', {}, 2), { when: minutes(minute), made: by(gate, 'in other words') });
        return judged(w);
      };
      expect(judgedAt(-90)).toEqual([]);
      // Two instances side by side, while the validator is updated.
      expect(judgedAt(59)).toEqual([]);
      const replaced = `it names version ${gate ?? 0} of the gate, and version ${gateVersion} had judged since ${at}`;
      expect(judgedAt(61)).toEqual([expect.stringContaining(replaced)]);
      // What comes out the same needs no version.
      const same = world();
      same.approve(same.propose('ads.set_bid', {}, 1));
      same.approve(same.propose('ads.set_bid', {}, 2), { when: minutes(61), made: by(gate) });
      expect(judged(same)).toEqual([]);
    },
  );
});

test('a sample has one verdict of each stretch of time, the same ones for the same observation; all are all', () => {
  const w = world();
  for (let n = 1; n <= 40; n++) w.approve(w.propose('ads.set_bid', {}, n), { when: minutes(n / 100) });
  const verdicts = verdictsIn(w.observed().seen);
  expect(verdicts).toHaveLength(40);
  const some = sampleOf(verdicts, 10);
  expect(some.map((v) => Math.floor(verdicts.indexOf(v) / 4))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(sampleOf(verdicts, 10)).toEqual(some);
  expect(sampleOf(verdicts.slice(0, -1), 10).map((v) => verdicts.indexOf(v))).not.toEqual(
    some.map((v) => verdicts.indexOf(v)),
  );
  expect(sampleOf(verdicts, 'all')).toHaveLength(40);
  expect(sampleOf(verdicts, 50)).toHaveLength(40);
  expect(sampleOf(verdicts, 0)).toEqual([]);
});

test('answers are looked for as long as their topic keeps them', () => {
  expect(answerRetentionDays).toBe(topicNamed('reviews.decided.v1', topology()).retentionDays);
});

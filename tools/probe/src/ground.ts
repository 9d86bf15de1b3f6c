import {
  type ActionProposed,
  derivedId,
  type PayloadOf,
  type Policy,
  proposalIdOf,
  type TaskAssigned,
  type Tier,
  tierOf,
} from '@countersign/contracts';
import { zoneOpenFrom } from '@countersign/gate';
import { bids } from './forge.js';
import type { Attempt, Ground } from './plan.js';

/** Who may do what the probe stands on, alone, and in which play. */
export interface Part {
  readonly agent: string;
  readonly play: string;
  readonly title: string;
  readonly currency: string;
}

const kindOf = { bid: 'ads.set_bid', message: 'email.send' } as const satisfies Record<Ground, string>;

/** The tiers at which no person is asked. */
const alone: readonly Tier[] = ['notify', 'auto'];

/** The first agent that may do it without a person, by its charter and play; undefined if there is none. */
export function partFor(ground: Ground, { content }: Pick<Policy, 'content'>): Part | undefined {
  const kind = kindOf[ground];
  for (const { agent, kinds, currency } of content.charters) {
    const tier = kinds[kind];
    if (tier === undefined || !alone.includes(tierOf(tier))) continue;
    const play = content.plays.find((p) => p.tasks.some((t) => t.agent === agent && t.kinds.includes(kind)));
    if (play) return { agent, play: play.id, title: play.title, currency };
  }
  return undefined;
}

export const campaignOf = (run: string, attempt: Pick<Attempt, 'id'>): string => `probe-${run}-${attempt.id}`;
/** The account of one contact of the probe, so that a stop of it stops nobody else. */
export const probeAccountOf = (run: string, name: string): string => `probe-${run}-${name}`;
export const adAccountOf = (run: string): string => `probe-${run}`;
/** A domain that never exists (RFC 2606). If a message were sent, it would reach nobody. */
export const addressOf = (run: string, name: string): string => `${name}@probe-${run}.invalid`;

/** The first message of a sequence, as whoever runs the sequence proposes it. */
export interface FirstStep {
  readonly purpose: PayloadOf<'email.send'>['purpose'];
  readonly template: string;
  readonly subject: string;
  readonly body: string;
  readonly sequenceId: string;
}

/** The first message of a sequence to which the contacts of the probe agree, and that of another one, as far as there are any. */
export function firstSteps({ content }: Pick<Policy, 'content'>): {
  readonly own: FirstStep | undefined;
  readonly other: FirstStep | undefined;
} {
  const steps = content.sequences.flatMap(({ id, purpose, steps: [first] }): FirstStep[] =>
    first ? [{ purpose, template: first.template, subject: first.subject, body: first.body, sequenceId: id }] : [],
  );
  const own = steps.find(({ purpose }) => purpose === 'sales');
  return { own, other: steps.find((step) => step !== own) };
}

const hourSeconds = 3600;

/**
 * The time zone of the contacts of the probe, so that quiet hours and days off do not hold up what it tries. One in which the next
 * two hours are open, or else the time that the test messages take. Undefined if the policy has no such times, or no place is open.
 */
export function zoneFor({ content }: Pick<Policy, 'content'>, at: string, neededMs: number): string | undefined {
  const { quietHours, workingDays } = content.rules;
  if (!quietHours && !workingDays) return undefined;
  const from = Math.floor(Date.parse(at) / 1000);
  const needed = Math.ceil(neededMs / 1000);
  return (
    zoneOpenFrom(content.rules, from, from + Math.max(2 * hourSeconds, needed)) ??
    zoneOpenFrom(content.rules, from, from + needed)
  );
}

interface Proposed {
  readonly run: string;
  readonly part: Part;
  /** Of its task. */
  readonly name: string;
  /** Which proposal of that task. */
  readonly item?: string;
  readonly at: string;
  readonly madeFrom: Readonly<Record<string, number>>;
}

export const proposedBid = (
  base: Proposed,
  attempt: Pick<Attempt, 'id'>,
  bidMinor: number = bids.honest,
): ActionProposed =>
  proposed(base, 'ads.set_bid', {
    adAccountId: adAccountOf(base.run),
    campaignId: campaignOf(base.run, attempt),
    bidMinor,
    currency: base.part.currency,
  } satisfies PayloadOf<'ads.set_bid'>);

/** The beginning of a sequence, whose messages name its action. */
export const proposedEnrolment = (
  base: Proposed,
  { contactId, accountId, step }: { contactId: string; accountId: string; step: FirstStep },
): ActionProposed =>
  proposed(
    { ...base, item: 'enrolment' },
    'sequence.enroll',
    { contactId, sequenceId: step.sequenceId, purpose: step.purpose } satisfies PayloadOf<'sequence.enroll'>,
    accountId,
  );

export const proposedMessage = (
  base: Proposed,
  {
    contactId,
    sendAt,
    accountId,
    step,
    like,
    enrolment = derivedId('probe-enrolment', base.run, contactId),
  }: {
    contactId: string;
    sendAt: string;
    accountId: string;
    step?: FirstStep | undefined;
    /** Whose words a message that is no step has, because a policy may ask for some words in each message. */
    like?: FirstStep | undefined;
    enrolment?: string | undefined;
  },
): ActionProposed => {
  const { sequenceId, ...words } = step ?? {
    purpose: 'sales' as const,
    template: 'probe',
    subject: like?.subject ?? 'A probe',
    body: like?.body ?? 'Nobody reads this.',
    sequenceId: undefined,
  };
  const payload: PayloadOf<'email.send'> = {
    contactId,
    ...words,
    sendAt,
    ...(sequenceId !== undefined && {
      sequence: { id: sequenceId, enrolment, step: 0 },
    }),
  };
  return proposed(base, 'email.send', payload, accountId);
};

/**
 * The task of a proposal, as the orchestrator would have assigned it. Its due time is over, so its agent declines it and proposes
 * nothing itself.
 */
export function taskOf({ taskId, play, agent, purpose, kinds, action, proposedAt }: ActionProposed): TaskAssigned {
  const {
    adAccountId,
    contactId,
    sequence,
    purpose: detail,
  } = action.payload as Partial<PayloadOf<'ads.set_bid'> & PayloadOf<'email.send'>>;
  return {
    taskId,
    play,
    agent,
    purpose,
    kinds,
    // A message outside a sequence is what a task is about that says what for.
    settings: sequence ? { sequence: sequence.id } : { ...(detail !== undefined && { purpose: detail }) },
    ...(action.accountId !== undefined && { accountId: action.accountId }),
    ...(adAccountId !== undefined && { adAccountId }),
    contactIds: contactId === undefined ? [] : [contactId],
    evidence: [],
    assignedAt: proposedAt,
    dueAt: new Date(Date.parse(proposedAt) - 1_000).toISOString(),
    madeFrom: {},
  };
}

function proposed(base: Proposed, kind: string, payload: Record<string, unknown>, accountId?: string): ActionProposed {
  const { run, part, name, item = 'probe', at, madeFrom } = base;
  const taskId = derivedId('probe-task', run, name);
  const proposalId = proposalIdOf(part.agent, taskId, item);
  return {
    proposalId,
    taskId,
    item,
    agent: part.agent,
    play: { id: part.play, runId: derivedId('probe-run', run), title: part.title },
    purpose: 'countersign probe',
    kinds: [kind],
    action: {
      actionId: derivedId('action', proposalId),
      kind,
      ...(accountId !== undefined && { accountId }),
      payload,
    },
    rationale: 'countersign probe: the honest twin of something that must not run',
    evidence: [],
    confidence: 1,
    alternatives: [],
    planner: { kind: 'rules', name: 'countersign probe' },
    lineage: 'trusted',
    proposedAt: at,
    madeFrom: { ...madeFrom },
  };
}

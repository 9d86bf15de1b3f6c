import {
  type ActionApproved,
  type ActionProposed,
  type ActionSettled,
  type DataOf,
  derivedId,
  digestOf,
  type Event,
  type EventType,
  type Policy,
  sha256,
  shippedDeployment,
  sourceOf,
  type TaskAssigned,
  topicNamed,
  topology,
} from '@countersign/contracts';
import { concerns, type Judgement, judge, rateLedger, type SigningKey, taskAbout, taskFact } from '@countersign/gate';
import {
  approvedEvent,
  at,
  contact,
  type FactsChange,
  factsFor,
  granted,
  permitKeys,
  policyOf,
  proposalOf,
  taskOf,
} from '@countersign/gate/testing';
import { messageIdOf } from './facts.js';
import {
  type Observed,
  type Place,
  placeName,
  type Reserved,
  type Seen,
  type StateSeen,
  type StoredVerdict,
} from './observed.js';
import { verdictsIn } from './sample.js';

/* A small installation in which every promise was kept: each test breaks one. For tests of the audit. */

const topics = topology();
const { signing, keys } = permitKeys();
export const otherKey: SigningKey = permitKeys().signing;
export { at, contact };

export const minutes = (n: number): string => new Date(Date.parse(at) + n * 60_000).toISOString();
const seconds = (n: number): string => new Date(Date.parse(at) + n * 1000).toISOString();

/** The key of a state event on its topic; undefined for others. */
const keyOf = (data: object): string | undefined =>
  'version' in data && 'changedAt' in data
    ? String(Object.entries(data).find(([name]) => ['scope', 'contactId', 'bundle'].includes(name))?.[1])
    : undefined;

export type World = ReturnType<typeof world>;

export function world(policy: Policy = policyOf()) {
  const seen: Seen[] = [];
  const inbound: Observed['inbound'][number][] = [];
  const written: Observed['written'][number][] = [];
  const reserved: Reserved[] = [];
  const states: StateSeen[] = [];
  const messages: { messageId: string; sentAt: string }[] = [];
  // Long before: its topic has forgotten it, the record has not.
  const ofAgent = taskOf('paid-media-agent');
  /** What the validator's tables have of verdicts, by the place of each. */
  const stored = new Map<string, StoredVerdict>();

  const place = (topic: string, when: string): Place => {
    const found = { topic, partition: 0, offset: String(written.length), at: when };
    written.push({ place: found, sha256: sha256(`${topic} ${written.length}`) });
    return found;
  };
  /** An event on its topic, as its writer writes it. */
  const add = <T extends EventType>(topic: string, type: T, data: DataOf<T>, when = at): Seen<T> => {
    const id = derivedId('event', written.length);
    const event = { id, source: topicNamed(topic, topics).source, type, time: when, data } as unknown as Event<T>;
    const made = { place: place(topic, when), event };
    seen.push(made as unknown as Seen);
    const key = keyOf(data);
    if (key !== undefined) {
      const { version, changedAt } = data as unknown as { version: number; changedAt: string };
      const { version: _, changedAt: __, ...detail } = data as unknown as Record<string, unknown>;
      states.push({
        ...{
          place: made.place,
          key,
          version,
          changedAt,
          sha256: sha256(JSON.stringify(data)),
          content: digestOf(detail),
        },
        aboveForeign: false,
      });
    }
    return made;
  };

  const signal = (id: string): void => {
    inbound.push({ place: place('signals.inbound.website.v1', at), source: '/sources/website', id });
  };
  const accept = (id: string, madeFrom: Record<string, number> = {}): void => {
    add('signals.accepted.v1', 'SignalAccepted', {
      source: '/sources/website',
      signalId: id,
      type: 'PageViewed',
      occurredAt: at,
      receivedAt: at,
      quality: { score: 90, freshness: 90, completeness: 90 },
      triggers: true,
      facts: {},
      madeFrom,
    });
  };
  const assign = (task: TaskAssigned, when = minutes(-1)) => add('tasks.assigned.v1', 'TaskAssigned', task, when);
  const propose = (kind: string, payload: Record<string, unknown> = {}, n = 1): ActionProposed => {
    const proposal: ActionProposed = {
      ...proposalOf(kind, payload, {}, n),
      purpose: 'p',
      rationale: 'r',
      evidence: [],
      confidence: 1,
      alternatives: [],
      planner: { kind: 'rules', name: 'rules' },
      proposedAt: at,
    };
    add('actions.proposed.paid-media-agent.v1', 'ActionProposed', proposal);
    return proposal;
  };
  /** Judges and seals as the validator does, and books what the permit reserves. */
  const approve = (
    proposal: ActionProposed,
    {
      key = signing,
      when = at,
      under = policy,
      made = (judgement) => judgement,
      ...stated
    }: FactsChange & {
      key?: SigningKey;
      when?: string;
      /** What it is judged under, published or not. */
      under?: Policy;
      /** What another gate would have made of it. */
      made?: (judgement: Judgement) => Judgement;
    } = {},
  ): ActionApproved => {
    const { contacts } = concerns(proposal, under, when);
    const facts = factsFor(proposal, { task: taskAbout(taskFact(ofAgent), contacts), ...stated }, under, when);
    const judgement = made(judge(proposal, facts, under, when));
    const { review } = facts;
    const approval: ActionApproved = {
      ...approvedEvent(proposal, judgement, key),
      ...(review && { review: { reviewId: review.reviewId, by: review.by, decision: review.decision } }),
    };
    stored.set(placeName(add('actions.approved.v1', 'ActionApproved', approval, when).place), { known: true, facts });
    for (const { ledger, amount } of approval.reservations) {
      if (ledger.startsWith(rateLedger)) continue;
      reserved.push({ permitId: approval.permitId, issuedAt: when, ledger, amount, state: 'held' });
    }
    return approval;
  };
  const settled = (
    { permitId, actionId, proposalId, digest, executor, connector }: ActionApproved,
    outcome: ActionSettled['outcome'],
    when = seconds(1),
  ): ActionSettled => ({ permitId, actionId, proposalId, digest, executor, connector, outcome, at: when });
  /** Settles, with everything that follows from it: the effect in the sandbox, and the reservations. */
  /** `when` is what the executor's clock says; the broker took it at `taken`. */
  const settle = (
    approval: ActionApproved,
    outcome: ActionSettled['outcome'],
    when = seconds(1),
    taken = when,
  ): void => {
    add('actions.settled.action-executor.v1', 'ActionSettled', settled(approval, outcome, when), taken);
    if (outcome === 'executed' && approval.connector === 'mailer') {
      messages.push({ messageId: messageIdOf(approval.actionId), sentAt: when });
    }
    const state = outcome === 'executed' ? 'committed' : outcome === 'unresolved' ? 'held' : 'released';
    for (const [n, row] of reserved.entries()) {
      if (row.permitId === approval.permitId) reserved[n] = { ...row, state };
    }
  };
  const consent = (version: number, status: 'granted' | 'withdrawn', changedAt: string): void => {
    const entries = granted().entries.map((entry) => ({ ...entry, status }));
    add(
      'consents.v1',
      'ConsentsChanged',
      { version, changedAt, contactId: contact, entries, suppressions: [] },
      changedAt,
    );
  };
  const control = (
    version: number,
    state: 'stopped' | 'running',
    changedAt: string,
    scope: string,
    taken = changedAt,
  ): void => {
    add('controls.v1', 'ControlChanged', { version, changedAt, scope, state, by: 'lea', reason: 'r' }, taken);
  };

  const observed = (more: Partial<Observed> = {}): Observed => ({
    at: minutes(60),
    participants: shippedDeployment,
    graceSeconds: 60,
    toleranceSeconds: 10,
    keys,
    seen: [...seen],
    inbound: [...inbound],
    unreadable: [],
    written: [...written],
    ranges: new Map(
      written.map(({ place: { topic, partition } }) => [
        `${topic}/${partition}`,
        { low: 0n, high: BigInt(written.length) },
      ]),
    ),
    sandbox: { at: minutes(59), messages: [...messages], tasks: [] },
    reserved: [...reserved],
    states: [...states],
    held: { at: minutes(59), own: new Map(), differ: [], policies: [], checked: 0, writers: new Set() },
    noStates: [],
    // Its keys had versions before.
    unseen: new Map(topics.filter(({ kind }) => kind === 'state').map(({ name }) => [name, 10])),
    missed: [],
    again: {
      verdicts: verdictsIn(seen).length,
      chosen: verdictsIn(more.seen ?? seen).map((verdict) => ({
        seen: verdict,
        stored: stored.get(placeName(verdict.place)) ?? { known: true, facts: null },
      })),
    },
    profilesThen: [],
    record: {
      ok: true,
      size: written.length,
      confirmed: written.length,
      unconfirmedSince: null,
      problems: [],
      leaves: new Map(written.map((w) => [placeName(w.place), w.sha256])),
      superseded: new Set(),
      proposed: new Map(),
      assigned: new Map([[ofAgent.taskId, taskFact(ofAgent)]]),
    },
    ...more,
  });

  add('policies.v1', 'PolicyPublished', policy, minutes(-60));
  const changedAt = minutes(-60);
  const person = { seniority: 'manager' as const, accountId: 'acme', reachable: [], signals: 1, provenance: {} };
  add('profiles.v1', 'ProfileChanged', { version: 3, changedAt, kind: 'contact', contactId: contact, ...person });
  const figures = { status: 'active', dailyBudgetMinor: 40_000, bidMinor: 110, days: [] } as const;
  const campaigns = Object.fromEntries(
    ['cmp-from', 'cmp-to'].map((campaignId) => [campaignId, { campaignId, ...figures, days: [] }]),
  );
  const ads = { adAccountId: 'ads-emea', currency: 'EUR', campaigns, lastSignalAt: at } as const;
  add('profiles.v1', 'ProfileChanged', { version: 5, changedAt, kind: 'ad-account', ...ads });
  consent(4, 'granted', minutes(-60));
  return {
    add,
    signal,
    accept,
    assign,
    propose,
    approve,
    settle,
    settled,
    consent,
    control,
    observed,
    reserved,
    messages,
    stored,
    policy,
    source: sourceOf,
  };
}

/** One message and one shift of a budget, each proposed, approved and executed. */
export function quietWorld() {
  const w = world();
  w.signal('s-1');
  w.accept('s-1');
  const message = w.approve(w.propose('email.send'));
  const shift = w.approve(w.propose('ads.shift_budget'));
  w.settle(message, 'executed');
  w.settle(shift, 'executed');
  return { ...w, message, shift };
}

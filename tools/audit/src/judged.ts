import { count } from '@countersign/client/core';
import {
  type ActionProposed,
  cameToNothing,
  canonical,
  type DataOf,
  digestOf,
  own,
  profileKey,
  topics,
} from '@countersign/contracts';
import {
  accountFact,
  adAccountFact,
  campaignsOf,
  concerns,
  consentFact,
  contactFact,
  controlFact,
  enrolsIn,
  type Facts as GateFacts,
  gateVersion,
  type Judgement,
  judge,
  type Known,
  originFact,
  type PolicyInForce,
  type Subject,
  stopsIn,
  subjectOf,
  taskAbout,
  whereaboutsFact,
} from '@countersign/gate';
import { couldRun, type Facts, type Issued, isExecuted, policyName, settledAs } from './facts.js';
import type { Finding, Violation } from './finding.js';
import type { Chosen, Seen, VerdictSeen } from './observed.js';
import { verdictsIn } from './sample.js';

/** The data that each verdict needs. */
interface Ground extends Facts {
  readonly proposals: ReadonlyMap<string, readonly Seen<'ActionProposed'>[]>;
  readonly answers: ReadonlyMap<string, readonly Seen<'ReviewDecided'>[]>;
  /** Permits of the messages of sequences and of enrolments, by `stepName`. */
  readonly steps: ReadonlyMap<string, readonly Issued[]>;
  /** When people decided each proposal of an agent and a kind, the earliest first; in milliseconds, by `decidedKey`. */
  readonly decisions: ReadonlyMap<string, readonly number[]>;
  /** When the broker accepted the first verdict of each version of the gate. */
  readonly gates: ReadonlyMap<number, string>;
}

type Outcome =
  | { readonly kind: 'same' }
  | { readonly kind: 'differs'; readonly detail: string }
  | { readonly kind: 'not-judged'; readonly reason: string };

const noFacts = 'what the validator keeps as its facts is none';
const differs = (detail: string): Outcome => ({ kind: 'differs', detail });
const not = (reason: string): Outcome => ({ kind: 'not-judged', reason });

/**
 * Judged again, verdicts are the same. Inputs are the proposal, the policy and the answer that were published, and the facts that
 * the validator stored. These facts must agree with the topics as far as the topics have them. Verdicts that cannot be judged again
 * are counted, with the reason.
 */
export function judged(facts: Facts): Finding {
  const violations: Violation[] = [];
  const left = new Map<string, number>();
  // In the order in which the broker accepted them.
  const byGate = Map.groupBy(
    verdictsIn(facts.seen).filter((verdict) => matters(verdict, facts)),
    gateOf,
  );
  for (const [gate, verdicts] of byGate) {
    if (gate <= gateVersion) continue;
    violations.push({
      invariant: 'judged',
      ids: verdicts.map(({ event }) => event.data.proposalId),
      detail: `version ${gate} of the gate gave ${count(verdicts.length, 'verdict')}, and this command line has version ${gateVersion}, which cannot judge them again: update it and run it again; where the validator was never updated, somebody else gave them`,
    });
  }
  const ground: Ground = {
    ...facts,
    proposals: Map.groupBy(facts.eventsOf('ActionProposed'), ({ event }) => event.data.proposalId),
    answers: Map.groupBy(facts.eventsOf('ReviewDecided'), ({ event }) => event.data.reviewId),
    steps: Map.groupBy(facts.issued.values(), ({ approval, subject }) => stepName(approval.taskId, subject)),
    decisions: decisionsIn(facts.seen),
    gates: new Map([...byGate].map(([gate, [first]]) => [gate, first?.place.at ?? ''])),
  };
  let checked = 0;
  for (const candidate of facts.again.chosen) {
    if (!matters(candidate.seen, facts)) continue;
    const { data } = candidate.seen.event;
    const found = judgedAgain(candidate, ground);
    if (found.kind === 'not-judged') left.set(found.reason, (left.get(found.reason) ?? 0) + 1);
    else checked += 1;
    if (found.kind !== 'differs') continue;
    const ids = 'permitId' in data ? [data.permitId, data.proposalId] : [data.proposalId];
    violations.push({ invariant: 'judged', ids, detail: found.detail });
  }
  return {
    checked,
    violations,
    ...(left.size > 0 && {
      note: `not judged again: ${[...left].map(([reason, count]) => `${count} (${reason})`).join(', ')}`,
    }),
  };
}

function judgedAgain({ seen, stored }: Chosen, facts: Ground): Outcome {
  const { type, data } = seen.event;
  const { verdict } = data;
  if (stored === null) return not('the validator’s tables could not be read');
  if (!stored.known && type === 'ActionApproved') {
    return differs('the validator has neither this verdict nor its permit, so it was not the validator that gave it');
  }
  if (stored.facts === null) return not('the validator has no facts of it, as after a restore');
  if (typeof stored.facts !== 'object') return differs(noFacts);
  const given = stored.facts as GateFacts;
  const { version, digest } = verdict.policy;
  const policy = digest === null ? null : facts.policies.get(policyName({ version, digest }));
  if (policy === undefined) return not('its policy is not among those that were published');
  const proposals = proposalsOf(seen, facts);
  if (proposals.length === 0) return not('its proposal is not on the topics any more');
  let last: Outcome = { kind: 'same' };
  for (const proposal of proposals) {
    last = compared(seen, proposal, given, policy, facts);
    if (last.kind === 'same') break;
  }
  return last;
}

/** A proposal, and when the broker first accepted it. */
interface Proposed {
  readonly proposal: ActionProposed;
  readonly takenAt: string;
}

/** The proposals of its author under its id. A person's edit is the same proposal with another action. */
function proposalsOf({ event: { data } }: VerdictSeen, { proposals }: Ground): readonly Proposed[] {
  const candidates = (proposals.get(data.proposalId) ?? []).flatMap(({ place, event }) =>
    place.topic === topics.actionsProposed(data.agent).name ? [{ proposal: event.data, takenAt: place.at }] : [],
  );
  const { action } = data;
  return 'review' in data && data.review?.decision === 'edit' && action
    ? candidates.map(({ proposal, takenAt }) => ({ proposal: { ...proposal, action }, takenAt }))
    : candidates.filter(({ proposal }) => digestOf(proposal.action) === data.digest);
}

/** An approval without a permit, or one that came too late, need not have been judged, because it runs nothing. */
function matters({ event: { data } }: VerdictSeen, { issued }: Facts): boolean {
  const permit = 'permitId' in data ? issued.get(data.permitId) : undefined;
  return !('permitId' in data) || (permit !== undefined && couldRun(permit));
}

const gateOf = ({ event }: VerdictSeen): number => event.data.verdict.gate ?? 0;

/** How long two instances of a validator may run side by side while it is updated. */
const updatedWithinMs = 3_600_000;

/** A version of the gate that had been replaced long before this verdict came. */
function replacedBy(seen: VerdictSeen, { gates }: Ground): number | undefined {
  const own = gateOf(seen);
  return [...gates].find(
    ([gate, since]) => gate > own && Date.parse(seen.place.at) - Date.parse(since) > updatedWithinMs,
  )?.[0];
}

function compared(
  seen: VerdictSeen,
  { proposal, takenAt }: Proposed,
  given: GateFacts,
  policy: PolicyInForce | null,
  facts: Ground,
): Outcome {
  const { at } = seen.event.data.verdict;
  const gate = gateOf(seen);
  let found: Outcome;
  try {
    const against = disputed(seen, { proposal, takenAt }, given, policy, facts);
    if (against?.kind === 'differs') found = against;
    else {
      const detail = difference(seen, judge(proposal, given, policy, at), facts);
      found = detail === undefined ? (against ?? { kind: 'same' }) : differs(detail);
    }
  } catch {
    // A program that can write to the table can write anything.
    found = differs(noFacts);
  }
  if (found.kind !== 'differs' || gate === gateVersion) return found;
  const later = replacedBy(seen, facts);
  // Otherwise a writer could name an old version, and a forged verdict would pass.
  if (later !== undefined)
    return differs(
      `it names version ${gate} of the gate, and version ${later} had judged since ${facts.gates.get(later)}: a validator from before the update runs, or it was not the validator that gave it (${found.detail})`,
    );
  // The result of another version of the gate says nothing about its input.
  return not(`version ${gate} of the gate judged it, and this is ${gateVersion}`);
}

/** A fact that was stored differently from the topics. */
function disputed(
  { event: { data } }: VerdictSeen,
  { proposal, takenAt }: Proposed,
  given: GateFacts,
  policy: PolicyInForce | null,
  facts: Ground,
): Outcome | undefined {
  const { at } = data.verdict;
  if (given.author !== data.agent) return differs(`it was judged as if ${given.author} had proposed it`);
  if (given.proposalBytes !== new TextEncoder().encode(JSON.stringify(proposal)).length) {
    return differs(`it was judged as if the proposal had ${given.proposalBytes} bytes`);
  }
  // A later time is only stricter, so it is used if the exact time was not stored.
  if (given.takenAt !== undefined && given.takenAt < takenAt) {
    return differs(`it was judged as if the broker had taken it at ${given.takenAt}, which was at ${takenAt}`);
  }
  const concerned = concerns(proposal, policy, at);
  const profiles = (key: string) => facts.profiles.get(key) ?? [];
  const checks: (Outcome | undefined)[] = [
    answer(data, given, facts),
    assignment(proposal, concerned.contacts, given, facts),
    begun(proposal, given, facts),
    sentBefore(data, proposal, given, facts),
    decidedBefore(data, proposal, given, facts),
    ...concerned.controls.map((scope) =>
      checkState(`the control of ${scope}`, own(given.controls, scope), facts.controls.get(scope) ?? [], controlFact),
    ),
    ...concerned.contacts.flatMap((id) => {
      const touched = own(given.contacts, id)?.touched === true;
      return [
        checkState(`the consents of contact ${id}`, own(given.consents, id), facts.consents.get(id) ?? [], consentFact),
        checkState(`the profile of contact ${id}`, own(given.contacts, id), profiles(profileKey.contact(id)), (row) =>
          contactFact(row, touched),
        ),
      ];
    }),
    ...concerned.origins.map((id) =>
      checkState(
        `where the data of contact ${id} came from`,
        own(given.origins ?? {}, id),
        profiles(profileKey.contact(id)),
        originFact,
      ),
    ),
    ...concerned.whereabouts.map((id) =>
      checkState(
        `where contact ${id} is`,
        own(given.whereabouts ?? {}, id),
        profiles(profileKey.contact(id)),
        whereaboutsFact,
      ),
    ),
    ...concerned.accounts.map((id) =>
      checkState(
        `the profile of account ${id}`,
        own(given.accounts, id),
        profiles(profileKey.account(id)),
        accountFact,
      ),
    ),
    ...concerned.adAccounts.map((id) => adAccount(id, campaignsOf(concerned, id), own(given.adAccounts, id), profiles)),
  ];
  const found = checks.filter((check) => check !== undefined);
  return found.find(({ kind }) => kind === 'differs') ?? found[0];
}

/** An ad account with those of its campaigns that the action concerns. No rule looks at any other campaign. */
function adAccount(
  id: string,
  campaignIds: readonly string[],
  given: GateFacts['adAccounts'][string] | undefined,
  published: (key: string) => readonly DataOf<'ProfileChanged'>[],
): Outcome | undefined {
  const stored = (campaignId: string) => own(given?.campaigns ?? {}, campaignId);
  const rows = new Map<string, Known<DataOf<'ProfileChanged'>>>();
  for (const campaignId of campaignIds) {
    const version = stored(campaignId)?.version;
    if (version === undefined) continue;
    const data = published(profileKey.campaign(id, campaignId)).find((row) => row.version === version);
    if (!data) return not(notPublished);
    rows.set(campaignId, { version, data });
  }
  const concerned = given && {
    ...given,
    campaigns: Object.fromEntries(campaignIds.flatMap((c) => (stored(c) ? [[c, stored(c)] as const] : []))),
  };
  return checkState(
    `the profile of ad account ${id} with its campaigns`,
    concerned,
    published(profileKey.adAccount(id)),
    (row) => adAccountFact(row, campaignIds, (campaignId) => rows.get(campaignId)),
  );
}

const notPublished = 'state that it rests on is neither on a topic nor on the record';

/** Compares the stored copy of a row of state with the versions of the row that were published. */
function checkState<T extends { readonly version: number }>(
  what: string,
  given: { readonly version: number } | null | undefined,
  published: readonly T[],
  fact: (row: Known<T>) => object | null,
): Outcome | undefined {
  // The rule that needs the row decides what its absence means.
  if (given === undefined) return undefined;
  const version = given?.version ?? 0;
  const rows: readonly Known<T>[] =
    version === 0
      ? [{ version, data: null }]
      : published.filter((row) => row.version === version).map((data) => ({ version, data }));
  if (rows.length === 0) return not(notPublished);
  const same = rows.some((row) => canonical(fact(row)) === canonical(given));
  return same ? undefined : differs(`it was judged under other facts than were published: ${what}, version ${version}`);
}

/** The task against which it was judged is the one that was assigned. If there was no task, it is refused, which harms nobody. */
function assignment(
  { taskId }: ActionProposed,
  contacts: readonly string[],
  { task }: GateFacts,
  { assigned }: Facts,
): Outcome | undefined {
  if (!task) return undefined;
  const published = assigned.get(taskId);
  if (!published) return not('its task is neither on the topic nor on the record');
  // An earlier version stored less of it, and what depends on the rest needed a person.
  const { contactIds: _contacts, campaignId: _campaign, named: _named, ...before } = published;
  const expected = task.contactIds === undefined ? before : taskAbout(published, contacts);
  const { assumed, ...rest } = task;
  // From before its end was stored: the validator used the longest time that a play can give.
  const { dueAt, contactCount } = rest;
  const most = Date.parse(published.dueAt) + longestDueMs;
  const same = assumed
    ? canonical({ ...expected, dueAt, contactCount }) === canonical(rest) &&
      Date.parse(dueAt) <= most &&
      contactCount <= 1000
    : canonical(expected) === canonical(task);
  return same ? undefined : differs(`it was judged under other facts than were published: task ${taskId}`);
}

/** The enrolment that it names was approved for its agent and task, and for that contact and sequence. */
function begun(
  { taskId, agent, action }: ActionProposed,
  { enrolment }: GateFacts,
  { issued }: Facts,
): Outcome | undefined {
  if (!enrolment) return undefined;
  const read = subjectOf(action);
  const id = read.ok ? read.subject.sequence?.step?.enrolment.toLowerCase() : undefined;
  const named = [...issued.values()].filter(({ approval }) => approval.actionId === id);
  if (named.length === 0) return not('the approval of its enrolment is not on the topic any more');
  const { ended, ...began } = enrolment;
  const same = named.filter(({ approval, subject: { sequence, contacts } }) => {
    const begun = { contactId: contacts[0], sequenceId: sequence?.id };
    return approval.taskId === taskId && approval.agent === agent && canonical(begun) === canonical(began);
  });
  if (same.length === 0) return differs(`it was judged under other facts than were published: enrolment ${id}`);
  if (ended === 'stopped') {
    const stopped = [...issued.values()].some(
      (permit) =>
        stopsIn(permit.subject) === began.sequenceId &&
        permit.subject.contacts[0] === began.contactId &&
        isExecuted(permit) &&
        same.some(({ approval }) => approval.verdict.at <= permit.approval.verdict.at),
    );
    return stopped ? undefined : not('what stopped the sequence of its enrolment is not on the topic');
  }
  return ended === undefined || same.some((permit) => settledAs(permit, ended))
    ? undefined
    : not('the settlement of its enrolment is not on the topic');
}

/** What may be approved once: a step of an enrolment, or an enrolment of a contact in a sequence under a task. Empty for anything else. */
function stepName(taskId: string, subject: Subject): string {
  const { sequence, contacts } = subject;
  if (sequence?.step) return `${sequence.step.enrolment.toLowerCase()} ${sequence.step.n}`;
  const begun = enrolsIn(subject);
  return begun === undefined ? '' : `${taskId.toLowerCase()} ${contacts[0]?.toLowerCase()} ${begun}`;
}

/**
 * If it was approved as the only one for a step, or as the only enrolment, then it was the only one: no other had run, or still had
 * to settle long after its approval. No topic shows what waits for a person, or how far settlements had been read, so a refusal is
 * believed.
 */
function sentBefore(
  { verdict }: VerdictSeen['event']['data'],
  { proposalId, taskId, action }: ActionProposed,
  { sameStep }: GateFacts,
  { steps, overdue }: Ground,
): Outcome | undefined {
  const read = subjectOf(action);
  const step = read.ok ? stepName(taskId, read.subject) : '';
  if (step === '' || sameStep !== 0 || verdict.outcome !== 'approved') return undefined;
  const other = (steps.get(step) ?? []).find(
    (permit) =>
      permit.approval.proposalId !== proposalId &&
      couldRun(permit) &&
      (isExecuted(permit) || (overdue(verdict.at) && !cameToNothing.some((outcome) => settledAs(permit, outcome)))) &&
      permit.approval.verdict.at <= verdict.at,
  );
  const what = read.ok && enrolsIn(read.subject) !== undefined ? 'contact, sequence and task' : 'step';
  return (
    other &&
    differs(`it was judged as if nothing else had been approved for its ${what}, and permit ${other.claims.jti} was`)
  );
}

/** The clocks of two validators differ by less. */
const skewMs = 5_000;

/** People had decided as many actions of the kind as it was judged with. Fewer would only be stricter. */
function decidedBefore(
  { verdict }: VerdictSeen['event']['data'],
  { agent, action }: ActionProposed,
  { decided }: GateFacts,
  { decisions }: Ground,
): Outcome | undefined {
  if (!decided || verdict.outcome !== 'approved') return undefined;
  const last = decisions.get(decidedKey(agent, action.kind))?.[decided - 1];
  return last === undefined || last > Date.parse(verdict.at) + skewMs
    ? not('not all decisions of people that it counts are on the topics any more')
    : undefined;
}

const decidedKey = (agent: string, kind: string): string => JSON.stringify([agent, kind]);

function decisionsIn(seen: Facts['seen']): Ground['decisions'] {
  const first = new Map<string, Map<string, number>>();
  for (const { event } of verdictsIn(seen)) {
    const { data } = event;
    if (!('review' in data) || !data.review || !data.action) continue;
    const key = decidedKey(data.agent, data.action.kind);
    const times = first.get(key) ?? new Map<string, number>();
    first.set(key, times);
    const at = Date.parse(data.verdict.at);
    times.set(data.proposalId, Math.min(times.get(data.proposalId) ?? at, at));
  }
  return new Map([...first].map(([key, times]) => [key, [...times.values()].sort((a, b) => a - b)]));
}

const day = 86_400_000;
/** The longest that a play gives a task, and a day in which the task is read. */
const longestDueMs = 8 * day;
/** How many days `reviews.decided.v1` keeps an answer. */
export const answerRetentionDays = 30;

/** The answer on which it depends is the one that a person gave. */
function answer(data: VerdictSeen['event']['data'], { review }: GateFacts, facts: Ground): Outcome | undefined {
  const named = 'review' in data ? data.review : undefined;
  if (named?.reviewId !== review?.reviewId)
    return differs('the answer that it names is not the one that it was judged with');
  if (!review) return undefined;
  const given = facts.answers.get(review.reviewId) ?? [];
  const isSame = ({ reviewId, by, decision, digest, action, at }: DataOf<'ReviewDecided'>): boolean =>
    canonical({ reviewId, by, decision, digest: decision === 'edit' ? digestOf(action) : digest, at }) ===
    canonical(review);
  if (given.some(({ event }) => isSame(event.data))) return undefined;
  // The topic may already have deleted an answer that is nearly as old as its retention.
  const isOld = Date.parse(review.at) < Date.parse(facts.at) - (answerRetentionDays - 1) * day;
  return given.length === 0 && isOld
    ? not('the answer that it rests on is not on the topic any more')
    : differs(`it rests on an answer of ${review.by} that nobody gave`);
}

/** The differences if it is judged again; undefined if there are none. */
function difference({ event: { data } }: VerdictSeen, again: Judgement, facts: Facts): string | undefined {
  const { gate: _gate, ...given } = data.verdict;
  const { gate: _again, ...verdict } = again.verdict;
  if (given.outcome !== verdict.outcome) {
    const reason = verdict.reasons.find((r) => r.outcome !== 'pass');
    return `it was ${given.outcome}, and judged again under the published policy it is ${verdict.outcome}${reason ? `: ${reason.rule}, ${reason.detail}` : ''}`;
  }
  const other = verdict.reasons.find((reason, n) => canonical(reason) !== canonical(given.reasons[n] ?? null));
  if (other) return `judged again under the published policy, ${other.rule} says: ${other.detail}`;
  if (canonical(given) !== canonical(verdict))
    return 'judged again under the published policy it has fewer reasons or another tier';
  const follows = [again.digest, again.claims, again.escalation, again.shadowOutcome].map((part) => part ?? null);
  const followed = [
    data.digest,
    'permitId' in data ? facts.issued.get(data.permitId)?.claims : undefined,
    'deadline' in data ? { reviewers: data.reviewers, deadline: data.deadline } : undefined,
    'shadowOutcome' in data ? data.shadowOutcome : undefined,
  ].map((part) => part ?? null);
  return canonical(follows) === canonical(followed)
    ? undefined
    : 'its permit, or what it asks of a person, is not what follows from it when it is judged again';
}

import { keyOfProfile, refusesForeignId } from '@countersign/contracts';
import { authorOf, executorOf, type Facts, proposalName, settledAs } from './facts.js';
import type { Finding, Violation, Waiting } from './finding.js';
import { type Place, placeName } from './observed.js';

interface Step {
  readonly what: string;
  readonly id: string;
  readonly for: string;
  readonly since: string;
  /** When it should have ended; null: at once, except for the grace. */
  readonly until: string | null;
  /** The place of the event whose handling is awaited. It may be a dead letter. */
  readonly place?: Place;
  /** The agent or executor that must end it. */
  readonly by?: string;
}

/** Nothing lost: every step has the next one, or is reported as waiting, with who must act and since when. */
export function nothingLost(facts: Facts): Finding {
  const violations: Violation[] = [];
  const waiting: Waiting[] = [];
  const installed = new Set([...facts.participants.agents, ...facts.participants.executors]);
  let checked = 0;
  /** A step is done, waits within its time, waits for a person to have its dead letter handled again, or is lost. */
  const step = (done: boolean, { place, by, ...wait }: Step): void => {
    checked += 1;
    if (done) return;
    // No service reads its topics any more, so nothing is expected of it. What it did is on the record.
    if (by !== undefined && !installed.has(by)) {
      waiting.push({ ...wait, for: `nobody: the configuration does not name ${by} any more`, until: null });
      return;
    }
    const letter = place && facts.dead.get(placeName(place));
    if (letter) {
      const person = `a person: dead letter ${letter.deadLetterId} of ${letter.service}`;
      waiting.push({ ...wait, for: person, since: letter.at, until: null });
    } else if (facts.overdue(wait.until ?? wait.since)) {
      const detail = `${wait.what} waits for ${wait.for} since ${wait.since}${wait.until ? `, at most until ${wait.until}` : ''}`;
      violations.push({ invariant: 'nothing-lost', ids: [wait.id], detail });
    } else waiting.push(wait);
  };
  for (const { service, topic, partition, from, to, noticedAt } of facts.missed) {
    checked += 1;
    const what = to === null ? `from offset ${from} on, with their topic,` : `from offset ${from} to ${to - 1}`;
    const detail = `the records ${what} were deleted before ${service} read them, noticed at ${noticedAt}`;
    violations.push({ invariant: 'nothing-lost', ids: [`${topic}/${partition}`], detail });
  }
  signals(facts, step);
  tasks(facts, step);
  proposals(facts, step);
  permits(facts, step, waiting);
  for (const { place, fault } of facts.unreadable) {
    // State topics, and topics that only the record and the console read, have no reader that would make a dead letter.
    if (!/^(signals\.inbound|tasks|actions|reviews)\./.test(place.topic)) continue;
    const isBuried =
      facts.eventsOf('DeadLetter').some(({ event }) => placeName(event.data) === placeName(place)) ||
      facts.eventsOf('SignalRejected').some(({ event }) => placeName(event.data) === placeName(place));
    const what = `unreadable record (${fault.code})`;
    step(isBuried, { what, id: placeName(place), for: 'its reader to bury it', since: place.at, until: null });
  }
  return { checked, violations, waiting };
}

type Check = (done: boolean, step: Step) => void;

function signals(facts: Facts, step: Check): void {
  const answered = new Set<string>();
  for (const { event } of facts.eventsOf('SignalAccepted')) answered.add(`${event.data.source} ${event.data.signalId}`);
  for (const { event } of facts.eventsOf('SignalRejected')) {
    answered.add(`${event.data.source} ${event.data.signalId}`).add(placeName(event.data));
  }
  for (const { place, source, id } of facts.inbound) {
    const done = answered.has(`${source} ${id}`) || answered.has(placeName(place));
    const name = id ?? placeName(place);
    step(done, { what: 'signal', id: name, for: 'signal-ingestion', since: place.at, until: null, place });
  }
  const versions = new Map<string, number>();
  const note = (key: string, version: number): void => {
    versions.set(key, Math.max(version, versions.get(key) ?? 0));
  };
  for (const { event } of facts.eventsOf('ProfileChanged')) {
    note(`profile:${keyOfProfile(event.data)}`, event.data.version);
  }
  for (const { event } of facts.eventsOf('ConsentsChanged'))
    note(`consent:${event.data.contactId}`, event.data.version);
  for (const { place, event } of facts.eventsOf('SignalAccepted')) {
    const unpublished = Object.entries(event.data.madeFrom).find(
      ([key, version]) => /^(profile|consent):/.test(key) && (versions.get(key) ?? 0) < version,
    );
    if (!unpublished) continue;
    const what = `version ${unpublished[1]} of ${unpublished[0]}`;
    const wait = { id: event.data.signalId, for: 'signal-ingestion to publish it', since: place.at, until: null };
    step(false, { what, ...wait });
  }
}

function tasks(facts: Facts, step: Check): void {
  const assigned = new Set(facts.eventsOf('TaskAssigned').map(({ event }) => event.data.taskId));
  const settled = new Set(facts.eventsOf('TaskSettled').map(({ event }) => event.data.taskId));
  for (const { place, event } of facts.eventsOf('TaskAssigned')) {
    const { taskId, agent, assignedAt, dueAt } = event.data;
    step(settled.has(taskId), {
      what: 'task',
      id: taskId,
      for: agent,
      by: agent,
      since: assignedAt,
      until: dueAt,
      place,
    });
  }
  for (const { event } of facts.eventsOf('TaskSettled')) {
    for (const id of event.data.proposalIds) {
      const { agent, at } = event.data;
      step(facts.proposed.has(proposalName(agent, id)), {
        what: 'proposal',
        id,
        for: `${agent} to publish it`,
        since: at,
        until: null,
      });
    }
  }
  const withheld = new Set(facts.eventsOf('TaskWithheld').map(({ event }) => event.data.checkpointId));
  const aside = new Set(facts.eventsOf('TaskReviewSetAside').map(({ event }) => event.data.reviewId));
  const reviews = facts.eventsOf('ReviewDecided').filter(({ event }) => event.data.subject.kind === 'checkpoint');
  for (const { event } of facts.eventsOf('TaskEscalated')) {
    const { checkpointId, reviewers, deadline, digest, tasks: held, at } = event.data;
    // The answer that counts is the first one that is in time, from a reviewer, and about these tasks.
    const answer = reviews.find(
      ({ event: { data } }) =>
        data.subject.id === checkpointId &&
        !aside.has(data.reviewId) &&
        data.digest === digest &&
        data.at <= deadline &&
        reviewers.includes(data.by) &&
        data.decision !== 'edit',
    );
    const ended = { what: 'checkpoint', id: checkpointId, for: '', since: at, until: deadline };
    if (withheld.has(checkpointId)) step(true, ended);
    else if (answer?.event.data.decision === 'approve') {
      for (const { taskId } of held) {
        const since = answer.event.data.at;
        const wait = {
          what: 'approved task',
          id: taskId,
          for: 'orchestrator',
          since,
          until: null,
          place: answer.place,
        };
        step(assigned.has(taskId), wait);
      }
      // After the deadline the tasks are never assigned. Earlier versions published nothing more.
    } else if (!answer && facts.at <= deadline) {
      step(false, { ...ended, for: reviewers.join(' or ') });
    } else step(true, ended);
  }
}

function proposals(facts: Facts, step: Check): void {
  const judged = new Set<string>();
  const closed = new Set<string>();
  const answered = new Set<string>();
  for (const { event } of [...facts.eventsOf('ActionApproved'), ...facts.eventsOf('ActionRefused')]) {
    judged.add(proposalName(event.data.agent, event.data.proposalId));
    // If an agent got an answer under the id of another agent's escalation, this closes nothing.
    if (!refusesForeignId(event.data.verdict)) closed.add(event.data.proposalId);
    if (event.data.review) answered.add(event.data.review.reviewId);
  }
  for (const { event } of facts.eventsOf('ActionEscalated'))
    judged.add(proposalName(event.data.agent, event.data.proposalId));
  for (const { event } of facts.eventsOf('ReviewSetAside')) answered.add(event.data.reviewId);

  for (const { place, event } of facts.eventsOf('ActionProposed')) {
    const id = event.data.proposalId;
    const wait = { what: 'proposal', id, for: 'guardrail-validator', since: place.at, until: null, place };
    step(judged.has(proposalName(authorOf(place.topic), id)), wait);
  }
  for (const { event } of facts.eventsOf('ActionEscalated')) {
    const { proposalId: id, reviewers, deadline, verdict } = event.data;
    const awaited = reviewers.join(' or ');
    step(closed.has(id), { what: 'escalation', id, for: awaited, since: verdict.at, until: deadline });
  }
  for (const { place, event } of facts.eventsOf('ReviewDecided')) {
    const { reviewId: id, subject } = event.data;
    if (subject.kind !== 'proposal') continue;
    const wait = { what: 'answer', id, for: 'guardrail-validator', since: place.at, until: null, place };
    step(answered.has(id), wait);
  }
}

function permits(facts: Facts, step: Check, waiting: Waiting[]): void {
  const rejected = new Set(facts.eventsOf('PermitRejected').map(({ event }) => placeName(event.data)));
  const executors = new Set(facts.written.map(({ place }) => executorOf(place.topic)));
  for (const { place, approval, claims, settlements, ...rest } of facts.issued.values()) {
    const { permitId: id, executor, expiresAt } = approval;
    const wait = {
      what: 'permit',
      id,
      for: executor,
      by: executor,
      since: approval.verdict.at,
      until: expiresAt,
      place,
    };
    step(settlements.length > 0, wait);
    const unresolved = settledAs({ place, approval, claims, settlements, ...rest }, 'unresolved');
    if (unresolved && settlements.length === 1) {
      const since = unresolved.event.data.at;
      waiting.push({ what: 'unresolved permit', id, for: 'a person to decide', since, until: null });
    }
  }
  for (const { place, event } of facts.eventsOf('SettlementDecided')) {
    const { permitId: id, executor } = event.data;
    const settlements = facts.issued.get(id)?.settlements ?? [];
    const ended = settlements.some((s) => s.event.data.outcome !== 'unresolved');
    step(ended, {
      what: 'decision on an unresolved permit',
      id,
      for: executor,
      by: executor,
      since: place.at,
      until: null,
      place,
    });
  }
  const repeats = new Map<string, Place[]>();
  for (const { seen, reason } of facts.unissued) {
    const { executor, permitId } = seen.event.data;
    // An executor that never sent anything may not be running at all, and an invalid permit deceives nobody.
    if (!executors.has(executor)) continue;
    if (reason === null) {
      repeats.set(permitId, [...(repeats.get(permitId) ?? []), seen.place]);
      continue;
    }
    const id = placeName(seen.place);
    const wait = { what: 'approval without a valid permit', id, for: executor, since: seen.place.at, until: null };
    step(rejected.has(id), { ...wait, place: seen.place });
  }
  for (const [permitId, places] of repeats) {
    const permit = facts.issued.get(permitId);
    if (!permit) continue;
    // It is not determined which of them uses the permit. All but one are rejected, at the latest when the permit's time has come.
    const { executor, expiresAt } = permit.approval;
    const open = [permit.place, ...places].filter((place) => !rejected.has(placeName(place)));
    for (const [n, place] of [permit.place, ...places].entries()) {
      if (n === 0) continue;
      const wait = { what: 'repeated approval', for: executor, since: place.at, until: expiresAt, place };
      step(n >= open.length, { ...wait, id: placeName(place) });
    }
  }
}

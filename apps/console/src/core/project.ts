import { type DataOf, topics } from '@countersign/contracts';
import { eventBytes } from '@countersign/record';
import type { Received } from '@countersign/runtime';
import { type Confirmation, readerOf } from './confirmed.js';
import { detail, isCounted, isRead, subjectOf } from './detail.js';
import { type NowChanges, nowChanges } from './now-changes.js';
import { type PersonAction, personActions } from './person-actions.js';
import { isStopped } from './refused-by.js';
import { type OfRequest, requestIdOf } from './reveal.js';
import type { Unresolved } from './settle.js';
import {
  codeOf,
  type Heard,
  hear,
  type NamedSource,
  nameOfSource,
  type Rejection,
  rejectionOf,
  sourceOfRejection,
} from './sources.js';
import { borrowed, foreign, type Stories, storiesIn } from './stories.js';

/** One line of what happened, under the correlation id of its chain. */
export interface Activity {
  readonly correlationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly eventId: string;
  readonly type: string;
  readonly subjectId: string | null;
  readonly at: string;
  readonly detail: string;
  /** The bytes that the record's leaf of the event hashes; null if the event came out of a dead letter. */
  readonly bytes: Uint8Array | null;
}

/** A signed head of the record, as the recorder published it. */
export type Checkpoint = DataOf<'CheckpointPublished'>;

/** What waits, or waited, for a person: an action, or the tasks of a play's checkpoint. */
export interface Escalation {
  readonly actionId: string;
  readonly subject: { readonly kind: 'proposal' | 'checkpoint'; readonly id: string };
  readonly runId: string;
  readonly key: string;
  readonly digest: string;
  readonly correlationId: string;
  /** The trace context of the chain that waits for the answer; absent without tracing. */
  readonly traceparent?: string;
  readonly deadline: string;
  readonly at: string;
  readonly card: DataOf<'ActionEscalated'> | DataOf<'TaskEscalated'>;
}

/** An answer without effect, to an action or to a checkpoint. */
export type SetAside = Pick<DataOf<'ReviewSetAside'> | DataOf<'TaskReviewSetAside'>, 'reviewId' | 'reason' | 'at'>;

export interface Verdict {
  readonly actionId: string;
  readonly outcome: 'approved' | 'refused';
  readonly reviewId: string | null;
  readonly supersededBy: string | null;
  readonly reasons: readonly { rule: string; detail: string }[];
  /** Whether a stop in force refused it. */
  readonly stopped: boolean;
  readonly notBefore: string | null;
  /** The executor whose settlement counts. */
  readonly executor: string | null;
  readonly at: string;
}

/** An approval: which executor's settlement counts, and for which bytes. */
export type Permit = Pick<DataOf<'ActionApproved'>, 'permitId' | 'actionId' | 'executor' | 'digest'>;

export interface Settlement {
  readonly permitId: string;
  readonly actionId: string;
  readonly digest: string;
  readonly outcome: DataOf<'ActionSettled'>['outcome'];
  readonly executor: string;
  /** Why, as a word for programs. */
  readonly code: string | null;
  readonly detail: string | null;
  readonly externalReference: string | null;
  /** The spend that the connected system reports, if it does. */
  readonly spentMinor: number | null;
  readonly at: string;
}

/**
 * The changes of a batch of events in the projection. Every part is written separately, so the order between topics does not
 * matter.
 */
export interface Changes {
  /** Additions, by `stage` and `label`. */
  readonly counts: ReadonlyMap<string, { stage: string; label: string; n: number }>;
  readonly activities: readonly Activity[];
  readonly escalations: readonly Escalation[];
  readonly verdicts: readonly Verdict[];
  readonly permits: readonly Permit[];
  readonly settlements: readonly Settlement[];
  readonly unresolved: readonly Omit<Unresolved, 'outcome' | 'decision'>[];
  readonly decisions: readonly DataOf<'SettlementDecided'>[];
  readonly assignedRuns: readonly { runId: string; at: string }[];
  readonly reviews: readonly DataOf<'ReviewDecided'>[];
  readonly setAside: readonly SetAside[];
  readonly withheld: readonly DataOf<'TaskWithheld'>[];
  readonly failures: readonly DataOf<'DeadLetter'>[];
  readonly replays: readonly DataOf<'DeadLetterReplayed'>[];
  readonly replayEnds: readonly DataOf<'ReplayEnded'>[];
  readonly gapReports: readonly DataOf<'GapReported'>[];
  readonly acknowledgements: readonly DataOf<'GapAcknowledged'>[];
  readonly acknowledgementEnds: readonly DataOf<'AcknowledgementEnded'>[];
  readonly signedOut: readonly DataOf<'SessionsEnded'>[];
  /** `requestId`: the event of the request, which an answer names as its cause. */
  readonly revealRequests: readonly OfRequest<DataOf<'RevealRequested'>>[];
  readonly revealAnswers: readonly OfRequest<DataOf<'RevealAnswered'>>[];
  readonly recordPasses: readonly DataOf<'RecordPassRequested'>[];
  readonly inspectionsStarted: readonly DataOf<'InspectionStarted'>[];
  readonly inspectionsEnded: readonly DataOf<'InspectionEnded'>[];
  readonly confirmations: readonly Confirmation[];
  readonly now: NowChanges;
  readonly arrivals: readonly Heard[];
  readonly rejections: readonly Rejection[];
  readonly personActions: readonly PersonAction[];
  readonly checkpoints: readonly Checkpoint[];
  readonly stories: Stories;
}

/**
 * Collects the changes of a batch. `sources` are those of the installation, so that a signal is counted under the name of its
 * source.
 */
export function project(events: readonly Received[], sources: readonly NamedSource[] = []): Changes {
  const arrivals = new Map<string, Heard>();
  const counts = new Map<string, { stage: string; label: string; n: number }>();
  const changes = {
    counts,
    activities: [] as Activity[],
    escalations: [] as Escalation[],
    verdicts: [] as Verdict[],
    permits: [] as Permit[],
    settlements: [] as Settlement[],
    unresolved: [] as Omit<Unresolved, 'outcome' | 'decision'>[],
    decisions: [] as DataOf<'SettlementDecided'>[],
    assignedRuns: [] as { runId: string; at: string }[],
    reviews: [] as DataOf<'ReviewDecided'>[],
    setAside: [] as SetAside[],
    withheld: [] as DataOf<'TaskWithheld'>[],
    failures: [] as DataOf<'DeadLetter'>[],
    replays: [] as DataOf<'DeadLetterReplayed'>[],
    replayEnds: [] as DataOf<'ReplayEnded'>[],
    gapReports: [] as DataOf<'GapReported'>[],
    acknowledgements: [] as DataOf<'GapAcknowledged'>[],
    acknowledgementEnds: [] as DataOf<'AcknowledgementEnded'>[],
    signedOut: [] as DataOf<'SessionsEnded'>[],
    revealRequests: [] as OfRequest<DataOf<'RevealRequested'>>[],
    revealAnswers: [] as OfRequest<DataOf<'RevealAnswered'>>[],
    recordPasses: [] as DataOf<'RecordPassRequested'>[],
    inspectionsStarted: [] as DataOf<'InspectionStarted'>[],
    inspectionsEnded: [] as DataOf<'InspectionEnded'>[],
    confirmations: [] as Confirmation[],
    now: nowChanges(events),
    rejections: [] as Rejection[],
    personActions: [] as PersonAction[],
    checkpoints: [] as Checkpoint[],
    stories: storiesIn(events),
  };
  const count = (stage: string, label: string) => {
    const entry = counts.get(`${stage} ${label}`);
    if (entry) entry.n += 1;
    else counts.set(`${stage} ${label}`, { stage, label, n: 1 });
  };

  for (const received of events) {
    const { event, topic } = received;
    if (!isRead(event)) continue;
    const correlationId = event.correlationid ?? event.id;
    changes.activities.push({
      correlationId,
      topic,
      partition: received.partition,
      offset: received.offset,
      eventId: event.id,
      type: event.type,
      subjectId: subjectOf(event) ?? null,
      at: event.time,
      detail: detail(event),
      bytes: received.raw ? eventBytes(received.raw) : null,
    });
    if (!isCounted(event)) continue;
    switch (event.type) {
      case 'SignalAccepted':
        count('signals', 'accepted');
        hear(arrivals, nameOfSource(sources, event.data.source), 'accepted', event.data.receivedAt);
        break;
      case 'SignalRejected':
        count('signals', 'rejected');
        for (const code of new Set(event.data.reasons.map((reason) => reason.code))) count('signals.rejected', code);
        changes.rejections.push(rejectionOf(event.data));
        hear(arrivals, sourceOfRejection(event.data), codeOf(event.data), event.data.receivedAt);
        break;
      case 'TaskAssigned':
        count('tasks', 'assigned');
        changes.assignedRuns.push({ runId: event.data.play.runId, at: event.data.assignedAt });
        break;
      case 'TaskSettled':
        count('tasks', event.data.outcome);
        break;
      case 'TaskEscalated':
        count('tasks', 'escalated');
        changes.escalations.push({
          actionId: event.data.checkpointId,
          subject: { kind: 'checkpoint', id: event.data.checkpointId },
          runId: event.data.play.runId,
          key: received.key ?? event.data.checkpointId,
          digest: event.data.digest,
          correlationId,
          ...(event.traceparent !== undefined && { traceparent: event.traceparent }),
          deadline: event.data.deadline,
          at: event.data.at,
          card: event.data,
        });
        break;
      case 'ActionProposed':
        count('proposals', event.data.agent);
        break;
      case 'ActionApproved':
        count('verdicts', 'approved');
        // Also if it is foreign: should an executor run it all the same, the settlement must be seen.
        changes.permits.push({
          permitId: event.data.permitId,
          actionId: event.data.actionId,
          executor: event.data.executor,
          digest: event.data.digest,
        });
        if (foreign(event.data)) break;
        changes.personActions.push(...personActions(event.data, event.data.action));
        changes.verdicts.push({
          ...verdictOf(event.data, 'approved'),
          supersededBy: null,
          notBefore: event.data.notBefore,
          executor: event.data.executor,
        });
        break;
      case 'ActionRefused':
        if (event.data.supersededBy) {
          count('verdicts', 'superseded');
        } else {
          count('verdicts', 'refused');
          const rules = event.data.verdict.reasons.filter((reason) => reason.outcome === 'refuse').map((r) => r.rule);
          for (const rule of new Set(rules)) count('verdicts.refused', rule);
        }
        if (borrowed(event.data)) break;
        if (event.data.action) changes.personActions.push(...personActions(event.data, event.data.action));
        changes.verdicts.push({
          ...verdictOf(event.data, 'refused'),
          supersededBy: event.data.supersededBy ?? null,
          notBefore: null,
          executor: null,
        });
        break;
      case 'ActionEscalated':
        count('verdicts', 'escalated');
        changes.personActions.push(...personActions(event.data, event.data.action));
        changes.escalations.push({
          actionId: event.data.actionId,
          subject: { kind: 'proposal', id: event.data.proposalId },
          runId: event.data.play.runId,
          key: received.key ?? event.data.actionId,
          digest: event.data.digest,
          correlationId,
          ...(event.traceparent !== undefined && { traceparent: event.traceparent }),
          deadline: event.data.deadline,
          at: event.data.verdict.at,
          card: event.data,
        });
        break;
      case 'TaskWithheld':
        count('tasks', 'withheld');
        changes.withheld.push(event.data);
        break;
      case 'ReviewSetAside':
      case 'TaskReviewSetAside':
        count('reviews', 'setAside');
        changes.setAside.push(event.data);
        break;
      case 'ReviewDecided':
        count('reviews', event.data.decision);
        changes.reviews.push(event.data);
        break;
      case 'ActionSettled':
        // The topic shows the writer: an executor settles only in its own name.
        if (topic !== topics.actionsSettled(event.data.executor).name) break;
        // It is counted when it agrees with its approval; see `writeProjection`.
        changes.settlements.push({
          permitId: event.data.permitId,
          actionId: event.data.actionId,
          digest: event.data.digest,
          outcome: event.data.outcome,
          executor: event.data.executor,
          code: event.data.reason?.code ?? null,
          detail: event.data.reason?.detail ?? null,
          externalReference: event.data.externalReference ?? null,
          spentMinor: event.data.spentMinor ?? null,
          at: event.data.at,
        });
        if (event.data.outcome !== 'unresolved') break;
        changes.unresolved.push({
          permitId: event.data.permitId,
          actionId: event.data.actionId,
          proposalId: event.data.proposalId,
          digest: event.data.digest,
          executor: event.data.executor,
          connector: event.data.connector,
          key: received.key ?? event.data.actionId,
          correlationId,
          ...(event.traceparent !== undefined && { traceparent: event.traceparent }),
          detail: event.data.reason?.detail ?? null,
          at: event.data.at,
        });
        break;
      case 'SettlementDecided':
        count('settled.decided', event.data.outcome);
        changes.decisions.push(event.data);
        break;
      case 'PermitRejected':
        count('permits.rejected', event.data.reason.code);
        break;
      case 'DeadLetter':
        count('dead-letters', event.data.service);
        changes.failures.push(event.data);
        break;
      case 'DeadLetterReplayed':
        changes.replays.push(event.data);
        break;
      case 'ReplayEnded':
        // The topic shows the writer: a service reports only its own letters.
        if (topic === topics.deadLetters(event.data.service).name) changes.replayEnds.push(event.data);
        break;
      case 'GapReported':
        // The topic shows the writer: a service reports only its own gaps.
        if (topic !== topics.deadLetters(event.data.service).name) break;
        count('gaps.reported', event.data.service);
        changes.gapReports.push(event.data);
        break;
      case 'AcknowledgementEnded':
        if (topic !== topics.deadLetters(event.data.service).name) break;
        count('gaps.answered', event.data.outcome);
        changes.acknowledgementEnds.push(event.data);
        break;
      case 'GapAcknowledged':
        count('gaps.acknowledged', event.data.service);
        changes.acknowledgements.push(event.data);
        break;
      case 'SessionsEnded':
        changes.signedOut.push(event.data);
        break;
      case 'RevealRequested':
        count('reveals', 'requested');
        changes.revealRequests.push({ ...event.data, requestId: requestIdOf(event.id) });
        break;
      case 'RevealAnswered':
        count('reveals', event.data.outcome);
        changes.revealAnswers.push({ ...event.data, requestId: requestIdOf(event.causationid ?? event.id) });
        break;
      case 'RecordPassRequested':
        count('record', 'passes');
        changes.recordPasses.push(event.data);
        break;
      case 'InspectionStarted':
        count('inspections', 'started');
        changes.inspectionsStarted.push(event.data);
        break;
      case 'InspectionEnded':
        count('inspections', event.data.outcome);
        changes.inspectionsEnded.push(event.data);
        break;
      case 'ControlConfirmed': {
        // The topic shows the writer: a reader confirms only in its own name.
        const reader = readerOf(topic);
        if (reader !== undefined) changes.confirmations.push({ reader, ...event.data });
        break;
      }
      case 'CheckpointPublished':
        count('record', 'checkpoints');
        changes.checkpoints.push(event.data);
        break;
      default:
        event satisfies never;
    }
  }
  return {
    ...changes,
    // Of several words on one action, from several topics, the latest stands: it has to come last.
    verdicts: byTime(changes.verdicts),
    personActions: byTime(changes.personActions),
    arrivals: [...arrivals.values()],
  };
}

const byTime = <T extends { readonly at: string }>(rows: readonly T[]): readonly T[] =>
  [...rows].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

const verdictOf = (
  data: DataOf<'ActionApproved'> | DataOf<'ActionRefused'>,
  outcome: Verdict['outcome'],
): Omit<Verdict, 'supersededBy' | 'notBefore' | 'executor'> => ({
  actionId: data.actionId,
  outcome,
  reviewId: data.review?.reviewId ?? null,
  reasons:
    outcome === 'approved'
      ? []
      : data.verdict.reasons.filter((r) => r.outcome === 'refuse').map(({ rule, detail }) => ({ rule, detail })),
  stopped: outcome === 'refused' && isStopped(data.verdict.reasons),
  at: data.verdict.at,
});

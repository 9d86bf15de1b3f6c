import {
  type Action,
  actionDetail,
  type Event,
  type EventType,
  type InspectionEnded,
  modelUseDetail,
} from '@countersign/contracts';

/** Types that are on no topic that the console handles: those of state topics, and of logs that are not for the console. */
const unread = [
  'ProfileChanged',
  'ConsentsChanged',
  'ContactPointsChanged',
  'ControlChanged',
  'PolicyPublished',
  'DryRunAsked',
  'DryRunJudged',
  'RevealSealed',
] as const satisfies readonly EventType[];

/** An event that the console handles. A new type gets its line below and is counted in `project`, or is in `unread`. */
export type ReadEvent = Exclude<Event, { type: (typeof unread)[number] }>;
export const isRead = (event: Event): event is ReadEvent => !(unread as readonly string[]).includes(event.type);

/**
 * Types that appear only in the list of what happened. They are no step of the page Now, no part of a proposal's story, and
 * nobody is notified of them. A new type is added here, or does not compile in `now-changes.ts`, `stories.ts` and `things.ts`.
 */
const onlyListed = [
  ...unread,
  'TaskSettled',
  'TaskWithheld',
  'ReviewSetAside',
  'TaskReviewSetAside',
  'ActionSettled',
  'SettlementDecided',
  'DeadLetterReplayed',
  'GapAcknowledged',
  'AcknowledgementEnded',
  'SessionsEnded',
  'RevealRequested',
  'RevealAnswered',
  'RecordPassRequested',
  'InspectionStarted',
  'InspectionEnded',
  'ControlConfirmed',
  'CheckpointPublished',
] as const satisfies readonly EventType[];

export type TrackedEvent = Exclude<Event, { type: (typeof onlyListed)[number] }>;
export const isTracked = (event: Event): event is TrackedEvent =>
  !(onlyListed as readonly string[]).includes(event.type);

/** Types that the console reads and shows, and counts nowhere. A new type is added here, or does not compile in `project.ts`. */
const uncounted = [] as const satisfies readonly EventType[];

export type CountedEvent = Exclude<ReadEvent, { type: (typeof uncounted)[number] }>;
export const isCounted = (event: ReadEvent): event is CountedEvent =>
  !(uncounted as readonly string[]).includes(event.type);

/** What an action does, in the words of its kind. */
const actionText = (action: Action): string => actionDetail(action) ?? action.kind;

/** The id by which a person looks an event up: that of the action's chain, a task, a dead letter. */
export function subjectOf(event: ReadEvent): string | undefined {
  switch (event.type) {
    case 'TaskAssigned':
    case 'TaskSettled':
      return event.data.taskId;
    case 'TaskEscalated':
    case 'TaskWithheld':
    case 'TaskReviewSetAside':
      return event.data.checkpointId;
    case 'ActionProposed':
    case 'ActionApproved':
    case 'ActionRefused':
    case 'ActionEscalated':
    case 'ReviewSetAside':
    case 'ActionSettled':
    case 'PermitRejected':
    case 'SettlementDecided':
      return event.data.proposalId;
    case 'ReviewDecided':
      return event.data.subject.id;
    case 'DeadLetter':
    case 'DeadLetterReplayed':
    case 'ReplayEnded':
      return event.data.deadLetterId;
    case 'RevealRequested':
    case 'RevealAnswered':
      return event.data.revealId;
    case 'RecordPassRequested':
      return event.data.passId;
    case 'InspectionStarted':
    case 'InspectionEnded':
      return event.data.inspectionId;
    case 'SignalAccepted':
    case 'SignalRejected':
    case 'CheckpointPublished':
    case 'GapReported':
    case 'GapAcknowledged':
    case 'AcknowledgementEnded':
    case 'SessionsEnded':
    case 'ControlConfirmed':
      return undefined;
    default:
      return event satisfies never;
  }
}

/** One event as one line. It holds only ids, our own names, and what the contracts allow as plain words. */
export function detail(event: ReadEvent): string {
  switch (event.type) {
    case 'SignalAccepted':
      return `signal ${event.data.type} accepted, quality ${event.data.quality.score}`;
    case 'SignalRejected':
      return `signal ${event.data.type ?? 'of unknown type'} rejected: ${event.data.reasons.map((r) => r.detail).join('; ')}`;
    case 'TaskAssigned':
      return `the play “${event.data.play.title}” gave ${event.data.agent} a task: ${event.data.purpose}`;
    case 'TaskSettled': {
      const { agent, outcome, proposalIds, reason, model } = event.data;
      const answer =
        outcome === 'proposed'
          ? `${agent} answered its task with ${proposalIds.length} ${proposalIds.length === 1 ? 'proposal' : 'proposals'}`
          : `${agent} declined its task: ${reason}`;
      return model === undefined ? answer : `${answer}; ${modelUseDetail(model)}`;
    }
    case 'TaskEscalated':
      return `the play “${event.data.play.title}” waits for ${event.data.reviewers.join(' or ')}: ${event.data.detail}`;
    case 'TaskWithheld':
      return `no task of the play “${event.data.play.title}” goes out: ${event.data.reason.detail}`;
    case 'ActionProposed':
      return `${event.data.agent} proposed to ${actionText(event.data.action)}`;
    case 'ActionApproved':
      return `countersigned for ${event.data.executor}/${event.data.connector}: ${actionText(event.data.action)}`;
    case 'ActionRefused':
      return event.data.supersededBy
        ? "taken out by a person's edit"
        : `refused: ${reasons(event.data.verdict.reasons, 'refuse')}`;
    case 'ActionEscalated':
      return `waits for ${event.data.reviewers.join(' or ')}: ${reasons(event.data.verdict.reasons, 'escalate')}`;
    case 'ReviewSetAside':
    case 'TaskReviewSetAside':
      return `the answer of ${event.data.by} was set aside: ${event.data.reason.detail}`;
    case 'ReviewDecided':
      return `${event.data.by} answered: ${event.data.decision}`;
    case 'ActionSettled':
      return `${event.data.executor} settled it: ${event.data.outcome}${event.data.reason ? `, ${event.data.reason.detail}` : ''}`;
    case 'SettlementDecided':
      return `${event.data.by} decided that it ${event.data.outcome === 'executed' ? 'was executed' : 'failed'}`;
    case 'PermitRejected':
      return `${event.data.executor} rejected a permit: ${event.data.reason.detail}`;
    case 'DeadLetter':
      if (event.data.job)
        return `${event.data.service} could not work the job ${event.data.job.kind} ${event.data.job.id}: ${event.data.fault.detail}`;
      return `${event.data.service} could not handle ${event.data.topic}/${event.data.partition}@${event.data.offset}: ${event.data.fault.detail}`;
    case 'DeadLetterReplayed':
      return `${event.data.by} had ${event.data.service} handle a dead letter again`;
    case 'ReplayEnded':
      switch (event.data.outcome) {
        case 'handled':
          return `${event.data.service} handled a dead letter`;
        case 'scheduled':
          return `${event.data.service} works the job of a dead letter again`;
        case 'failed':
          return `a dead letter failed in ${event.data.service} again: ${event.data.fault?.detail ?? 'no reason given'}`;
      }
      break;
    case 'GapReported':
      return `${event.data.service} cannot read records of ${event.data.topic}/${event.data.partition}`;
    case 'AcknowledgementEnded':
      return event.data.outcome === 'closed'
        ? `${event.data.service} closed its gap of ${event.data.topic}/${event.data.partition}`
        : `${event.data.service} has no open gap of ${event.data.topic}/${event.data.partition} from offset ${event.data.from} on`;
    case 'GapAcknowledged':
      return `${event.data.by} acknowledged that ${event.data.service} cannot read records of ${event.data.topic}/${event.data.partition}`;
    case 'SessionsEnded':
      return `${event.data.by} signed ${event.data.person} out${event.data.newAccount ? ', and another account may sign in by this name' : ''}`;
    case 'RevealRequested':
      return `${event.data.by} asked for ${event.data.fields.join(' and ')} of a person: ${event.data.purpose}`;
    case 'RevealAnswered':
      return event.data.outcome === 'sealed'
        ? `${event.data.fields.join(' and ')} of a person was revealed to whoever asked`
        : `nothing was revealed: ${event.data.reason?.detail ?? 'no reason given'}`;
    case 'RecordPassRequested':
      return `${event.data.by} asked to read the whole record, to ${event.data.use} it: ${event.data.purpose}`;
    case 'InspectionStarted':
      return `${event.data.by} began ${inspectionText[event.data.kind]}`;
    case 'InspectionEnded':
      return `${inspectionText[event.data.kind]} of ${event.data.by} ${inspectionEndText(event.data)}`;
    case 'ControlConfirmed':
      return `${event.source.replace('/countersign/', '')} goes by version ${event.data.version} of ${event.data.scope}`;
    case 'CheckpointPublished':
      return `the record was signed at ${event.data.size} entries`;
    default:
      return event satisfies never;
  }
}

const inspectionText: Readonly<Record<InspectionEnded['kind'], string>> = {
  invariants: 'an audit of the invariants',
  probe: 'a probe of the gate',
};
function inspectionEndText({ outcome, checks }: InspectionEnded): string {
  if (outcome === 'broken') return 'could not be finished';
  const findings = checks.reduce((sum, check) => sum + check.findings, 0);
  return `ended after ${checks.length} checks: ${findings === 0 ? 'nothing found' : `${findings} findings`}`;
}

const reasons = (all: readonly { outcome: string; detail: string }[], outcome: string): string =>
  all
    .filter((reason) => reason.outcome === outcome)
    .map((reason) => reason.detail)
    .join('; ');

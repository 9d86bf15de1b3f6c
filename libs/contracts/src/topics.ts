import type { EventType } from './events.js';

/**
 * A topic's name together with the types of its events. At compile time, they decide what may be emitted on it, and what a handler
 * of it receives. `topology` has the rest: writer, readers, key and retention.
 */
export interface TopicOf<T extends EventType = EventType> {
  readonly name: string;
  readonly types: readonly T[];
}

const topic = <const T extends EventType>(name: string, ...types: T[]): TopicOf<T> => ({ name, types });

/** Every topic of an installation. For the topics of a single source, agent, executor or service, there are functions of its name. */
export const topics = {
  /** The canonical signals of one source; their types are in `signals.ts`. */
  signalsInbound: (source: string): TopicOf<never> => topic(`signals.inbound.${source}.v1`),
  signalsAccepted: topic('signals.accepted.v1', 'SignalAccepted'),
  signalsRejected: topic('signals.rejected.v1', 'SignalRejected'),
  profiles: topic('profiles.v1', 'ProfileChanged'),
  consents: topic('consents.v1', 'ConsentsChanged'),
  contactPoints: topic('contact-points.v1', 'ContactPointsChanged'),
  tasksAssigned: topic('tasks.assigned.v1', 'TaskAssigned'),
  tasksSettled: (agent: string) => topic(`tasks.settled.${agent}.v1`, 'TaskSettled'),
  tasksEscalated: topic('tasks.escalated.v1', 'TaskEscalated', 'TaskWithheld', 'TaskReviewSetAside'),
  actionsProposed: (agent: string) => topic(`actions.proposed.${agent}.v1`, 'ActionProposed'),
  actionsApproved: topic('actions.approved.v1', 'ActionApproved'),
  actionsRefused: topic('actions.refused.v1', 'ActionRefused'),
  actionsEscalated: topic('actions.escalated.v1', 'ActionEscalated', 'ReviewSetAside'),
  actionsSettled: (executor: string) => topic(`actions.settled.${executor}.v1`, 'ActionSettled', 'PermitRejected'),
  reviewsDecided: topic('reviews.decided.v1', 'ReviewDecided'),
  dryRunsAsked: topic('dry-runs.asked.v1', 'DryRunAsked'),
  dryRunsJudged: topic('dry-runs.judged.v1', 'DryRunJudged'),
  settlementsDecided: topic('settlements.decided.v1', 'SettlementDecided'),
  controls: topic('controls.v1', 'ControlChanged'),
  controlsConfirmed: (reader: string) => topic(`controls.confirmed.${reader}.v1`, 'ControlConfirmed'),
  policies: topic('policies.v1', 'PolicyPublished'),
  recordCheckpoints: topic('record.checkpoints.v1', 'CheckpointPublished'),
  deadLetters: (service: string) =>
    topic(`${service}.dead-letters.v1`, 'DeadLetter', 'ReplayEnded', 'GapReported', 'AcknowledgementEnded'),
  deadLettersReplayed: topic('dead-letters.replayed.v1', 'DeadLetterReplayed'),
  gapsAcknowledged: topic('gaps.acknowledged.v1', 'GapAcknowledged'),
  sessionsEnded: topic('sessions.ended.v1', 'SessionsEnded'),
  revealsRequested: topic('reveals.requested.v1', 'RevealRequested'),
  revealsAnswered: topic('reveals.answered.v1', 'RevealAnswered'),
  revealsSealed: topic('reveals.sealed.v1', 'RevealSealed'),
  recordPasses: topic('record.passes.v1', 'RecordPassRequested'),
  inspections: topic('inspections.v1', 'InspectionStarted', 'InspectionEnded'),
} as const;

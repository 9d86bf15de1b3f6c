import type { EventType } from './events.js';

/**
 * A topic's name together with the types of its events: what is emitted on it, and what a handler of it is given, follow from it at
 * compile time. `topology` says the rest: who writes, who reads, key and retention.
 */
export interface TopicOf<T extends EventType = EventType> {
  readonly name: string;
  readonly types: readonly T[];
}

const of = <const T extends EventType>(name: string, ...types: T[]): TopicOf<T> => ({ name, types });

/** Every topic of an installation. Those that each source, agent, executor or service has for itself are functions of its name. */
export const topics = {
  /** The canonical signals of one source; their types are in `signals.ts`. */
  signalsInbound: (source: string): TopicOf<never> => of(`signals.inbound.${source}.v1`),
  signalsAccepted: of('signals.accepted.v1', 'SignalAccepted'),
  signalsRejected: of('signals.rejected.v1', 'SignalRejected'),
  profiles: of('profiles.v1', 'ProfileChanged'),
  consents: of('consents.v1', 'ConsentsChanged'),
  contactPoints: of('contact-points.v1', 'ContactPointsChanged'),
  tasksAssigned: of('tasks.assigned.v1', 'TaskAssigned'),
  tasksSettled: (agent: string) => of(`tasks.settled.${agent}.v1`, 'TaskSettled'),
  tasksEscalated: of('tasks.escalated.v1', 'TaskEscalated'),
  actionsProposed: (agent: string) => of(`actions.proposed.${agent}.v1`, 'ActionProposed'),
  actionsApproved: of('actions.approved.v1', 'ActionApproved'),
  actionsRefused: of('actions.refused.v1', 'ActionRefused'),
  actionsEscalated: of('actions.escalated.v1', 'ActionEscalated', 'ReviewSetAside'),
  actionsSettled: (executor: string) => of(`actions.settled.${executor}.v1`, 'ActionSettled', 'PermitRejected'),
  reviewsDecided: of('reviews.decided.v1', 'ReviewDecided'),
  settlementsDecided: of('settlements.decided.v1', 'SettlementDecided'),
  controls: of('controls.v1', 'ControlChanged'),
  controlsConfirmed: (reader: string) => of(`controls.confirmed.${reader}.v1`, 'ControlConfirmed'),
  policies: of('policies.v1', 'PolicyPublished'),
  recordCheckpoints: of('record.checkpoints.v1', 'CheckpointPublished'),
  deadLetters: (service: string) => of(`${service}.dead-letters.v1`, 'DeadLetter'),
  deadLettersReplayed: of('dead-letters.replayed.v1', 'DeadLetterReplayed'),
  gapsAcknowledged: of('gaps.acknowledged.v1', 'GapAcknowledged'),
} as const;

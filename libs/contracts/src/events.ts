import type { z } from 'zod';
import * as data from './event-data.js';
import { formerly, says } from './primitives.js';
import { signalKinds, signalTypes } from './signals.js';
import * as state from './state.js';

/** Every event's data, by CloudEvents type. Types from outside are the canonical signals; the others are ours. */
export const eventSchemas = {
  SignalAccepted: data.SignalAccepted,
  SignalRejected: data.SignalRejected,
  ProfileChanged: state.Profile,
  ConsentsChanged: state.Consents,
  ContactPointsChanged: state.ContactPoints,
  ControlChanged: state.Control,
  PolicyPublished: state.Policy,
  TaskAssigned: data.TaskAssigned,
  TaskSettled: data.TaskSettled,
  TaskEscalated: formerly(says, data.TaskEscalated),
  ActionProposed: data.ActionProposed,
  ActionApproved: data.ActionApproved,
  ActionRefused: formerly({ wouldBe: 'shadowOutcome' }, data.ActionRefused),
  ActionEscalated: data.ActionEscalated,
  ReviewSetAside: formerly({ why: 'reason' }, data.ReviewSetAside),
  ReviewDecided: data.ReviewDecided,
  DryRunAsked: data.DryRunAsked,
  DryRunJudged: data.DryRunJudged,
  ActionSettled: data.ActionSettled,
  PermitRejected: data.PermitRejected,
  SettlementDecided: data.SettlementDecided,
  DeadLetter: data.DeadLetter,
  DeadLetterReplayed: data.DeadLetterReplayed,
  ReplayEnded: data.ReplayEnded,
  GapAcknowledged: formerly({ why: 'reason' }, data.GapAcknowledged),
  ControlConfirmed: data.ControlConfirmed,
  CheckpointPublished: data.CheckpointPublished,
} as const;

export type EventType = keyof typeof eventSchemas;
export type DataOf<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;

/** The data schema of any type that may be on a topic, signals included; undefined where the type is unknown. */
export function schemaOf(type: string): z.ZodType | undefined {
  if (Object.hasOwn(eventSchemas, type)) return eventSchemas[type as EventType];
  if ((signalTypes as string[]).includes(type)) return signalKinds[type as keyof typeof signalKinds].inbound;
  return undefined;
}

import type { z } from 'zod';
import * as flow from './flow.js';
import { signalKinds, signalTypes } from './signals.js';
import * as state from './state.js';

/** Every event's data, by CloudEvents type. Types from outside are the canonical signals; the others are ours. */
export const eventSchemas = {
  SignalAccepted: flow.SignalAccepted,
  SignalRejected: flow.SignalRejected,
  ProfileChanged: state.Profile,
  ConsentsChanged: state.Consents,
  ContactPointsChanged: state.ContactPoints,
  ControlChanged: state.Control,
  PolicyPublished: state.Policy,
  TaskAssigned: flow.TaskAssigned,
  TaskSettled: flow.TaskSettled,
  TaskEscalated: flow.TaskEscalated,
  ActionProposed: flow.ActionProposed,
  ActionApproved: flow.ActionApproved,
  ActionRefused: flow.ActionRefused,
  ActionEscalated: flow.ActionEscalated,
  ReviewSetAside: flow.ReviewSetAside,
  ReviewDecided: flow.ReviewDecided,
  ActionSettled: flow.ActionSettled,
  PermitRejected: flow.PermitRejected,
  SettlementDecided: flow.SettlementDecided,
  DeadLetter: flow.DeadLetter,
  DeadLetterReplayed: flow.DeadLetterReplayed,
  GapAcknowledged: flow.GapAcknowledged,
  ControlConfirmed: flow.ControlConfirmed,
  CheckpointPublished: flow.CheckpointPublished,
} as const;

export type EventType = keyof typeof eventSchemas;
export type DataOf<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;

/** The data schema of any type that may be on a topic, signals included; undefined where the type is unknown. */
export function schemaOf(type: string): z.ZodType | undefined {
  if (Object.hasOwn(eventSchemas, type)) return eventSchemas[type as EventType];
  if ((signalTypes as string[]).includes(type)) return signalKinds[type as keyof typeof signalKinds].inbound;
  return undefined;
}

import {
  Channel,
  ConsentPurpose,
  ForeignId,
  Instant,
  Name,
  revealFields,
  revealPurposes,
  Seniority,
  Uuid,
  WrittenFault,
} from '@countersign/contracts';
import { z } from 'zod';
import { revealStates } from './reveal.js';
import { touchStates } from './touch.js';

/* The console's answers about people. They hold no names and no addresses. */

const Person = {
  contactId: Uuid,
  seniority: Seniority,
  jobFunction: z.string().nullable(),
  account: z
    .object({
      accountId: ForeignId,
      name: z.string().nullable(),
      tier: z.int().nullable(),
    })
    .nullable(),
  lastEngagedAt: Instant.nullable(),
  joinedInto: Uuid.nullable().describe('The contact that is the same person and has what is known'),
};

export const PeopleAnswer = z.object({
  people: z.array(z.object(Person)),
  next: z.string().nullable().describe('The cursor of the next page; null: there is none'),
  incomplete: z
    .boolean()
    .describe(
      'Whether more accounts have a name with this beginning than are looked at. A longer text finds the others',
    ),
});

export const PersonAnswer = z.object({
  ...Person,
  country: z.string().nullable(),
  timeZone: z.string().nullable(),
  reachable: z.array(Channel).describe('Where an address is known; the console does not have it'),
  firstTouchedAt: Instant.nullable(),
  signals: z.int(),
  consents: z.array(
    z.object({
      purpose: ConsentPurpose,
      channel: Channel,
      status: z.enum(['granted', 'withdrawn', 'disputed']),
      at: Instant,
      source: z.string(),
      signalId: z.string(),
      basis: z.string().nullable(),
    }),
  ),
  suppressions: z.array(
    z.object({
      channel: Channel,
      reason: z.enum(['unsubscribed', 'complained', 'hard-bounce', 'erased']),
      at: Instant,
      signalId: z.string(),
    }),
  ),
});

export const PersonActionsAnswer = z.object({
  actions: z.array(
    z.object({
      actionId: Uuid,
      proposalId: Uuid.describe('What its story is found by'),
      agent: Name,
      playTitle: z.string(),
      kind: z.string(),
      detail: z.string(),
      state: z.enum(touchStates),
      reasons: z.array(z.object({ rule: z.string(), detail: z.string() })).describe('Why it was refused'),
      at: Instant,
      endedAt: Instant.nullable(),
      endedBecause: z.string().nullable(),
    }),
  ),
  next: z.string().nullable().describe('The cursor of the next page; null: there is none'),
});

const Reveal = {
  revealId: Uuid,
  by: Name,
  fields: z.array(z.enum(revealFields)).describe('What was asked for; of a sealed answer, what it has'),
  purpose: z.enum(revealPurposes),
  note: z.string(),
  at: Instant,
  expiresAt: Instant.describe('Until then the answer is waited for, and kept for whoever asked'),
  state: z.enum(revealStates),
  reason: WrittenFault.nullable().describe('Why nothing was revealed'),
};

export const RevealsAnswer = z.object({
  reveals: z.array(z.object(Reveal)),
  next: z.string().nullable().describe('The cursor of the next page; null: there is none'),
});

export const RevealAskedAnswer = z.object({ revealId: Uuid, expiresAt: Instant });

export const RevealAnswer = z.object({
  ...Reveal,
  jwe: z
    .string()
    .nullable()
    .describe('A compact JWE (ECDH-ES over P-256, A256GCM); null: not yet, or no longer: it is kept until `expiresAt`'),
});

import { Channel, ConsentPurpose, ForeignId, Instant, Name, Seniority, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { touchStates } from './touch.js';

/* What the console answers about people. It has no names and no addresses. */

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

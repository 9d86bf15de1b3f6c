import { Instant, WrittenFault } from '@countersign/contracts';
import { z } from 'zod';
import { sourceStates } from './sources.js';

/* The console's answers about sources of signals. */

const counts = z.object({ accepted: z.int(), rejected: z.int() });
const words = {
  code: z.string(),
  title: z.string().describe('What the reason means'),
  change: z.string().describe('What whoever runs the source has to change'),
};

export const SourcesAnswer = z.object({
  at: Instant,
  sources: z.array(
    z.object({
      name: z.string(),
      via: z.enum(['http', 'kafka']).nullable(),
      source: z.string().nullable().describe('The CloudEvents source of its signals; null: it is no longer set up'),
      state: z.enum(sourceStates),
      lastHour: counts,
      lastDay: counts,
      rejectedBy: z.array(z.object({ ...words, n: z.int() })).describe('Of the last day, the most frequent first'),
      acceptedAt: Instant.nullable(),
      rejectedAt: Instant.nullable(),
    }),
  ),
});

export const RejectedSignalsAnswer = z.object({
  rejected: z.array(
    z.object({
      ...words,
      id: z.string(),
      at: Instant,
      source: z.string(),
      signalId: z.string().nullable(),
      type: z.string().nullable(),
      reasons: z.array(WrittenFault),
      topic: z.string(),
      partition: z.int(),
      offset: z.string(),
    }),
  ),
  next: z.string().nullable().describe('The cursor of the next page; null: there is none'),
});

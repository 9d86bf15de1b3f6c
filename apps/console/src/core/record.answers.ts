import { InspectionCheck, Instant, inspectionKinds, Name, recordPassUses, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { inspectionStates } from './inspection.js';

/* What is answered about reading and inspecting the record. */

export const PassAskedAnswer = z.object({
  passId: Uuid,
  expiresAt: Instant.describe('Until then the record gives its export to whoever has the secret'),
});
export const PassesAnswer = z.object({
  passes: z.array(
    z.object({
      passId: Uuid,
      use: z.enum(recordPassUses),
      purpose: z.string(),
      by: Name,
      at: Instant,
      expiresAt: Instant,
    }),
  ),
  next: z.string().nullable().describe('The cursor of the next page; null: there is none'),
});

const Inspection = z.object({
  inspectionId: Uuid,
  kind: z.enum(inspectionKinds),
  by: Name,
  state: z.enum(inspectionStates).describe('`silent`: its command has not reported for a while'),
  startedAt: Instant,
  heardAt: Instant.describe('When its command reported last'),
  endedAt: Instant.nullable(),
  progress: z
    .object({ step: z.string(), done: z.int(), total: z.int().nullable() })
    .nullable()
    .describe('Null before the first report'),
  checks: z.array(InspectionCheck),
});
export const InspectionsAnswer = z.object({
  at: Instant,
  kinds: z.array(
    z.object({
      kind: z.enum(inspectionKinds),
      open: Inspection.nullable().describe('The one that runs, or has not reported for a while; null: none'),
      last: Inspection.nullable().describe('The last one that ended; null: none yet'),
    }),
  ),
});
export const InspectionStartedAnswer = z.object({ inspectionId: Uuid, startedAt: Instant });
export const InspectionHeardAnswer = z.object({ inspectionId: Uuid, state: z.enum(inspectionStates) });

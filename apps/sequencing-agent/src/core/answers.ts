import { Instant, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/** The answer of the page of enrolments, for the OpenAPI document. The harness of the tests compares each answer with it. */
export const EnrolmentsAnswer = z.object({
  enrolments: z.array(
    z.object({
      enrolmentId: Uuid,
      taskId: Uuid,
      accountId: z.string().nullable(),
      contactId: Uuid,
      sequenceId: z.string(),
      state: z.enum(['running', 'finished', 'stopped', 'closed']),
      reason: z.string().nullable(),
      stepsProposed: z.int(),
      startedAt: Instant,
      endedAt: Instant.nullable(),
    }),
  ),
});

import { Evidence, ForeignId, Instant, Name, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/* The answers of the orchestrator, for its OpenAPI document. The harness of the tests compares each answer with these. */

const Run = {
  runId: Uuid,
  playId: Name,
  title: z.string(),
  subject: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('account'), accountId: ForeignId }),
    z.object({ kind: z.literal('campaign'), adAccountId: ForeignId, campaignId: ForeignId }),
  ]),
  ordinal: z.int(),
  state: z.enum(['started', 'waiting', 'rejected', 'expired', 'suppressed']),
  reason: z.string(),
  trigger: z.object({ source: z.string(), signalId: z.string() }),
  policyVersion: z.int(),
  at: Instant,
};
const Task = z.object({
  taskId: Uuid,
  runId: Uuid,
  agent: Name,
  purpose: z.string(),
  state: z.enum(['assigned', 'proposed', 'declined']),
  reason: z.string().nullable(),
  assignedAt: Instant,
  dueAt: Instant,
  settledAt: Instant.nullable(),
  overdueAt: Instant.nullable(),
  proposals: z.array(
    z.object({
      proposalId: Uuid,
      outcome: z.string().describe('open, unsettled, refused, or how it was settled'),
      reason: z.string().nullable(),
      executor: z.string().nullable(),
      reference: z.string().nullable(),
      review: z.string().nullable(),
      reviewedBy: z.string().nullable(),
    }),
  ),
});
export const RunsAnswer = z.object({ runs: z.array(z.object(Run)) });
export const TasksAnswer = z.object({ tasks: z.array(Task) });
export const RunAnswer = z.object({
  ...Run,
  evidence: z.array(Evidence),
  checkpoint: z
    .object({
      checkpointId: Uuid,
      reviewers: z.array(Name),
      deadline: Instant,
      answer: z.enum(['approved', 'rejected', 'expired']).nullable(),
      answeredBy: z.string().nullable(),
      answeredAt: Instant.nullable(),
      answers: z.array(
        z.object({
          review_id: Uuid,
          by: Name,
          decision: z.string(),
          outcome: z.string(),
          reason: z.string().nullable(),
          at: z.string(),
        }),
      ),
    })
    .nullable(),
  tasks: z.array(Task),
});

import {
  AcknowledgementEnded,
  Action,
  Channel,
  ControlScope,
  GapAcknowledged,
  GapReported,
  Instant,
  Name,
  PolicyContent,
  rejections,
  Seniority,
  Sha256,
  Uuid,
  WrittenFault,
} from '@countersign/contracts';
import { z } from 'zod';
import { NamedCampaigns, ScopeName } from './names.answers.js';
import { Role } from './people.js';
import { letterStates } from './replay.js';
import { standings } from './review.js';

/* The answers of the console, for its OpenAPI document. The harness of the tests compares each answer with these. */

const NextPage = z.string().nullable().describe('Give it as `cursor` for what follows; null where there is no more');
const Confirmed = {
  confirmed: z.boolean(),
  confirmedBy: z.array(z.string()),
  notConfirmedBy: z.array(z.string()),
  unknown: z.array(z.string()),
};
const ControlAnswer = z.object({
  scope: ControlScope,
  name: ScopeName,
  state: z.enum(['stopped', 'running']),
  by: Name,
  reason: z.string(),
  version: z.int(),
  changedAt: Instant,
  ...Confirmed,
});
export const ControlsAnswer = z.object({ controls: z.array(ControlAnswer), next: z.string().nullable() });
export const ControlChangedAnswer = z.object({
  changed: z.boolean(),
  control: ControlAnswer.nullable(),
  ...Confirmed,
});

const Play = z.object({ id: Name, runId: Uuid, title: z.string() });
const EvidenceShown = z.object({ detail: z.string(), occurredAt: Instant, source: z.string(), signalId: z.string() });
const CardOf = {
  id: Uuid,
  state: z.enum(standings),
  digest: Sha256,
  correlationId: z.string(),
  reviewers: z.array(Name),
  deadline: Instant,
  escalatedAt: Instant,
  play: Play,
  detail: z.string(),
  approving: z.string(),
  unanswered: z.string().describe('What happens without an answer'),
};
const UnderPolicy = z.object({ version: z.int(), digest: Sha256.nullable() });
const RunningTotals = z.array(
  z.object({
    ledger: z.string(),
    held: z.int(),
    committed: z.int(),
    cap: z.int(),
    currency: z.string().optional(),
    asked: z
      .int()
      .optional()
      .describe('What the action takes, if its own amount is in another currency than the limit'),
  }),
);
const ActionCard = {
  ...CardOf,
  subject: z.literal('proposal'),
  facts: z.object({
    agent: Name,
    kind: z.string(),
    does: z.string().describe('The kind in words'),
    account: z.string().nullable(),
    accountId: z.string().nullable(),
    people: z.array(
      z.object({
        contactId: Uuid,
        seniority: Seniority,
        jobFunction: z.string().optional(),
        accountName: z.string().optional(),
      }),
    ),
    money: z.object({ amountMinor: z.int(), currency: z.string() }).nullable(),
    runningTotals: RunningTotals,
    campaigns: z.array(
      z.object({
        campaignId: z.string(),
        name: z.string().optional(),
        dailyBudgetMinor: z.int().optional(),
        bidMinor: z.int().optional(),
        currency: z.string(),
      }),
    ),
    reversible: z.string(),
    whyAsked: z.array(z.object({ rule: z.string(), detail: z.string() })),
    policy: UnderPolicy.describe('Under which a person was asked'),
    tier: z
      .object({ tier: z.string(), by: z.string(), detail: z.string() })
      .nullable()
      .describe('How far the agent may go with this action, and what decided that; null in an older one'),
    evidence: z.array(EvidenceShown),
  }),
  agentSays: z.object({
    quote: z.string(),
    confidence: z.number(),
    alternatives: z
      .array(z.object({ detail: z.string(), rejectedBecause: z.string() }))
      .describe('What it considered and left, and why'),
    marked: z.string(),
  }),
  runsAt: Instant.nullable().describe('When it runs if it is approved, where that is not at once'),
  action: Action,
};
/** How a checkpoint ended whose tasks never go out. */
const ending = z.object({
  outcome: z.enum(['rejected', 'suppressed', 'expired']),
  reviewId: Uuid.nullable().describe('The answer that ended it; null if nobody answered'),
  by: Name.nullable().describe('Whose answer that was'),
  reason: WrittenFault,
  next: z.string().describe('What a person can do now'),
  at: Instant,
});
const CheckpointCard = {
  ...CardOf,
  subject: z.literal('checkpoint'),
  facts: z.object({
    account: z.string().nullable(),
    accountId: z.string().nullable(),
    adAccountId: z.string().nullable(),
    campaignId: z.string().nullable(),
    campaigns: NamedCampaigns,
    contacts: z.int().describe('How many contacts its tasks name'),
    tasks: z.array(
      z.object({
        taskId: Uuid,
        agent: Name,
        purpose: z.string(),
        kinds: z.array(z.string()),
        may: z.string().describe('The same in words'),
        has: z.string().describe('How long its agent has, from the time when it goes out, in words'),
      }),
    ),
    evidence: z.array(EvidenceShown),
  }),
  playChanged: z
    .enum(['changed', 'withdrawn'])
    .nullable()
    .describe('The play in force is another one than the play that asked: an approval lets no task go out'),
  ending: ending.nullable().describe('Null while its tasks may still go out, and when they are out'),
};
const decision = z.enum(['approve', 'edit', 'reject']);
const answers = z.array(
  z.object({
    reviewId: Uuid,
    by: Name,
    decision,
    note: z.string().nullable(),
    category: z.enum(rejections).nullable(),
    at: Instant,
    setAside: WrittenFault.nullable(),
  }),
);
const otherRules = z.array(z.object({ rule: z.string(), detail: z.string() })).describe('The rules that passed');
const regions = z
  .array(z.object({ of: z.enum(['account', 'person']), country: z.string() }))
  .describe('Countries of its account and its people, as far as they are known');
const underStop = z
  .object({
    stops: z.array(
      z.object({ scope: ControlScope, name: ScopeName, by: Name, reason: z.string(), changedAt: Instant }),
    ),
    approving: z.string().describe('What an approval comes to at this moment'),
    loss: z.string().describe('What an approval would lose at this moment, and what to do in its place'),
  })
  .nullable()
  .describe('The stops in force that cover it while it is open; null if there are none');
export const ReviewsAnswer = z.object({
  reviews: z.array(z.discriminatedUnion('subject', [z.object(ActionCard), z.object(CheckpointCard)])),
  /** Send it as `cursor` for the next page; null at the end. */
  next: z.string().nullable(),
});
export const ReviewAnswer = z.discriminatedUnion('subject', [
  z.object({ ...ActionCard, answers, otherRules, regions, underStop }),
  z.object({ ...CheckpointCard, answers, otherRules, regions, underStop }),
]);
export const DryRunAnswer = z.discriminatedUnion('judged', [
  z.object({
    judged: z.literal(true),
    outcome: z.enum(['approved', 'refused']),
    reasons: z.array(z.object({ rule: z.string(), detail: z.string() })).describe('The rules that refuse it'),
    at: Instant,
    policy: UnderPolicy.nullable().describe('Under which it was judged; null where the rules were not asked'),
    runningTotals: RunningTotals.nullable().describe('What counts now under the limits that it concerns, without it'),
    loss: z
      .string()
      .nullable()
      .describe('What an approval would lose at this moment, and what to do in its place; null if nothing'),
  }),
  z.object({ judged: z.literal(false).describe('The validator has not answered in time') }),
]);
export const ReviewFactsAnswer = z.object({
  digest: Sha256.describe('Another one where policy, stops, consents, people or the use of a limit changed'),
  at: Instant,
});
export const KindsAnswer = z.object({
  kinds: z.array(
    z.object({
      kind: z.string(),
      channel: Channel,
      reversible: z.boolean(),
      payload: z.record(z.string(), z.unknown()).describe('JSON Schema of its payload'),
    }),
  ),
});
export const ReviewTakenAnswer = z.object({ reviewId: Uuid, result: z.string().describe('Where its result is') });
const outcome = z.enum(['executed', 'failed', 'refused', 'expired', 'unresolved', 'undone']);
export const ReviewResultAnswer = z.object({
  reviewId: Uuid,
  subject: z.object({ kind: z.enum(['proposal', 'checkpoint']), id: Uuid }),
  decision,
  by: Name,
  at: Instant,
  state: z.enum(['waiting', 'set-aside', 'approved', 'refused', 'rejected', 'tasks-assigned', 'withheld']),
  detail: z.string(),
  reasons: z.array(z.object({ rule: z.string(), detail: z.string() })),
  runsFrom: Instant.nullable(),
  settlement: z
    .object({
      actionId: Uuid,
      outcome,
      executor: Name,
      detail: z.string().nullable(),
      externalReference: z.string().nullable(),
      at: Instant,
    })
    .nullable(),
});

export const UnresolvedAnswer = z.object({
  permitId: Uuid,
  actionId: Uuid,
  proposalId: Uuid,
  executor: Name,
  connector: Name,
  detail: z.string().nullable(),
  at: Instant,
  outcome,
  decision: z
    .object({
      decisionId: Uuid,
      outcome: z.enum(['executed', 'failed']),
      by: Name,
      note: z.string(),
      at: Instant,
    })
    .nullable(),
});
export const UnresolvedListAnswer = z.object({ unresolved: z.array(UnresolvedAnswer), next: NextPage });

export const WhoamiAnswer = z.object({ person: Name, roles: z.array(Role) });
const counts = z.record(z.string(), z.int());
const counted = <K extends string>(...labels: K[]) =>
  Object.fromEntries(labels.map((label) => [label, z.int()])) as Record<K, z.ZodInt>;
export const FunnelAnswer = z.object({
  at: Instant,
  signals: z.object({ ...counted('accepted', 'rejected'), rejectedBy: counts }),
  tasks: z.object(counted('assigned', 'proposed', 'declined', 'escalated', 'withheld')),
  proposals: z.object({ total: z.int(), byAgent: counts }),
  verdicts: z.object({ ...counted('approved', 'refused', 'escalated', 'superseded'), refusedBy: counts }),
  reviews: z.object(counted('open', 'approve', 'edit', 'reject', 'setAside')),
  settled: z.object(counted('executed', 'failed', 'refused', 'expired', 'unresolved', 'undone')),
  unresolved: z.object(counted('open')),
  permitsRejected: z.object({ total: z.int(), by: counts }),
  deadLetters: z.object({ ...counted('open', 'total'), byService: counts }),
});
export const EventsAnswer = z.object({
  events: z.array(
    z.object({
      correlationId: z.string(),
      topic: z.string(),
      eventId: z.string(),
      type: z.string(),
      subjectId: z.string().nullable(),
      at: Instant,
      detail: z.string(),
    }),
  ),
});
const DeadLetter = {
  deadLetterId: Uuid,
  service: z.string(),
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  type: z.string().nullable(),
  job: z.object({ kind: z.string(), id: z.string() }).nullable(),
  fault: WrittenFault,
  attempts: z.int(),
  at: Instant,
  state: z.enum(letterStates),
  replayedBy: z.string().nullable(),
  replayedAt: Instant.nullable(),
  replayNote: z.string().nullable(),
  endedAt: Instant.nullable(),
  failedAgain: WrittenFault.nullable(),
};
export const DeadLetterAnswer = z.object(DeadLetter);
export const DeadLettersAnswer = z.object({ deadLetters: z.array(DeadLetterAnswer), next: NextPage });
const OpenGap = GapReported.omit({ at: true }).extend({
  gapId: Uuid,
  acknowledged: GapAcknowledged.pick({ by: true, note: true, at: true })
    .nullable()
    .describe('The acknowledgement that the service has not answered yet'),
  state: z
    .object({
      writer: z.string(),
      publishedAgainAt: Instant.nullable().describe('When the writer published its whole table again since then'),
    })
    .nullable()
    .describe('Null if the topic is a log. Until the gap of a state topic is closed, nothing is decided by that state'),
});
export const OpenGapsAnswer = z.object({ open: z.array(OpenGap), next: NextPage });
export const GapAnswer = GapAcknowledged.omit({ seen: true }).extend({
  gapId: Uuid,
  answer: AcknowledgementEnded.pick({ outcome: true, at: true })
    .nullable()
    .describe('What the service reported of the acknowledgement; null if it has not answered'),
});
export const AcknowledgedGapsAnswer = z.object({ acknowledged: z.array(GapAnswer) });
export const PolicyAnswer = z.object({
  version: z.int(),
  digest: Sha256,
  parts: z.record(z.string(), Sha256),
  content: PolicyContent,
  by: z.string(),
  publishedAt: Instant,
});
export const PublishedAnswer = z.object({
  ok: z.literal(true),
  changed: z.boolean(),
  version: z.int(),
  digest: Sha256,
});

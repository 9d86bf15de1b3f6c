import { z } from 'zod';
import { listOf, recordOf } from './at-most.js';
import { Action } from './catalogue.js';
import { ModelUse } from './model-use.js';
import { longest, mostPeople, RecordedTier } from './policy.js';
import {
  Currency,
  Fault,
  ForeignId,
  formerDetail,
  formerly,
  Instant,
  LookedMs,
  Minor,
  Name,
  plainText,
  Reason,
  Seen,
  Seniority,
  Sha256,
  Text,
  Uuid,
  Versions,
  WrittenFault,
} from './primitives.js';
import { mostOpenTimes, OpenTime } from './quiet-hours.js';
import { Consents, ContactPoints, Control, ControlScope, Policy, Profile } from './state.js';
import { fitsJsonb } from './text.js';

/* Signals after ingestion */

/** The same bounds as in the envelope. */
const Source = z.string().max(300);
const SignalId = z.string().max(300);
const Type = z.string().max(120);
/** A topic of the broker, an offset in it. */
const TopicName = z.string().max(300);
const Offset = z.string().max(40);
/** The greatest length of our own sentences. */
const Sentence = z.string().max(20_000);

/** Far more contacts than a play may wait for (1000). A task names no more, see `mostContacts`. */
const contactIds = listOf(Uuid, 2000);
const kindName = z.string().max(80);

const signalCoordinates = {
  /** The signal's own CloudEvents source and id. */
  source: Source,
  signalId: SignalId,
  type: Type,
};

export const SignalAccepted = z.object({
  ...signalCoordinates,
  occurredAt: Instant,
  receivedAt: Instant,
  accountId: ForeignId.optional(),
  contactId: Uuid.optional(),
  /** 0 to 100. Freshness follows the signal's own time; completeness compares with what its source declares that it sends. */
  quality: z.object({
    score: z.int().min(0).max(100),
    freshness: z.int().min(0).max(100),
    completeness: z.int().min(0).max(100),
  }),
  /** False for old and imported signals: they build profiles and start no play. */
  triggers: z.boolean(),
  facts: recordOf(z.string().max(100), z.unknown(), 200),
  /** Profile versions that this signal made. */
  madeFrom: Versions,
  /** The parts of the signal that could not be read and were left out. The rest counts. */
  leftOut: listOf(Fault, 50, 1).optional(),
  /** Another contact that this signal says is the same person. It was joined into `contactId`, and no effect reaches it. */
  joined: Uuid.optional(),
});

export const SignalRejected = z.object({
  source: Source,
  signalId: SignalId.optional(),
  type: Type.optional(),
  reasons: listOf(Fault, 50, 1),
  receivedAt: Instant,
  topic: TopicName,
  partition: z.int(),
  offset: Offset,
  sha256: Sha256,
});

/* Tasks */

/** A fact that led to the task, in plain words, with the signal that contained it. Never a name or an address. */
export const Evidence = formerly(
  formerDetail,
  z.object({
    source: Source,
    signalId: SignalId,
    type: Type,
    occurredAt: Instant,
    accountId: ForeignId.optional(),
    contactId: Uuid.optional(),
    detail: z.string().max(300),
  }),
);
export type Evidence = z.infer<typeof Evidence>;
/** One for each contact of a run, or one for each day of a window. A run names no more than `mostContacts`. */
const EvidenceList = listOf(Evidence, 2000);
/** Whom a charter or a checkpoint names. */
const reviewers = listOf(Name, mostPeople);

const playRun = z.object({
  id: Name,
  runId: Uuid,
  title: z
    .string()
    .max(300)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'one line without control characters'),
});

export const TaskAssigned = z.object({
  taskId: Uuid,
  play: playRun,
  agent: Name,
  purpose: Text(200),
  /** What the task may use. Authority is what task and charter both allow. */
  kinds: listOf(kindName, 100, 1),
  settings: recordOf(z.string().max(100), z.union([z.string().max(10_000), z.number(), z.boolean()]), 200),
  accountId: ForeignId.optional(),
  adAccountId: ForeignId.optional(),
  campaignId: ForeignId.optional(),
  contactIds,
  evidence: EvidenceList,
  assignedAt: Instant,
  dueAt: Instant,
  madeFrom: Versions,
});
export type TaskAssigned = z.infer<typeof TaskAssigned>;

export const TaskSettled = z.object({
  taskId: Uuid,
  agent: Name,
  play: playRun,
  outcome: z.enum(['proposed', 'declined']),
  reason: z.string().max(1000),
  /** As many as a charter may allow. */
  proposalIds: listOf(Uuid, longest.proposalsPerTask),
  at: Instant,
  /** The use of the model, in all tries at this answer. Absent: the agent has no model, or does not report it. */
  model: ModelUse.optional(),
});
export type TaskSettled = z.infer<typeof TaskSettled>;

/** A play's checkpoint: these tasks wait for a person. `digest` is of `tasks`. */
export const TaskEscalated = z.object({
  checkpointId: Uuid,
  play: playRun,
  accountId: ForeignId.optional(),
  accountName: z.string().max(1000).optional(),
  reviewers,
  tasks: listOf(TaskAssigned, 100),
  digest: Sha256,
  detail: Sentence,
  /** Of the play under which the run began. Once the play in force has another one, the tasks do not go out. Older events do not have it. */
  playDigest: Sha256.optional(),
  deadline: Instant,
  at: Instant,
});
export type TaskEscalated = z.infer<typeof TaskEscalated>;

/**
 * A checkpoint ended, and its tasks never go out. A checkpoint has one end: this, or `TaskAssigned` for its tasks. `suppressed`: a
 * person approved, but a stop held, or the play in force was another one.
 */
export const TaskWithheld = z.object({
  checkpointId: Uuid,
  play: playRun,
  outcome: z.enum(['rejected', 'suppressed', 'expired']),
  /** The answer that ended it, if it was an answer. */
  review: z.object({ reviewId: Uuid, by: Name }).optional(),
  reason: WrittenFault,
  at: Instant,
});
export type TaskWithheld = z.infer<typeof TaskWithheld>;

/** The same as `ReviewSetAside`, for an answer to a checkpoint. */
export const TaskReviewSetAside = z.object({
  reviewId: Uuid,
  checkpointId: Uuid,
  by: Name,
  reason: WrittenFault,
  at: Instant,
});
export type TaskReviewSetAside = z.infer<typeof TaskReviewSetAside>;

/* Actions */

/** An alternative that an agent considered and rejected, and why: its own words, like those of its rationale. */
const Alternative = z.object({ detail: Text(500), rejectedBecause: Text(500) });
const mostAlternatives = 10;

export const ActionProposed = z.object({
  /** The id that `proposalIdOf` derives from author, task and `item`. The validator refuses any other one. */
  proposalId: Uuid,
  taskId: Uuid,
  /** Which of its task's proposals it is. Older events do not have it. */
  item: z.string().min(1).max(100).optional(),
  agent: Name,
  play: playRun,
  purpose: z.string().max(200),
  /** What the task allowed; the validator refuses any other kind. */
  kinds: listOf(kindName, 100),
  action: Action,
  rationale: Text(4000),
  evidence: EvidenceList,
  confidence: z.number().min(0).max(1),
  alternatives: listOf(formerly({ ...formerDetail, whyNot: 'rejectedBecause' }, Alternative), mostAlternatives),
  planner: z.object({
    kind: z.enum(['rules', 'model']),
    name: z.string().max(120),
    /** Why the model did not answer, if rules replaced it. */
    fallback: z.string().max(300).optional(),
  }),
  /** Whether free text from outside influenced it. Missing counts as untrusted. */
  lineage: z.enum(['trusted', 'untrusted']).optional(),
  proposedAt: Instant,
  madeFrom: Versions,
});
export type ActionProposed = z.infer<typeof ActionProposed>;

/** The policy under which something was judged. */
const underPolicy = z.object({ version: z.int().nonnegative(), digest: Sha256.nullable() });

/** Every rule's reason, and the policy. `judge` with the same proposal, facts and policy gives the same result again. */
export const Verdict = z.object({
  outcome: z.enum(['approved', 'refused', 'escalated']),
  /** One for each rule, and one for the review. */
  reasons: listOf(Reason, 500),
  /** The tier under which it was judged. */
  tier: RecordedTier.nullable(),
  /** What decided the tier, of `tierSources`; its words are those of the rule `tier`. Absent: the charter, in older events, or nothing was judged. */
  tierBy: z.string().max(60).optional(),
  policy: underPolicy,
  at: Instant,
  /** `gateVersion` of the gate that judged. Absent: nothing was judged (a deadline, an edit), or an older gate did not report it. */
  gate: z.int().positive().optional(),
});
export type Verdict = z.infer<typeof Verdict>;

/**
 * Whether a verdict says that the author may not use the id, or that the id was used before. Such a verdict concerns what was
 * written under the id, and says nothing about the proposal that owns the id.
 */
export const refusesForeignId = ({ reasons }: Pick<Verdict, 'reasons'>): boolean =>
  reasons.some(({ rule, outcome }) => rule === 'proposal-id' && outcome === 'refuse');

/** What a permit holds under a limit until the action settles: an amount of money, or a count of one. */
export const Reservation = z.object({
  /** E.g. `spend:campaign:<id>:2026-11-21`, `touch:<contact>`, `sends:<agent>`, `message:<contact>:<SHA-256 of its body>`. */
  ledger: z.string().max(300),
  amount: Minor.positive(),
  currency: Currency.optional(),
});
export type Reservation = z.infer<typeof Reservation>;
/** One for each limit that an action concerns: some for its agent, account and campaign, and one for each recipient. */
const mostReservations = 1000;

/** What counts under each limit that an action concerns, without the action itself. */
const runningTotals = listOf(
  z.object({
    ledger: z.string().max(1000),
    held: Minor,
    committed: Minor,
    cap: Minor,
    currency: Currency.optional(),
    /** The amount of the action in the currency of the limit, if the action names it in another one. */
    asked: Minor.positive().optional(),
  }),
  mostReservations,
);

/** Why a person rejects, for the figures of an agent. The note says it in words. */
export const rejections = ['wrong-time', 'wrong-person', 'wrong-content', 'too-much', 'not-needed', 'other'] as const;

const judged = {
  proposalId: Uuid,
  actionId: Uuid,
  taskId: Uuid,
  agent: Name,
  play: playRun,
  /** SHA-256 of the action's RFC 8785 form. */
  digest: Sha256,
  verdict: Verdict,
  /** The review on which a verdict depends. */
  review: z
    .object({
      reviewId: Uuid,
      by: Name,
      decision: z.enum(['approve', 'edit', 'reject']),
      /** Of a rejection, if its author chose one. */
      category: z.enum(rejections).optional(),
    })
    .optional(),
};

export const ActionApproved = z.object({
  ...judged,
  action: Action,
  /** Compact JWS; see PermitClaims. */
  permit: z.string().max(20_000),
  permitId: Uuid,
  executor: Name,
  connector: Name,
  notBefore: Instant,
  expiresAt: Instant,
  reservations: listOf(Reservation, mostReservations),
});
export type ActionApproved = z.infer<typeof ActionApproved>;

export const ActionRefused = z.object({
  ...judged,
  kind: kindName,
  action: Action.optional(),
  /** At the tier observe: the verdict that it would have had. Nothing is reserved and nothing can run. */
  shadowOutcome: z.enum(['approved', 'refused', 'escalated']).optional(),
  /** The action that replaces it after a person's edit. */
  supersededBy: Uuid.optional(),
});
export type ActionRefused = z.infer<typeof ActionRefused>;

export const ActionEscalated = z.object({
  ...judged,
  action: Action,
  reviewers,
  deadline: Instant,
  /** The content of the card, taken from facts and not from the agent. */
  card: formerly(
    formerDetail,
    z.object({
      detail: Sentence,
      accountName: z.string().max(1000).optional(),
      /** The people whom the action concerns, in a form that a reviewer can recognise. Never a name or an address. */
      people: listOf(
        z.object({
          contactId: Uuid,
          seniority: Seniority,
          jobFunction: z.string().max(1000).optional(),
          accountName: z.string().max(1000).optional(),
        }),
        2000,
      ),
      money: z.object({ amountMinor: Minor, currency: Currency }).optional(),
      runningTotals,
      /** The campaigns that it changes, as they were when it was judged. */
      campaigns: listOf(
        z.object({
          campaignId: ForeignId,
          name: z.string().max(1000).optional(),
          dailyBudgetMinor: Minor.optional(),
          bidMinor: Minor.optional(),
          currency: Currency,
        }),
        100,
      ).optional(),
      reversible: Sentence,
    }),
  ),
  /** The agent's own words, quoted as such. */
  rationale: z.string().max(4000),
  confidence: z.number(),
  /** Also the agent's own words. Older escalations do not have them. */
  alternatives: listOf(Alternative, mostAlternatives).optional(),
  evidence: EvidenceList,
});
export type ActionEscalated = z.infer<typeof ActionEscalated>;

/** An answer without effect: late, for another digest, a second one, or by a person who may not answer. */
export const ReviewSetAside = z.object({
  reviewId: Uuid,
  proposalId: Uuid,
  by: Name,
  reason: Fault,
  at: Instant,
});
export type ReviewSetAside = z.infer<typeof ReviewSetAside>;

/**
 * A person asks for the verdict on a proposal that waits, before they answer. The action is the one that waits, as it was shown;
 * or, under another id, a changed version that the person is still writing. The question has no effect.
 */
export const DryRunAsked = z.object({ dryRunId: Uuid, proposalId: Uuid, action: Action, by: Name, at: Instant });
export type DryRunAsked = z.infer<typeof DryRunAsked>;

/** The verdict that it would have had at this moment. Nothing is reserved, and a later verdict may differ. */
export const DryRunJudged = z.object({
  dryRunId: Uuid,
  proposalId: Uuid,
  outcome: z.enum(['approved', 'refused']),
  /** The rules that refuse it; none if it would be approved. */
  reasons: listOf(z.object({ rule: z.string().max(1000), detail: Sentence }), 500),
  /** Absent if the rules were not asked, because the answer itself would have no effect, and in older events. */
  policy: underPolicy.optional(),
  runningTotals: runningTotals.optional(),
  at: Instant,
});
export type DryRunJudged = z.infer<typeof DryRunJudged>;

/** A person's answer. Bound to the digest that the person saw. An edit carries the new action, with an id of its own. */
export const ReviewDecided = z.object({
  reviewId: Uuid,
  subject: z.object({ kind: z.enum(['proposal', 'checkpoint']), id: Uuid }),
  digest: Sha256,
  decision: z.enum(['approve', 'edit', 'reject']),
  action: Action.optional(),
  by: Name,
  note: z.string().max(1000).optional(),
  /** Of a rejection. */
  category: z.enum(rejections).optional(),
  /** How long its author had the card on the screen. With `digest` it is what `seen` is for other acts. */
  lookedMs: LookedMs.optional(),
  at: Instant,
});
export type ReviewDecided = z.infer<typeof ReviewDecided>;

/** The claims of a permit (JWS payload, EdDSA). Times are in seconds since 1970, as RFC 7519 requires. Only `open` is optional. */
export const PermitClaims = z.strictObject({
  iss: z.literal('/countersign/guardrail-validator'),
  /** `<executor>/<connector>`, exactly one. */
  aud: z.string().max(170),
  /** The single-use id. */
  jti: Uuid,
  /** The action's id, which is the idempotency key. */
  sub: Uuid,
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  proposal: Uuid,
  agent: Name,
  play: Name,
  kind: kindName,
  /** SHA-256 of the action's RFC 8785 form. */
  digest: Sha256,
  tier: RecordedTier,
  policy: z.strictObject({
    version: z.int().positive(),
    digest: Sha256,
    /** The parts of the policy under which it was judged. A change elsewhere in the bundle does not concern it. */
    parts: recordOf(z.string().max(200), Sha256, 2000),
  }),
  reservations: listOf(
    z.strictObject({ ledger: z.string().max(1000), amount: Minor, currency: Currency.optional() }),
    mostReservations,
  ),
  /** The versions under which it was judged: `consent:<contact>` and `control:<scope>`; 0 if there was none. */
  epochs: recordOf(z.string().max(300), z.int().nonnegative(), 5000),
  /** The only parts of its life in which it may be opened, because the rest is quiet for its recipients. Absent: all of it. */
  open: listOf(OpenTime, mostOpenTimes, 1).optional(),
});
export type PermitClaims = z.infer<typeof PermitClaims>;

/** A number that is too large becomes the largest exact number. Any other invalid value becomes undefined. */
const largestExact = (bound: { readonly value?: unknown } | undefined): number | undefined =>
  typeof bound?.value === 'number' && bound.value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : undefined;
/** An id as an executor writes it back. Some programs write every UUID in capitals, and all readers here compare ids as text. */
const ExecutorId = Uuid.overwrite((id) => id.toLowerCase());
/** A text that an executor reports, as one plain line; see `plainText`. */
const ExecutorText = (max: number) =>
  z
    .string()
    .overwrite((text) => plainText(text, max))
    .max(max);
/** What an executor saw in the connected system, if a table can store it. */
const SystemState = recordOf(z.string(), z.unknown(), 1000)
  .refine((state) => fitsJsonb(JSON.stringify(state)), 'NUL and halves of surrogate pairs are not allowed')
  .optional()
  .catch(undefined);

/**
 * How a permit ended: once. `unresolved` may be followed by one other end; `undone` may follow `executed`; see `afterSettlement`.
 * Any program may be an executor, and a settlement that nobody can read would leave its permit open. So the other members are
 * corrected if that is possible, and otherwise left out.
 */
export const ActionSettled = z.object({
  permitId: ExecutorId,
  actionId: ExecutorId,
  proposalId: ExecutorId,
  digest: Sha256,
  executor: Name,
  connector: Name,
  outcome: z.enum(['executed', 'failed', 'refused', 'expired', 'unresolved', 'undone']),
  reason: formerly(
    formerDetail,
    z.object({
      code: ExecutorText(80),
      detail: ExecutorText(1000),
      field: ExecutorText(300).optional().catch(undefined),
    }),
  )
    .optional()
    .catch(undefined),
  /** The name of the effect in the connected system. */
  externalReference: ExecutorText(300).optional().catch(undefined),
  /**
   * What the connected system reports as spent, if it reports it: minor units of the permit's reservations. More than was reserved
   * is booked in full; less gives nothing back. A number that is too large becomes the largest exact one.
   */
  spentMinor: z.int().positive().optional().catch(largestExact),
  before: SystemState,
  after: SystemState,
  at: Instant,
});
export type ActionSettled = z.infer<typeof ActionSettled>;

/**
 * A person's statement about the outcome of a permit that is `unresolved`, and of no other. Its executor then settles the permit
 * accordingly, once. All other services learn of this end from the executor, as of every other end.
 */
export const SettlementDecided = z.object({
  decisionId: Uuid,
  permitId: Uuid,
  actionId: Uuid,
  proposalId: Uuid,
  digest: Sha256,
  executor: Name,
  connector: Name,
  outcome: z.enum(['executed', 'failed']),
  by: Name,
  note: z.string().min(1).max(1000),
  seen: Seen.optional(),
  at: Instant,
});
export type SettlementDecided = z.infer<typeof SettlementDecided>;

/** A permit that settles nothing: forged, altered, for another audience, or spent before. Recorded, never run. */
export const PermitRejected = z.object({
  permitId: z.string().max(100).optional(),
  proposalId: z.string().max(100).optional(),
  executor: Name,
  reason: Fault,
  topic: TopicName,
  partition: z.int(),
  offset: Offset,
  at: Instant,
});
export type PermitRejected = z.infer<typeof PermitRejected>;

/* Operation */

/**
 * A record that could not be handled. Its bytes stay in the service's own database; the event says where they came from and why
 * they failed. If a job failed for good, `job` names it. Then the topic is `~jobs`, which does not exist, with partition and offset
 * 0.
 */
export const DeadLetter = z.object({
  deadLetterId: Uuid,
  service: Name,
  topic: TopicName,
  partition: z.int(),
  offset: Offset,
  key: z.string().max(300).optional(),
  source: Source.optional(),
  id: SignalId.optional(),
  type: Type.optional(),
  job: z.object({ kind: z.string().max(300), id: z.string().max(2000) }).optional(),
  sha256: Sha256,
  fault: Fault,
  attempts: z.int().nonnegative(),
  at: Instant,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

/** A person's order to a service to handle one of its dead letters again. Orders of before the console took them have no note. */
export const DeadLetterReplayed = z.object({
  deadLetterId: Uuid,
  service: Name,
  by: Name,
  note: z.string().min(1).max(1000).optional(),
  seen: Seen.optional(),
  at: Instant,
});
export type DeadLetterReplayed = z.infer<typeof DeadLetterReplayed>;

/**
 * The result of such an order. `handled`: by this order or an earlier one. `scheduled`: the job runs again, and if it fails, it
 * becomes another dead letter. `failed`: the letter is still dead, for the reason in `fault`. `orderedAt` is the order's `at`.
 */
export const ReplayEnded = z.object({
  deadLetterId: Uuid,
  service: Name,
  orderedAt: Instant,
  outcome: z.enum(['handled', 'scheduled', 'failed']),
  fault: Fault.optional(),
  /** How many times it was tried so far, including replays. */
  attempts: z.int().nonnegative(),
  at: Instant,
});
export type ReplayEnded = z.infer<typeof ReplayEnded>;

/**
 * A gap: records that were deleted before a service read them. `to` is exclusive, and null if the whole topic was deleted. All
 * members except `to` identify the gap.
 */
const gap = {
  service: Name,
  topic: TopicName,
  /** The broker's id of the topic that the records were on. */
  topicId: z.string().max(100),
  partition: z.int().nonnegative(),
  from: z.int().nonnegative(),
  to: z.int().nonnegative().nullable(),
  reason: z.enum(['records-deleted', 'topic-made-again']),
};

/** A service has a gap that nobody has acknowledged. It reports the gap when it notices it, and again at each start. */
export const GapReported = z.object({ ...gap, noticedAt: Instant, at: Instant });
export type GapReported = z.infer<typeof GapReported>;

/** A person's statement that a gap of a service is known. This restores no record; the service stops reporting the gap. */
export const GapAcknowledged = z.object({
  ...gap,
  by: Name,
  note: z.string().min(1).max(1000),
  seen: Seen.optional(),
  at: Instant,
});
export type GapAcknowledged = z.infer<typeof GapAcknowledged>;

/**
 * The result of such an acknowledgement. `closed`: the service does not report the gap any more. `not-open`: the service has no
 * such gap, or it was closed before. `acknowledgedAt` is the acknowledgement's `at`.
 */
export const AcknowledgementEnded = z.object({
  ...gap,
  acknowledgedAt: Instant,
  outcome: z.enum(['closed', 'not-open']),
  at: Instant,
});
export type AcknowledgementEnded = z.infer<typeof AcknowledgementEnded>;

/**
 * An operator signed a person out of the console. Every session that this person began until `at` is over, and no link made until
 * then works.
 */
export const SessionsEnded = z.object({
  person: Name,
  by: Name,
  reason: z.string().min(1).max(500),
  /** Another account at the identity provider may take the place of the one that this person signed in with until `at`. */
  newAccount: z.boolean().optional(),
  seen: Seen.optional(),
  at: Instant,
});
export type SessionsEnded = z.infer<typeof SessionsEnded>;

/** Why somebody looks at who a person is. The note beside it names the case. */
export const revealPurposes = [
  ...(['access-request', 'correction-request', 'erasure-request'] as const),
  ...(['complaint', 'incident', 'legal-duty'] as const),
] as const;
/** The fields of a person that can be looked at. */
export const revealFields = ['name', 'email', 'phone'] as const;
/** A coordinate of a point on P-256, in the form of a JWK. */
const coordinate = z.string().regex(/^[\w-]{43}$/, '32 bytes in base64url');
/** A public key that was made for one reveal (JWK, P-256). The person who asks has the private key, and only in memory. */
export const RevealKey = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate });
export type RevealKey = z.infer<typeof RevealKey>;

/** A person asks who a contact is. It is answered, once, until `expiresAt`. */
export const RevealRequested = z.object({
  revealId: Uuid,
  contactId: Uuid,
  fields: listOf(z.enum(revealFields), 10, 1),
  purpose: z.enum(revealPurposes),
  note: z.string().min(1).max(200),
  by: Name,
  seen: Seen.optional(),
  publicKey: RevealKey,
  at: Instant,
  expiresAt: Instant,
});
export type RevealRequested = z.infer<typeof RevealRequested>;

/**
 * The result: sealed for the person who asks, with the known fields, or not sealed, with the reason. It contains nothing of the
 * sealed data.
 */
export const RevealAnswered = z.object({
  revealId: Uuid,
  contactId: Uuid,
  outcome: z.enum(['sealed', 'refused']),
  fields: listOf(z.enum(revealFields), 10),
  reason: Fault.optional(),
  at: Instant,
});
export type RevealAnswered = z.infer<typeof RevealAnswered>;

/**
 * The data that was asked for, as a compact JWE (ECDH-ES over P-256, A256GCM) for the key of the request. Once the page that asked
 * is gone, nobody can open it. It has a topic of its own, because it is retained for a day and is on record only as a commitment.
 */
export const RevealSealed = z.object({ revealId: Uuid, jwe: Text(8000), expiresAt: Instant });
export type RevealSealed = z.infer<typeof RevealSealed>;
/** The content of the JWE: the known fields of those asked for, and the request that it answers, so that it fits no other request. */
export const OpenedReveal = z.object({
  revealId: Uuid,
  contactId: Uuid,
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
});
export type OpenedReveal = z.infer<typeof OpenedReveal>;

/** The purpose of reading the whole record: to store it, or to check it. */
export const recordPassUses = ['export', 'verify'] as const;

/**
 * A person asks to read the whole record, and says why. Until `expiresAt`, the audit-recorder gives it to any caller that has the
 * secret of this SHA-256. Only the page or the command that asked has the secret.
 */
export const RecordPassRequested = z.object({
  passId: Uuid,
  use: z.enum(recordPassUses),
  purpose: z.string().min(1).max(200),
  secretSha256: Sha256,
  by: Name,
  seen: Seen.optional(),
  at: Instant,
  expiresAt: Instant,
});
export type RecordPassRequested = z.infer<typeof RecordPassRequested>;

/** Checks that need logins which no service has. So a person runs them as a command. */
export const inspectionKinds = ['invariants', 'probe'] as const;

export const InspectionStarted = z.object({
  inspectionId: Uuid,
  kind: z.enum(inspectionKinds),
  by: Name,
  at: Instant,
});
export type InspectionStarted = z.infer<typeof InspectionStarted>;

/**
 * One check of an inspection: how many things it looked at, and how many of them are wrong. `detail` describes the check in plain
 * words.
 */
export const InspectionCheck = z.object({
  name: z.string().min(1).max(100),
  detail: z.string().max(300),
  checked: z.int().nonnegative(),
  findings: z.int().nonnegative(),
});
export type InspectionCheck = z.infer<typeof InspectionCheck>;
export const mostInspectionChecks = 200;

/** The result. `broken`: the command could not finish, so the result is unknown. */
export const inspectionOutcomes = ['clean', 'findings', 'broken'] as const;
export const InspectionEnded = z.object({
  inspectionId: Uuid,
  kind: z.enum(inspectionKinds),
  by: Name,
  outcome: z.enum(inspectionOutcomes),
  checks: listOf(InspectionCheck, mostInspectionChecks),
  startedAt: Instant,
  at: Instant,
});
export type InspectionEnded = z.infer<typeof InspectionEnded>;

/**
 * A service that compares controls before it decides or runs has this version of a scope in its table. From now on it uses no older
 * version. `digest` is of the control in RFC 8785 form, because another writer may have written that version.
 */
export const ControlConfirmed = z.object({ scope: ControlScope, version: z.int().positive(), digest: Sha256 });
export type ControlConfirmed = z.infer<typeof ControlConfirmed>;

/** A C2SP signed note over a tlog checkpoint. */
export const CheckpointPublished = z.object({
  origin: z.string().max(300),
  size: z.int().nonnegative(),
  rootHash: z.string().max(200),
  note: z.string().max(20_000),
  at: Instant,
});

export type SignalAccepted = z.infer<typeof SignalAccepted>;
export type SignalRejected = z.infer<typeof SignalRejected>;
export type CheckpointPublished = z.infer<typeof CheckpointPublished>;

/** Every event's data, by CloudEvents type. Types from outside are the canonical signals; the others are ours. */
export const eventSchemas = {
  SignalAccepted,
  SignalRejected,
  ProfileChanged: Profile,
  ConsentsChanged: Consents,
  ContactPointsChanged: ContactPoints,
  ControlChanged: Control,
  PolicyPublished: Policy,
  TaskAssigned,
  TaskSettled,
  TaskEscalated: formerly(formerDetail, TaskEscalated),
  TaskWithheld,
  TaskReviewSetAside,
  ActionProposed,
  ActionApproved,
  ActionRefused: formerly({ wouldBe: 'shadowOutcome' }, ActionRefused),
  ActionEscalated,
  ReviewSetAside: formerly({ why: 'reason' }, ReviewSetAside),
  ReviewDecided,
  DryRunAsked,
  DryRunJudged,
  ActionSettled,
  PermitRejected,
  SettlementDecided,
  DeadLetter,
  DeadLetterReplayed,
  ReplayEnded,
  GapReported,
  AcknowledgementEnded,
  GapAcknowledged: formerly({ why: 'reason' }, GapAcknowledged),
  SessionsEnded,
  RevealRequested,
  RevealAnswered,
  RevealSealed,
  RecordPassRequested,
  InspectionStarted,
  InspectionEnded,
  ControlConfirmed,
  CheckpointPublished,
} as const;

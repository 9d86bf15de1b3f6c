import { z } from 'zod';
import { listOf, recordOf } from './at-most.js';
import { Action } from './catalogue.js';
import { ModelUse } from './model-use.js';
import { longest, mostPeople, Tier } from './policy.js';
import {
  Currency,
  Fault,
  ForeignId,
  formerDetail,
  formerly,
  Instant,
  Minor,
  Name,
  plainText,
  Reason,
  Seniority,
  Sha256,
  Text,
  Uuid,
  Versions,
} from './primitives.js';
import { Consents, ContactPoints, Control, ControlScope, Policy, Profile } from './state.js';
import { fitsJsonb } from './text.js';

/* Signals after ingestion */

/** As the envelope bounds them. */
const Source = z.string().max(300);
const SignalId = z.string().max(300);
const Type = z.string().max(120);
/** A topic of the broker, an offset in it. */
const TopicName = z.string().max(300);
const Offset = z.string().max(40);
/** What our own sentences come to at most. */
const Sentence = z.string().max(20_000);

/** Far more contacts than a play may wait for (1000): a task names no more, see `mostContacts`. */
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
  /** 0 to 100. Freshness by the signal's own time; completeness by what its source declares that it sends. */
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
  /** What of the signal could not be read and was left out; the rest counts. */
  leftOut: listOf(Fault, 50, 1).optional(),
  /** Another contact that is the same person by the word of this signal: it was joined into `contactId`, and no effect reaches it. */
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

/** A fact that led here, in plain words, with the signal that carried it. Never a name or an address. */
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
/** One of each contact of a run, or one of each day of a window: a run names no more than `mostContacts`. */
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
  /** What the model was called for, in all tries at this answer. Absent: the agent has no model, or does not say. */
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
  deadline: Instant,
  at: Instant,
});
export type TaskEscalated = z.infer<typeof TaskEscalated>;

/* Actions */

/** What an agent considered and left, and why: its own words, as those of its rationale. */
const Alternative = z.object({ detail: Text(500), rejectedBecause: Text(500) });
const mostAlternatives = 10;

export const ActionProposed = z.object({
  /** As `proposalIdOf` derives it from author, task and `item`; the validator refuses any other one. */
  proposalId: Uuid,
  taskId: Uuid,
  /** Which of its task's proposals it is. Events of before it was asked for lack it. */
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
    /** Why the model did not answer, where rules stepped in for it. */
    fallback: z.string().max(300).optional(),
  }),
  /** Whether free text from outside had a part in it. Missing counts as untrusted. */
  lineage: z.enum(['trusted', 'untrusted']).optional(),
  proposedAt: Instant,
  madeFrom: Versions,
});
export type ActionProposed = z.infer<typeof ActionProposed>;

/** Under which policy something was judged. */
const underPolicy = z.object({ version: z.int().nonnegative(), digest: Sha256.nullable() });

/** Every rule's reason, and under which policy. `judge` on the same proposal, facts and policy gives the same again. */
export const Verdict = z.object({
  outcome: z.enum(['approved', 'refused', 'escalated']),
  /** One of each rule, and one of the review. */
  reasons: listOf(Reason, 500),
  tier: Tier.nullable(),
  policy: underPolicy,
  at: Instant,
  /** `gateVersion` of the gate that judged. Absent: nothing was judged (a deadline, an edit), or by one that did not say it yet. */
  gate: z.int().positive().optional(),
});
export type Verdict = z.infer<typeof Verdict>;

/**
 * Whether a verdict says that the id is not its author's to use, or was used before: it is about what was written under the id, and says
 * nothing of the proposal that the id belongs to.
 */
export const refusesForeignId = ({ reasons }: Pick<Verdict, 'reasons'>): boolean =>
  reasons.some(({ rule, outcome }) => rule === 'proposal-id' && outcome === 'refuse');

/** What a permit holds under a limit until the action settles: an amount of money, or a count of one. */
export const Reservation = z.object({
  /** E.g. `spend:campaign:<id>:2026-11-21`, `touch:<contact>`, `sends:<agent>`. */
  ledger: z.string().max(300),
  amount: Minor.positive(),
  currency: Currency.optional(),
});
export type Reservation = z.infer<typeof Reservation>;
/** One of each limit that an action concerns: some of its agent, account, campaign, and one of each recipient. */
const mostReservations = 1000;

/** What counts under each limit that an action concerns, without the action itself. */
const runningTotals = listOf(
  z.object({
    ledger: z.string().max(1000),
    held: Minor,
    committed: Minor,
    cap: Minor,
    currency: Currency.optional(),
  }),
  mostReservations,
);

const judged = {
  proposalId: Uuid,
  actionId: Uuid,
  taskId: Uuid,
  agent: Name,
  play: playRun,
  /** SHA-256 of the action's RFC 8785 form. */
  digest: Sha256,
  verdict: Verdict,
  /** The review that a verdict rests on. */
  review: z.object({ reviewId: Uuid, by: Name, decision: z.enum(['approve', 'edit', 'reject']) }).optional(),
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
  /** In shadow: the verdict it would have had. Nothing is reserved and nothing can run. */
  shadowOutcome: z.enum(['approved', 'refused', 'escalated']).optional(),
  /** The action that takes its place after a person's edit. */
  supersededBy: Uuid.optional(),
});
export type ActionRefused = z.infer<typeof ActionRefused>;

export const ActionEscalated = z.object({
  ...judged,
  action: Action,
  reviewers,
  deadline: Instant,
  /** What the card shows: taken from facts, not from the agent. */
  card: formerly(
    formerDetail,
    z.object({
      detail: Sentence,
      accountName: z.string().max(1000).optional(),
      /** Whom the action concerns, as a reviewer can recognise them. Never a name or an address. */
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
  /** Also its own words. Escalations of before they were told lack them. */
  alternatives: listOf(Alternative, mostAlternatives).optional(),
  evidence: EvidenceList,
});
export type ActionEscalated = z.infer<typeof ActionEscalated>;

/** An answer that had no effect: late, for another digest, second, or by somebody who may not. */
export const ReviewSetAside = z.object({
  reviewId: Uuid,
  proposalId: Uuid,
  by: Name,
  reason: Fault,
  at: Instant,
});
export type ReviewSetAside = z.infer<typeof ReviewSetAside>;

/**
 * A person asks what would be said of a proposal that waits, before they answer. The action is the one that waits, as it was shown, or under
 * another id a changed version that they still write. Nothing follows from it.
 */
export const DryRunAsked = z.object({ dryRunId: Uuid, proposalId: Uuid, action: Action, by: Name, at: Instant });
export type DryRunAsked = z.infer<typeof DryRunAsked>;

/** The verdict that it would have had at this moment. Nothing is reserved, and it may be another one later. */
export const DryRunJudged = z.object({
  dryRunId: Uuid,
  proposalId: Uuid,
  outcome: z.enum(['approved', 'refused']),
  /** The rules that refuse it; none where it would be approved. */
  reasons: listOf(z.object({ rule: z.string().max(1000), detail: Sentence }), 500),
  /** Absent where the rules were not asked, since the answer itself would have no effect; and in those of before they were told. */
  policy: underPolicy.optional(),
  runningTotals: runningTotals.optional(),
  at: Instant,
});
export type DryRunJudged = z.infer<typeof DryRunJudged>;

/** Why a person rejects, for the figures of an agent; the note says it in words. */
export const rejections = ['wrong-time', 'wrong-person', 'wrong-content', 'too-much', 'not-needed', 'other'] as const;

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
  /** For how long its author had the card before them, as their page says; for nothing but figures. */
  lookedMs: z.int().nonnegative().max(604_800_000).optional(),
  at: Instant,
});
export type ReviewDecided = z.infer<typeof ReviewDecided>;

/** The claims of a permit (JWS payload, EdDSA). Times in seconds since 1970, as RFC 7519 has them. No claim is optional. */
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
  tier: Tier,
  policy: z.strictObject({
    version: z.int().positive(),
    digest: Sha256,
    /** The parts it was judged under; a change elsewhere in the bundle does not concern it. */
    parts: recordOf(z.string().max(200), Sha256, 2000),
  }),
  reservations: listOf(
    z.strictObject({ ledger: z.string().max(1000), amount: Minor, currency: Currency.optional() }),
    mostReservations,
  ),
  /** Versions of what it was judged under: `consent:<contact>` and `control:<scope>`; 0 where there was none. */
  epochs: recordOf(z.string().max(300), z.int().nonnegative(), 5000),
});
export type PermitClaims = z.infer<typeof PermitClaims>;

/** The largest exact number in place of a larger one; of anything else nothing. */
const largestExact = (bound: { readonly value?: unknown } | undefined): number | undefined =>
  typeof bound?.value === 'number' && bound.value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : undefined;
/** An id as an executor writes it back. Some programs write every UUID in capitals; everybody here compares them as text. */
const ExecutorId = Uuid.overwrite((id) => id.toLowerCase());
/** A text that an executor tells, as one plain line; see `plainText`. */
const ExecutorText = (max: number) =>
  z
    .string()
    .overwrite((text) => plainText(text, max))
    .max(max);
/** What an executor saw in the connected system, where a table can hold it. */
const Seen = recordOf(z.string(), z.unknown(), 1000)
  .refine((seen) => fitsJsonb(JSON.stringify(seen)), 'NUL and halves of surrogate pairs are not allowed')
  .optional()
  .catch(undefined);

/**
 * How a permit ended: once. `unresolved` may be followed by one other end; `undone` may follow `executed`; see `afterSettlement`. An
 * executor may be anybody's program, and a settlement that nobody can read would leave its permit open. So what it tells beside the
 * end is put right where that is possible, and else left out.
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
  /** What the connected system calls it. */
  externalReference: ExecutorText(300).optional().catch(undefined),
  /**
   * What the connected system says was spent, where it says so: minor units of the permit's reservations. More than was reserved is
   * booked in full; less gives nothing back. More than a number holds exactly is the largest one.
   */
  spentMinor: z.int().positive().optional().catch(largestExact),
  before: Seen,
  after: Seen,
  at: Instant,
});
export type ActionSettled = z.infer<typeof ActionSettled>;

/**
 * A person's word on what became of a permit that is `unresolved`, and nothing else. Its executor settles it so, once: everybody
 * else hears of the end as of every other end, from the executor.
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
 * The bytes stay in the service's own database; the event says where they came from and why they could not be handled. Of a job
 * that failed for good `job` names it; its topic is then `~jobs`, which is none, with partition and offset 0.
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
  at: Instant,
});
export type DeadLetterReplayed = z.infer<typeof DeadLetterReplayed>;

/**
 * What came of such an order: `handled`, now or by an order before; `scheduled`: the job runs again, and if it fails it is another dead
 * letter; `failed`: the letter is as dead as it was, for the reason in `fault`. `orderedAt` is the order's `at`.
 */
export const ReplayEnded = z.object({
  deadLetterId: Uuid,
  service: Name,
  orderedAt: Instant,
  outcome: z.enum(['handled', 'scheduled', 'failed']),
  fault: Fault.optional(),
  /** How often it was tried so far, replays among them. */
  attempts: z.int().nonnegative(),
  at: Instant,
});
export type ReplayEnded = z.infer<typeof ReplayEnded>;

/**
 * A person's word that a gap of a service is known: records that were deleted before it read them. Nothing comes back by it; the
 * service stops telling of it. `to` is exclusive, and null where the whole topic is gone.
 */
export const GapAcknowledged = z.object({
  service: Name,
  topic: TopicName,
  /** The broker's id of the topic that the records were on. */
  topicId: z.string().max(100),
  partition: z.int().nonnegative(),
  from: z.int().nonnegative(),
  to: z.int().nonnegative().nullable(),
  reason: z.enum(['records-deleted', 'topic-made-again']),
  by: Name,
  note: z.string().min(1).max(1000),
  at: Instant,
});
export type GapAcknowledged = z.infer<typeof GapAcknowledged>;

/** An operator signed somebody out of the console: whatever session this person began until `at` is over, and no link made until then works. */
export const SessionsEnded = z.object({
  person: Name,
  by: Name,
  reason: z.string().min(1).max(500),
  at: Instant,
});
export type SessionsEnded = z.infer<typeof SessionsEnded>;

/** Why somebody looks at who a person is; the note beside it names the case. */
export const revealPurposes = [
  ...(['access-request', 'correction-request', 'erasure-request'] as const),
  ...(['complaint', 'incident', 'legal-duty'] as const),
] as const;
/** What of a person can be looked at. */
export const revealFields = ['name', 'email', 'phone'] as const;
/** A coordinate of a point on P-256, as a JWK has it. */
const coordinate = z.string().regex(/^[\w-]{43}$/, '32 bytes in base64url');
/** A public key that was made for one reveal (JWK, P-256). Who asks keeps the private one, and nowhere but in memory. */
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
  publicKey: RevealKey,
  at: Instant,
  expiresAt: Instant,
});
export type RevealRequested = z.infer<typeof RevealRequested>;

/** What came of it: sealed for the one who asks, with the fields that are known, or not, and why not. It holds nothing of what was sealed. */
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
 * What was asked for, as a compact JWE (ECDH-ES over P-256, A256GCM) for the key of the request. Nobody can open it once the one who
 * asked has gone. On a topic of its own, since it is kept for a day and on record as a commitment only.
 */
export const RevealSealed = z.object({ revealId: Uuid, jwe: Text(8000), expiresAt: Instant });
export type RevealSealed = z.infer<typeof RevealSealed>;
/** What the JWE holds: of the fields asked for those that are known, and what it answers, so that it fits no other request. */
export const OpenedReveal = z.object({
  revealId: Uuid,
  contactId: Uuid,
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
});
export type OpenedReveal = z.infer<typeof OpenedReveal>;

/** What somebody reads the whole record for: to keep it, or to check it. */
export const recordPassUses = ['export', 'verify'] as const;

/**
 * A person asks to read the whole record, and says why. The audit-recorder gives it, until `expiresAt`, to whoever has the secret of
 * this SHA-256: only the page or the command that asked.
 */
export const RecordPassRequested = z.object({
  passId: Uuid,
  use: z.enum(recordPassUses),
  purpose: z.string().min(1).max(200),
  secretSha256: Sha256,
  by: Name,
  at: Instant,
  expiresAt: Instant,
});
export type RecordPassRequested = z.infer<typeof RecordPassRequested>;

/** Checks that need logins which no service has, so a person runs them as a command. */
export const inspectionKinds = ['invariants', 'probe'] as const;

export const InspectionStarted = z.object({
  inspectionId: Uuid,
  kind: z.enum(inspectionKinds),
  by: Name,
  at: Instant,
});
export type InspectionStarted = z.infer<typeof InspectionStarted>;

/** One check of an inspection: how many things it looked at, and how many of them are wrong. `detail` is the check in plain words. */
export const InspectionCheck = z.object({
  name: z.string().min(1).max(100),
  detail: z.string().max(300),
  checked: z.int().nonnegative(),
  findings: z.int().nonnegative(),
});
export type InspectionCheck = z.infer<typeof InspectionCheck>;
export const mostInspectionChecks = 200;

/** What came of it. `broken`: the command could not finish, so nothing is known. */
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
 * Whoever compares controls before it decides or runs has this version of a scope in its table: nothing that it does from now on
 * goes by an older one. `digest` is of the control in RFC 8785 form, since somebody else may have written that version.
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

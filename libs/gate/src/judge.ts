import {
  answerersOf,
  defaultReviewsWaiting,
  derivedId,
  digestOf,
  mostOpenTimes,
  own,
  type PermitClaims,
  type Policy,
  type PolicyPart,
  partDigest,
  plainText,
  policyDigests,
  type Reason,
  type Reservation,
  type Verdict,
} from '@countersign/contracts';
import { effectiveTier, type TierCandidate } from './effective-tier.js';
import type { Facts, PolicyInForce, Proposal } from './facts.js';
import type { Context, Finding, Rule } from './rule.js';
import { rules as allRules } from './rules/index.js';
import { openTimesOf } from './rules/quiet-hours.js';
import { controlScopes, type Draw, type ReadAction, readAction, startOf, type Weighed, weighed } from './subject.js';
import { tierCandidates } from './tier-candidates.js';
import { gateVersion } from './version.js';

/** A verdict and its consequences. A plain JSON value. */
export interface Judgement {
  readonly verdict: Verdict;
  /** SHA-256 of the action's RFC 8785 form. */
  readonly digest: string;
  /** At the tier observe: the outcome that the verdict would have had. */
  readonly shadowOutcome?: Verdict['outcome'];
  /** Only if the outcome is approved: the claims that `seal` signs. */
  readonly claims?: PermitClaims;
  /** Only if the outcome is escalated: who may answer, and until when. */
  readonly escalation?: { readonly reviewers: readonly string[]; readonly deadline: string };
}

/**
 * The policy to judge under, or why there is none. A bundle whose digests are not those of its content is not used. Call it once
 * per version, because it hashes the whole content.
 */
export function governing(
  policy: Policy | null,
): { readonly ok: true; readonly policy: PolicyInForce } | { readonly ok: false; readonly detail: string } {
  if (!policy) return { ok: false, detail: 'no policy has been published' };
  return isWhatItAnnounces(policy)
    ? { ok: true, policy }
    : { ok: false, detail: `policy ${policy.version} is not the content that its digests announce` };
}

function isWhatItAnnounces({ digest, parts, content }: Policy): boolean {
  try {
    return digestOf(policyDigests(content)) === digestOf({ digest, parts });
  } catch {
    // A writer of the table can write anything. A value without parts has no digests of them.
    return false;
  }
}

/** A proposal that was read once, under a policy and at a time. The facts that it needs and its verdict both use this reading. */
export interface Examined extends ReadAction, Weighed {
  readonly proposal: Proposal;
  readonly policy: PolicyInForce | null;
  readonly at: string;
}

/**
 * Reads a proposal for both uses: the facts that it needs (`concerns`), and `judgeExamined`. `before` is an earlier reading of
 * its action.
 */
export function examine(
  proposal: Proposal,
  policy: PolicyInForce | null,
  at: string,
  before: ReadAction = readAction(proposal.action),
): Examined {
  if (before.action !== proposal.action) throw new TypeError('what was read is another action');
  return { ...before, ...weighed(proposal, before.read, policy, at), proposal, policy, at };
}

/**
 * Judges a proposal. Pure: the same proposal, facts, policy and time give the same judgement, also years later. It refuses by
 * default. Every rule runs and every reason is stored. A rule that throws, or returns something that is not a finding, refuses
 * under its own name. A person's review satisfies escalating reasons, never refusing ones. Never throws.
 */
export const judge = (
  proposal: Proposal,
  facts: Facts,
  policy: PolicyInForce | null,
  at: string,
  rules: readonly Rule[] = allRules,
): Judgement => judgeExamined(examine(proposal, policy, at), facts, rules);

/** `judge`, for a proposal that was examined before. */
export function judgeExamined(examined: Examined, facts: Facts, rules: readonly Rule[] = allRules): Judgement {
  const { proposal, policy, at, digest, read, charter } = examined;
  const under = { version: policy?.version ?? 0, digest: policy?.digest ?? null };
  const refusedAs = (rule: string, detail: string): Judgement => ({
    verdict: {
      outcome: 'refused',
      reasons: [{ rule, outcome: 'refuse', detail: plainText(detail, 1000) }],
      tier: null,
      policy: under,
      at,
      gate: gateVersion,
    },
    digest,
  });

  if (!read.ok) return refusedAs('shape', read.fault.detail);
  if (!policy) return refusedAs('policy', 'no policy is in force, so nothing may run');
  if (!charter) return refusedAs('charter', `${proposal.agent} has no charter`);
  if (examined.fault !== undefined)
    return refusedAs('charter', `the limits cannot be read: ${messageOf(examined.fault)}`);
  const { subject } = read;
  const { draws } = examined.concerns;

  const word = charter.kinds[subject.kind];
  let decided: TierCandidate | undefined;
  try {
    decided = word && effectiveTier(tierCandidates({ charter, kind: subject.kind, word }, facts));
  } catch (error) {
    return refusedAs('tier', `the rule failed: ${messageOf(error)}`);
  }
  const tier = decided?.tier;
  const answerers = answerersOf(charter, subject.kind);
  const route = policy.content.routes.find(
    (r) =>
      r.kinds.includes(subject.kind) &&
      (r.accounts === undefined ||
        (proposal.action.accountId !== undefined && r.accounts.includes(proposal.action.accountId))),
  );
  const context: Context = { proposal, subject, facts, policy, charter, tier, decided, answerers, draws, route, at };
  const reasons = rules.map((rule) => weigh(rule, context));
  const review = reviewReason(context, digest, reasons);
  if (review) reasons.push(review);

  const satisfied = review?.outcome === 'pass';
  const full = outcomeOf(reasons, satisfied) === 'escalated' ? reviewsReason(context) : undefined;
  if (full) reasons.push(full);
  const outcome = outcomeOf(reasons, satisfied);
  const verdict: Verdict = {
    outcome,
    reasons,
    tier: tier ?? null,
    ...(decided && { tierBy: decided.by }),
    policy: under,
    at,
    gate: gateVersion,
  };
  if (tier === 'observe') {
    return {
      verdict,
      digest,
      shadowOutcome: outcomeOf(
        reasons.filter((r) => r.rule !== 'tier'),
        satisfied,
      ),
    };
  }
  switch (outcome) {
    case 'refused':
      return { verdict, digest };
    case 'escalated':
      return {
        verdict,
        digest,
        escalation: {
          reviewers: answerers,
          deadline: new Date(Date.parse(at) + charter.reviewWithinMinutes * 60_000).toISOString(),
        },
      };
    case 'approved': {
      const claims = claimsOf(context, digest, partsOf(rules, context));
      return claims
        ? { verdict, digest, claims }
        : refusedAs('permit', 'approved without tier or route: a fault of a rule');
    }
  }
}

function weigh(rule: Rule, context: Context): Reason {
  let found: Finding | undefined;
  try {
    found = rule.weigh(context);
  } catch (error) {
    return { rule: rule.name, outcome: 'refuse', detail: `the rule failed: ${messageOf(error)}` };
  }
  if (found === undefined) {
    return { rule: rule.name, outcome: 'pass', detail: `does not concern ${context.subject.kind}` };
  }
  if (!isFinding(found)) {
    return { rule: rule.name, outcome: 'refuse', detail: 'the rule failed: it found nothing that is a verdict' };
  }
  // A rule quotes an agent's text, and its readers cannot show every character.
  const { figures, ...rest } = found;
  const shown = Object.entries(figures ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? plainText(value, 1000) : value,
  ]);
  return {
    rule: rule.name,
    ...rest,
    detail: plainText(found.detail, 1000),
    ...(figures && { figures: Object.fromEntries(shown) }),
  };
}

const isFinding = (found: unknown): found is Finding =>
  typeof found === 'object' &&
  found !== null &&
  ['pass', 'escalate', 'refuse'].includes((found as Finding).outcome) &&
  typeof (found as Finding).detail === 'string';

/** The effect of a person's answer: a `pass` satisfies the escalating reasons. */
function reviewReason(
  { facts, charter, tier, answerers }: Context,
  digest: string,
  reasons: readonly Reason[],
): Reason | undefined {
  const { review } = facts;
  if (!review) return undefined;
  const figures = { by: review.by, reviewId: review.reviewId, at: review.at };
  const not = (detail: string): Reason => ({ rule: 'review', outcome: 'escalate', detail, figures });
  if (review.decision === 'reject') return { ...not(`${review.by} rejected it`), outcome: 'refuse' };
  if (!answerers.includes(review.by))
    return not(
      tier === 'approve'
        ? `${review.by} may not sign for ${charter.agent}: ${answerers.join(' or ')} may`
        : `${review.by} is no reviewer of ${charter.agent}`,
    );
  if (review.digest !== digest) return not(`${review.by} answered about another action`);
  const answered = reasons.filter((r) => r.outcome === 'escalate').map((r) => r.rule);
  return {
    rule: 'review',
    outcome: 'pass',
    detail: `${review.by} approved exactly this action at ${review.at}${answered.length > 0 ? `, which answers ${answered.join(', ')}` : ''}`,
    figures,
  };
}

/** Whether a person can be asked: at most as many of an agent's actions may wait for a person as its charter allows. */
function reviewsReason({ facts: { counted, review }, charter }: Context): Reason | undefined {
  if (review) return undefined;
  const rule = 'reviews-waiting';
  if (!counted) return { rule, outcome: 'refuse', detail: 'the rule failed: how many wait is not among the facts' };
  const [waiting, most] = [counted.waiting, charter.limits.reviewsWaiting ?? defaultReviewsWaiting];
  const figures = { waiting, most };
  if (waiting < most)
    return { rule, outcome: 'pass', detail: `${waiting + 1} of ${most} that may wait for a person`, figures };
  const detail = `${waiting} actions of ${charter.agent} wait for a person, and ${most} may: propose it anew when some are answered or expired, or have the charter's limits.reviewsWaiting raised`;
  return { rule, outcome: 'refuse', detail, figures };
}

function outcomeOf(reasons: readonly Reason[], satisfied: boolean): Verdict['outcome'] {
  if (reasons.length === 0 || reasons.some((r) => r.outcome === 'refuse')) return 'refused';
  return reasons.some((r) => r.outcome === 'escalate') && !satisfied ? 'escalated' : 'approved';
}

/** The parts of the policy that the verdict depends on: the agent's charter, the life of a permit, and what each rule read. */
function partsOf(rules: readonly Rule[], context: Context): Record<string, string> {
  const names = new Set<PolicyPart>([`charter:${context.proposal.agent}`, 'rules.permitSeconds']);
  for (const rule of rules) for (const part of rule.parts?.(context) ?? []) names.add(part);
  return Object.fromEntries([...names].sort().map((name) => [name, partDigest(context.policy.parts, name)]));
}

function claimsOf(context: Context, digest: string, parts: Record<string, string>): PermitClaims | undefined {
  const { proposal, subject, facts, policy, tier, route, draws, at } = context;
  if (!tier || !route) return undefined;
  const now = Math.floor(Date.parse(at) / 1000);
  const nbf = startOf(subject, at);
  const exp = nbf + policy.content.rules.permitSeconds;
  // Of many short times only the first are in the permit, which is then open for less time.
  const open = openTimesOf(context, nbf, exp)?.slice(0, mostOpenTimes);
  // A rule that a test leaves out must not give a permit that can never be opened.
  if (open?.length === 0) return undefined;
  return {
    iss: '/countersign/guardrail-validator',
    aud: `${route.executor}/${route.connector}`,
    jti: derivedId('permit', proposal.proposalId, facts.review?.reviewId ?? ''),
    sub: proposal.action.actionId,
    iat: now,
    nbf,
    exp,
    proposal: proposal.proposalId,
    agent: proposal.agent,
    play: proposal.play.id,
    kind: subject.kind,
    digest,
    tier,
    policy: { version: policy.version, digest: policy.digest, parts },
    reservations: draws.map(reservationOf),
    epochs: epochsOf(context),
    ...(open && { open }),
  };
}

const reservationOf = (draw: Draw): Reservation =>
  'currency' in draw
    ? { ledger: draw.ledger, amount: draw.amount, currency: draw.currency }
    : { ledger: draw.ledger, amount: draw.amount };

function epochsOf({ proposal, subject, facts }: Context): Record<string, number> {
  const epochs: Record<string, number> = {};
  for (const scope of controlScopes(proposal.agent, proposal.play.id, proposal.action, subject)) {
    epochs[`control:${scope}`] = own(facts.controls, scope)?.version ?? 0;
  }
  for (const contact of subject.recipients) epochs[`consent:${contact}`] = own(facts.consents, contact)?.version ?? 0;
  return epochs;
}

const messageOf = (error: unknown): string => plainText(error instanceof Error ? error.message : 'unknown error', 300);

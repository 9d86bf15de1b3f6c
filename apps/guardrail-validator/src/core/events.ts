import {
  type ActionApproved,
  type ActionEscalated,
  type ActionProposed,
  type ActionRefused,
  own,
  profileKey,
  type ReviewDecided,
  type Verdict,
} from '@countersign/contracts';
import { comparable, totalIn } from '@countersign/gate';
import type { Loaded, VerdictRequest, VerdictResult } from './verdicts.js';

type Review = NonNullable<ActionApproved['review']>;

const common = (
  { proposal, author }: Pick<VerdictRequest, 'proposal' | 'author'>,
  digest: string,
  verdict: Verdict,
  review?: Review,
) => ({
  proposalId: proposal.proposalId,
  actionId: proposal.action.actionId,
  taskId: proposal.taskId,
  // Recorded under the agent that really wrote the proposal.
  agent: author,
  play: proposal.play,
  digest,
  verdict,
  ...(review && {
    review: {
      reviewId: review.reviewId,
      by: review.by,
      decision: review.decision,
      ...(review.category && { category: review.category }),
    },
  }),
});

/** The approval with its permit. Throws if the result is not an approval: that is a bug in the code. */
export function approvedEvent(request: VerdictRequest, { judgement }: VerdictResult, permit: string): ActionApproved {
  const { claims, digest, verdict } = judgement;
  if (!claims) throw new TypeError('only an approval has a permit');
  const [executor = '', connector = ''] = claims.aud.split('/');
  return {
    ...common(request, digest, verdict, request.review),
    action: request.proposal.action,
    permit,
    permitId: claims.jti,
    executor,
    connector,
    notBefore: new Date(claims.nbf * 1000).toISOString(),
    expiresAt: new Date(claims.exp * 1000).toISOString(),
    reservations: claims.reservations,
  };
}

export function refusedEvent(
  request: VerdictRequest,
  digest: string,
  verdict: Verdict,
  more: Pick<ActionRefused, 'shadowOutcome' | 'supersededBy'> = {},
): ActionRefused {
  return {
    ...common(request, digest, verdict, request.review),
    kind: request.proposal.action.kind,
    action: request.proposal.action,
    ...more,
  };
}

/** What a person sees: facts only, with the agent's own words apart and marked as such. */
export function escalatedEvent(
  request: VerdictRequest,
  { judgement, facts, prepared }: VerdictResult,
  loaded: Loaded,
): ActionEscalated {
  const { proposal } = request;
  const { read } = prepared.examined;
  const { escalation, digest, verdict } = judgement;
  if (!escalation || !read.ok) throw new TypeError('only an escalation has a card');
  const { spec, payload, contacts, spend: money } = read.subject;
  const nameOf = (accountId: string | undefined): string | undefined => {
    const account = accountId === undefined ? null : loaded.profiles.get(profileKey.account(accountId))?.data;
    return account?.kind === 'account' ? account.name : undefined;
  };
  const account = nameOf(proposal.action.accountId);
  return {
    ...common(request, digest, verdict),
    action: proposal.action,
    reviewers: [...escalation.reviewers],
    deadline: escalation.deadline,
    card: {
      detail: spec.detail(payload),
      ...(account !== undefined && { accountName: account }),
      people: contacts.map((contactId) => {
        const profile = loaded.profiles.get(profileKey.contact(contactId))?.data;
        const { jobFunction, accountId } = profile?.kind === 'contact' ? profile : {};
        const accountName = nameOf(accountId);
        return {
          contactId,
          seniority: own(facts.contacts, contactId)?.seniority ?? 'unknown',
          ...(jobFunction !== undefined && { jobFunction }),
          ...(accountName !== undefined && { accountName }),
        };
      }),
      ...(money && { money: { amountMinor: money.amountMinor, currency: money.currency } }),
      runningTotals: runningTotals({ facts, prepared }),
      ...changed(facts, spec.adAccountId(payload), spec.campaignIds(payload), loaded),
      reversible: spec.reversibility.reversible
        ? `can be taken back by ${spec.reversibility.by} within ${spec.reversibility.withinHours} hours`
        : `cannot be taken back: ${spec.reversibility.because}`,
    },
    rationale: proposal.rationale,
    confidence: proposal.confidence,
    alternatives: proposal.alternatives,
    evidence: proposal.evidence,
  };
}

/** What counts under the limits that the action concerns, from the facts of its verdict. Money is in the currency of the limit. */
export const runningTotals = ({
  facts,
  prepared,
}: Pick<VerdictResult, 'facts' | 'prepared'>): ActionEscalated['card']['runningTotals'] =>
  prepared.examined.concerns.draws.flatMap((draw) => {
    const { ledger, cap } = draw;
    // It counts for a limit of another agent only.
    if (cap === null) return [];
    const found = own(facts.ledgers, ledger);
    const plain = { ledger, held: found?.held ?? 0, committed: found?.committed ?? 0, cap };
    if (!('currency' in draw)) return [plain];
    const to = prepared.examined.charter?.currency ?? draw.currency;
    const compared = { rates: facts.rates, to, at: prepared.examined.at };
    const total = found && 'currency' in found ? totalIn(found, compared) : undefined;
    const asked = comparable(draw.amount, draw.currency, compared);
    if (!asked || !total || 'foreign' in total) return [{ ...plain, currency: draw.currency }];
    const { held, committed } = total;
    return [{ ledger, held, committed, cap, currency: to, ...(draw.currency !== to && { asked: asked.minor }) }];
  });

/** The campaigns that the action changes, from the facts of its verdict. */
function changed(
  { adAccounts }: VerdictResult['facts'],
  adAccountId: string | undefined,
  campaignIds: readonly string[],
  loaded: Loaded,
): Pick<ActionEscalated['card'], 'campaigns'> {
  const account = adAccountId === undefined ? undefined : own(adAccounts, adAccountId);
  if (adAccountId === undefined || !account) return {};
  const campaigns = campaignIds.flatMap((campaignId) => {
    const fact = own(account.campaigns, campaignId);
    if (!fact) return [];
    const profile = loaded.profiles.get(profileKey.campaign(adAccountId, campaignId))?.data;
    const { dailyBudgetMinor, bidMinor } = fact;
    return [
      {
        campaignId,
        ...(profile?.kind === 'campaign' && profile.name !== undefined && { name: profile.name }),
        ...(dailyBudgetMinor !== undefined && { dailyBudgetMinor }),
        ...(bidMinor !== undefined && { bidMinor }),
        currency: account.currency,
      },
    ];
  });
  return campaigns.length === 0 ? {} : { campaigns };
}

/** A verdict that does not come from the rules: an edit replaced the action, a deadline passed, an id was used twice. */
export const refusedBecause = (
  rule: string,
  detail: string,
  under: Pick<Verdict, 'tier' | 'policy'>,
  at: string,
): Verdict => ({ outcome: 'refused', reasons: [{ rule, outcome: 'refuse', detail }], ...under, at });

/** The proposal that a person's edit makes: the same except for the action. */
export const edited = (proposal: ActionProposed, action: NonNullable<ReviewDecided['action']>): ActionProposed => ({
  ...proposal,
  action,
});

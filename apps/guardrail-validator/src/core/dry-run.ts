import {
  type DryRunAsked,
  type DryRunJudged,
  digestOf,
  type ReviewDecided,
  type Verdict,
} from '@countersign/contracts';
import type { Answer, Escalation } from './answer.js';

/** Nobody waits longer for a dry run. After a pause, older ones are not judged. */
const waitedMs = 30_000;
export const isForgotten = (askedAt: string, at: string): boolean => Date.parse(at) - Date.parse(askedAt) > waitedMs;

/** The answer that is tried. For the action that waits it is an approval, bound to what was shown. For another action it is an edit. */
export function triedAnswer(
  { dryRunId, proposalId, action, by, at }: DryRunAsked,
  waits: Pick<Escalation, 'digest' | 'proposal'> | undefined,
): ReviewDecided {
  const common = { reviewId: dryRunId, subject: { kind: 'proposal' as const, id: proposalId }, by, at };
  return waits?.proposal.action.actionId === action.actionId
    ? { ...common, decision: 'approve', digest: digestOf(action) }
    : { ...common, decision: 'edit', digest: waits?.digest ?? '', action };
}

/** The verdict that an answer would get, with the rules that refuse it. */
export function dryVerdict(answer: Answer, verdict: Verdict | undefined): Pick<DryRunJudged, 'outcome' | 'reasons'> {
  if (answer.kind === 'set-aside')
    return { outcome: 'refused', reasons: [{ rule: answer.reason.code, detail: answer.reason.detail }] };
  if (verdict?.outcome === 'approved') return { outcome: 'approved', reasons: [] };
  // A rule that leaves the decision to a person is answered by the author of the answer.
  const against = verdict?.reasons.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'escalate') ?? [];
  return { outcome: 'refused', reasons: against.map(({ rule, detail }) => ({ rule, detail })) };
}

import type { DryRunJudged, Verdict } from '@countersign/contracts';
import type { Answer } from './answer.js';

/** Nobody waits longer for a dry run. After a pause, older ones are not judged. */
const waitedMs = 30_000;
export const isForgotten = (askedAt: string, at: string): boolean => Date.parse(at) - Date.parse(askedAt) > waitedMs;

/** The verdict that an edit would get, with the rules that refuse it. */
export function dryVerdict(answer: Answer, verdict: Verdict | undefined): Pick<DryRunJudged, 'outcome' | 'reasons'> {
  if (answer.kind === 'set-aside')
    return { outcome: 'refused', reasons: [{ rule: answer.reason.code, detail: answer.reason.detail }] };
  if (verdict?.outcome === 'approved') return { outcome: 'approved', reasons: [] };
  // A rule that leaves the decision to a person is answered by the author of the edit.
  const against = verdict?.reasons.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'escalate') ?? [];
  return { outcome: 'refused', reasons: against.map(({ rule, detail }) => ({ rule, detail })) };
}

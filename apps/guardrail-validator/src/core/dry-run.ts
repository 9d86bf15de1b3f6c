import type { DryRunJudged, Verdict } from '@countersign/contracts';
import type { Answer } from './answer.js';

/** Nobody waits longer for a dry run: after a pause, those of before are not judged. */
const waitedMs = 30_000;
export const isForgotten = (askedAt: string, at: string): boolean => Date.parse(at) - Date.parse(askedAt) > waitedMs;

/** What would become of an edit, with the rules that refuse it. */
export function dryVerdict(answer: Answer, verdict: Verdict | undefined): Pick<DryRunJudged, 'outcome' | 'reasons'> {
  if (answer.kind === 'set-aside')
    return { outcome: 'refused', reasons: [{ rule: answer.reason.code, detail: answer.reason.detail }] };
  if (verdict?.outcome === 'approved') return { outcome: 'approved', reasons: [] };
  // What a rule leaves to a person, the author of the edit has answered with it.
  const against = verdict?.reasons.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'escalate') ?? [];
  return { outcome: 'refused', reasons: against.map(({ rule, detail }) => ({ rule, detail })) };
}

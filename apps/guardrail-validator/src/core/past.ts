import {
  type ActionApproved,
  type ActionEscalated,
  type ActionRefused,
  refusesForeignId,
} from '@countersign/contracts';
import type { Escalation } from './answer.js';

/** A verdict as it was published. */
export type PublishedVerdict =
  | { readonly type: 'ActionApproved'; readonly data: ActionApproved }
  | { readonly type: 'ActionRefused'; readonly data: ActionRefused }
  | { readonly type: 'ActionEscalated'; readonly data: ActionEscalated };

const verdicts: readonly string[] = [
  'ActionApproved',
  'ActionRefused',
  'ActionEscalated',
] satisfies PublishedVerdict['type'][];

/** The verdicts among the events that this service published. */
export const verdictsOf = (
  events: readonly { readonly type: string; readonly data: unknown }[],
): readonly PublishedVerdict[] =>
  events.filter(({ type }) => verdicts.includes(type)) as unknown as readonly PublishedVerdict[];

/** How the escalation of a proposal had ended, by its published verdicts; undefined if it waits. */
export function publishedEnd(
  published: readonly PublishedVerdict[],
): { state: Escalation['state']; by: string | null } | undefined {
  let end: { state: Escalation['state']; by: string | null } | undefined;
  for (const { type, data } of published) {
    if (type === 'ActionEscalated') continue;
    // An edit closes the action that it replaces, whatever the result of the new one is.
    const by = data.review?.by ?? null;
    if (end?.state === 'superseded') {
      end = { ...end, by: end.by ?? by };
      continue;
    }
    if (type === 'ActionApproved') end = { state: data.review?.decision === 'edit' ? 'superseded' : 'approved', by };
    else if (data.supersededBy !== undefined) end = { state: 'superseded', by };
    else if (data.verdict.reasons.some(({ rule }) => rule === 'review-deadline')) end = { state: 'expired', by };
    else if (refusesForeignId(data.verdict)) continue;
    else end = { state: 'refused', by };
  }
  return end;
}

/** How long these verdicts let a person answer: the escalation's deadline, or no time if the escalation has ended. */
export const waitsUntil = (published: readonly PublishedVerdict[]): string =>
  publishedEnd(published)
    ? ''
    : (published.flatMap((verdict) => (verdict.type === 'ActionEscalated' ? [verdict.data.deadline] : [])).at(-1) ??
      '');

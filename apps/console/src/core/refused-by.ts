import { stopRule } from './loss.js';

/** What ended a refused action: it decides what a person can do next. */
export const refusers = ['stop', 'person', 'deadline', 'rule'] as const;
export type Refuser = (typeof refusers)[number];

interface Refusal {
  /** The rules of the verdict that refused it; none if its executor refused it. */
  readonly reasons: readonly { readonly rule: string }[];
  /** Whether a stop was in force; false if the rule refused because it did not know. Null: an older verdict, which does not say it. */
  readonly stopped: boolean | null;
  /** Why its executor refused it, as a word for programs. */
  readonly code: string | null;
}

export function refusedBy({ reasons, stopped, code }: Refusal): Refuser {
  const by = (name: string): boolean => reasons.some(({ rule }) => rule === name);
  if (code === 'stopped' || (by(stopRule) && stopped !== false)) return 'stop';
  if (by('review')) return 'person';
  return by('review-deadline') ? 'deadline' : 'rule';
}

interface Reason {
  readonly rule: string;
  readonly outcome: string;
  readonly figures?: Readonly<Record<string, unknown>> | undefined;
}

/** Whether a verdict refused because of a stop in force. Of a scope whose state is not known, the rule has no version. */
export const isStopped = (reasons: readonly Reason[]): boolean =>
  reasons.some(
    ({ rule, outcome, figures }) =>
      rule === stopRule && outcome === 'refuse' && (figures === undefined || 'version' in figures),
  );

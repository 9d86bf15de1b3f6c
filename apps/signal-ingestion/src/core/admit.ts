import { type AdmissionCode, type Fault, own, roughly } from '@countersign/contracts';
import { concernsConsent, consentFacts, protects } from './consents.js';
import type { Signal } from './signal.js';

/** The limits for the age and the completeness of a signal. */
export interface AdmissionLimits {
  /** Older signals build profiles and trigger no play. */
  readonly freshnessDays: number;
  /** A signal with a lower score is rejected, 0 to 100. */
  readonly minimumScore: number;
}

/** How far the clock of a source may be ahead before a signal counts as dated in the future. */
export const clockToleranceMs = 5 * 60_000;

export interface Quality {
  readonly score: number;
  readonly freshness: number;
  readonly completeness: number;
}

export type Admission =
  | { readonly ok: true; readonly occurredAt: string; readonly triggers: boolean; readonly quality: Quality }
  | { readonly ok: false; readonly fault: Fault };

/**
 * Whether a signal may build profiles, and whether it may trigger a play: by its time, and by how many of the members it has that
 * its source `declared`.
 */
export function admit(
  signal: Signal,
  at: string,
  limits: AdmissionLimits,
  declared: readonly string[] | undefined,
): Admission {
  const consent = consentFacts(signal);
  const ahead = Date.parse(signal.time) - Date.parse(at);
  const inFuture = ahead > clockToleranceMs;
  if (inFuture && !concernsConsent(consent)) {
    return refused('future', `time: ${roughly(ahead)} ahead of the clock here`, 'time');
  }

  // Nothing can happen after it was received: a future time would win over every later fact.
  const occurredAt = ahead > 0 ? at : signal.time;
  const quality = qualityOf(signal, occurredAt, at, limits.freshnessDays, declared);
  if (quality.score < limits.minimumScore && !protects(consent)) {
    return refused('quality', `score ${quality.score} is below ${limits.minimumScore}: ${partsOf(quality)}`);
  }
  return { ok: true, occurredAt, triggers: quality.freshness > 0 && !inFuture, quality };
}

/**
 * Freshness falls linearly from 100 at once to 0 at the limit. Completeness is the share of present members among those that the
 * source declares for the type. If nothing is declared, a signal is complete, because its required members are there; optional
 * members that a type gets later change nothing. The score weighs freshness to completeness 1 to 3, so that age alone never
 * rejects a signal.
 */
function qualityOf(
  signal: Signal,
  occurredAt: string,
  at: string,
  freshnessDays: number,
  declared: readonly string[] = [],
): Quality {
  const age = Date.parse(at) - Date.parse(occurredAt);
  const share = 1 - age / (freshnessDays * 86_400_000);
  const freshness = share <= 0 ? 0 : Math.max(1, Math.round(100 * share));
  const present = declared.filter((member) => carries(signal, member)).length;
  const completeness = declared.length === 0 ? 100 : Math.round((100 * present) / declared.length);
  return { score: Math.round((freshness + 3 * completeness) / 4), freshness, completeness };
}

/** Whether a signal has a member, by its name in `signalMembers`. */
function carries({ data }: Signal, member: string): boolean {
  const [name = '', inner] = member.split('.');
  const value = own(data as Readonly<Record<string, unknown>>, name);
  return (inner === undefined ? value : own((value ?? {}) as Readonly<Record<string, unknown>>, inner)) !== undefined;
}

const partsOf = (q: Quality): string => `freshness ${q.freshness}, completeness ${q.completeness}`;

const refused = (code: AdmissionCode, detail: string, field?: string): Admission => ({
  ok: false,
  fault: field === undefined ? { code, detail } : { code, detail, field },
});

import { type Fault, signalKinds } from '@countersign/contracts';
import { concernsConsent, consentFacts, protects } from './consents.js';
import type { Signal } from './signal.js';

/** How old and how bare a signal may be. */
export interface AdmissionLimits {
  /** Older signals build profiles and trigger no play. */
  readonly freshnessDays: number;
  /** A signal whose score is below is rejected, 0 to 100. */
  readonly minimumScore: number;
}

/** A clock may be this far ahead before a signal counts as dated in the future. */
export const clockToleranceMs = 5 * 60_000;

export interface Quality {
  readonly score: number;
  readonly freshness: number;
  readonly completeness: number;
}

export type Admission =
  | { readonly ok: true; readonly occurredAt: string; readonly triggers: boolean; readonly quality: Quality }
  | { readonly ok: false; readonly fault: Fault };

/** Whether a signal may build profiles, and whether it may trigger a play: by its time and by how much it says. */
export function admit(signal: Signal, at: string, limits: AdmissionLimits): Admission {
  const consent = consentFacts(signal);
  const ahead = Date.parse(signal.time) - Date.parse(at);
  const inFuture = ahead > clockToleranceMs;
  if (inFuture && !concernsConsent(consent)) {
    return refused('future', `time: ${Math.ceil(ahead / 60_000)} minutes ahead of the clock here`, 'time');
  }

  // Nothing has happened after it was received: a time ahead would win over every later fact.
  const occurredAt = ahead > 0 ? at : signal.time;
  const quality = qualityOf(signal, occurredAt, at, limits.freshnessDays);
  if (quality.score < limits.minimumScore && !protects(consent)) {
    return refused('quality', `score ${quality.score} is below ${limits.minimumScore}: ${said(quality)}`);
  }
  return { ok: true, occurredAt, triggers: quality.freshness > 0 && !inFuture, quality };
}

/**
 * Freshness falls in a straight line from 100 at once to 0 at the limit; completeness is the share of the members of
 * its type that a signal carries, a contact's reference and address being two. The score weighs them 1 to 3, so that age alone
 * never rejects a signal that says something.
 */
export function qualityOf(signal: Signal, occurredAt: string, at: string, freshnessDays: number): Quality {
  const age = Date.parse(at) - Date.parse(occurredAt);
  const share = 1 - age / (freshnessDays * 86_400_000);
  const freshness = share <= 0 ? 0 : Math.max(1, Math.round(100 * share));
  const { contact, ...others } = signal.data;
  const possible = Object.keys(signalKinds[signal.type].inbound.shape).length + 1;
  const present = [contact?.ref, contact?.email, ...Object.values(others)].filter((value) => value !== undefined);
  const completeness = Math.round((100 * present.length) / possible);
  return { score: Math.round((freshness + 3 * completeness) / 4), freshness, completeness };
}

const said = (q: Quality): string => `freshness ${q.freshness}, completeness ${q.completeness}`;

const refused = (code: string, says: string, field?: string): Admission => ({
  ok: false,
  fault: field === undefined ? { code, says } : { code, says, field },
});

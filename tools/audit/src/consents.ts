import type { DataOf } from '@countersign/contracts';
import { effectAt, type Facts, type Issued, isExecuted } from './facts.js';
import type { Finding, Violation } from './finding.js';

/**
 * No consent broken: no action that needs consent ran for a contact who had not given it in the version under which it was judged.
 * Nor did one run for a contact who had withdrawn it earlier than the time that a withdrawal needs to be read. The broker's clock
 * counts.
 */
export function consents(facts: Facts): Finding {
  const violations: Violation[] = [];
  let checked = 0;
  for (const permit of facts.issued.values()) {
    if (!permit.subject.consent || !isExecuted(permit)) continue;
    for (const contact of permit.subject.recipients) {
      checked += 1;
      const detail = broken(facts, permit, contact);
      if (detail)
        violations.push({ invariant: 'consents', ids: [permit.claims.jti, permit.claims.sub, contact], detail });
    }
  }
  return { checked, violations };
}

function broken(facts: Facts, permit: Issued, contact: string): string | undefined {
  const { claims, approval } = permit;
  const history = facts.consents.get(contact) ?? [];
  const judged = claims.epochs[`consent:${contact}`] ?? 0;
  const then = history.find((c) => c.version === judged);
  const status = statusOf(permit, then);
  // A disputed consent may be used only if a person says so.
  if (status !== 'granted' && !(status === 'disputed' && approval.review)) {
    return judged > 0 && !then
      ? `it was judged under version ${judged} of the consents, which is not on the topic`
      : `consent was ${status} in version ${judged}, under which it was judged`;
  }
  const ran = effectAt(facts, permit);
  const latest = Date.parse(ran) - facts.toleranceSeconds * 1000;
  // The later change counts, whatever its version: a change with a lower version was accepted all the same.
  const since = then ? Date.parse(then.changedAt) + facts.toleranceSeconds * 1000 : Number.NEGATIVE_INFINITY;
  const known = history
    .filter((c) => Date.parse(c.takenAt) < latest && (c.version > judged || Date.parse(c.changedAt) > since))
    .toSorted((a, b) => Date.parse(a.changedAt) - Date.parse(b.changedAt) || a.version - b.version)
    .at(-1);
  const later = known && statusOf(permit, known);
  return later && later !== 'granted' && later !== 'disputed'
    ? `it ran at ${ran}, and consent was ${later} since ${known.takenAt} (version ${known.version}, judged under ${judged})`
    : undefined;
}

/** The strictest entry counts. A suppression overrides all of them. */
function statusOf({ subject }: Issued, fact: DataOf<'ConsentsChanged'> | undefined): string {
  const needed = subject.consent;
  if (fact?.suppressions.some((s) => s.channel === needed?.channel)) return 'suppressed';
  const found = new Set(
    fact?.entries.filter((e) => e.purpose === needed?.purpose && e.channel === needed?.channel).map((e) => e.status),
  );
  return (['withdrawn', 'disputed', 'granted'] as const).find((s) => found.has(s)) ?? 'never given';
}

import { controlScopes } from '@countersign/gate';
import { effectAt, type Facts, isExecuted } from './facts.js';
import type { Finding, Violation } from './finding.js';

/** Stops obeyed: nothing ran after a control that concerns it had changed, for longer than a change takes to be read. By the broker's clock. */
export function stops(facts: Facts): Finding {
  const violations: Violation[] = [];
  let checked = 0;
  for (const permit of facts.issued.values()) {
    if (!isExecuted(permit)) continue;
    checked += 1;
    const { claims, approval, subject } = permit;
    const ran = effectAt(facts, permit);
    const latest = Date.parse(ran) - facts.toleranceSeconds * 1000;
    for (const scope of controlScopes(claims.agent, claims.play, approval.action, subject)) {
      const judged = claims.epochs[`control:${scope}`] ?? 0;
      const history = facts.controls.get(scope) ?? [];
      const then = history.find((c) => c.version === judged);
      // A permit from before a stop stays dead when the stop is lifted.
      // Whatever its version: one that came below was answered all the same.
      const made = then ? Date.parse(then.changedAt) : Number.POSITIVE_INFINITY;
      const change = history.find((c) => {
        if (Date.parse(c.takenAt) >= latest) return false;
        // Two times of one writer's clock.
        const since = Date.parse(c.changedAt) - made;
        return c.version > judged || (c.state === 'stopped' && since > facts.toleranceSeconds * 1000);
      });
      const detail =
        then?.state === 'stopped'
          ? `it was approved while ${scope} was stopped by ${then.by} (version ${judged})`
          : change &&
            `it ran at ${ran}, and ${scope} was stopped by ${change.by} at ${change.takenAt} (version ${change.version}, judged under ${judged})`;
      if (detail) violations.push({ invariant: 'stops', ids: [claims.jti, claims.sub], detail });
    }
  }
  return { checked, violations };
}

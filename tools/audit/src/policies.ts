import type { Policy } from '@countersign/contracts';
import { CLOCK_TOLERANCE_SECONDS, governing } from '@countersign/gate';
import { couldRun, type Facts, policyName } from './facts.js';
import type { Finding, Violation } from './finding.js';
import { verdictsIn } from './sample.js';

type Named = Pick<Policy, 'version'> & { readonly digest: string | null };

/**
 * Judged under the published policy: every verdict names a bundle that was published, every permit and escalation names one that
 * was in force at the time, and every table has what was published. A program that can write to the tables can put any bundle into
 * them, but not on the topic and the record.
 */
export function policies(facts: Facts): Finding {
  const violations: Violation[] = [];
  const violation = (ids: readonly string[], detail: string): void => {
    violations.push({ invariant: 'policies', ids, detail });
  };
  const sound = new Map([...facts.policies].map(([name, policy]) => [name, governing(policy).ok] as const));
  let unknown = 0;
  const verdicts = verdictsIn(facts.seen);
  for (const { event } of verdicts) {
    const { proposalId, verdict } = event.data;
    const permit = 'permitId' in event.data ? event.data.permitId : undefined;
    const issued = permit === undefined ? undefined : facts.issued.get(permit);
    // What no permit covers, or one that came too late, runs nothing; of the others the permit says it.
    if (permit !== undefined && !(issued && couldRun(issued))) continue;
    const under: Named = issued?.claims.policy ?? verdict.policy;
    if (under.digest === null && event.type === 'ActionRefused') continue;
    if (isForgotten(facts, under)) unknown += 1;
    else {
      const at = issued ? new Date(issued.claims.iat * 1000).toISOString() : verdict.at;
      const detail =
        unpublished(sound, under) ?? (event.type === 'ActionRefused' ? undefined : notInForce(facts, under, at));
      if (detail) violation(permit === undefined ? [proposalId] : [permit, proposalId], `it was judged ${detail}`);
    }
  }
  for (const { holder, policy } of facts.held?.policies ?? []) {
    const named: Named = policy ?? { version: 0, digest: null };
    if (isForgotten(facts, named)) unknown += 1;
    else {
      const detail =
        unpublished(sound, named) ?? (governing(policy).ok ? undefined : 'with another content than was published');
      if (detail) violation(['policies.v1', holder], `${holder} holds a policy ${detail}`);
    }
  }
  const notes = [
    ...(unknown > 0 ? [`${unknown} name an older policy, which only the record has: it could not be read`] : []),
    ...(facts.held === null ? ['the services’ tables could not be read'] : []),
  ];
  return {
    checked: verdicts.length + (facts.held?.policies.length ?? 0),
    violations,
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

/** Its topic has only the newest version; the others are on the record. */
const isForgotten = (facts: Facts, { version, digest }: Named): boolean =>
  facts.record === null &&
  !facts.publications.some((p) => p.version === version && p.digest === digest) &&
  facts.publications.some((p) => p.version > version);

/** `sound`: whether each published policy is what its digests announce, by its name. */
function unpublished(sound: ReadonlyMap<string, boolean>, { version, digest }: Named): string | undefined {
  const found = digest === null ? undefined : sound.get(policyName({ version, digest }));
  if (found === undefined)
    return `under a version ${version} of the policy that was never published (digest ${digest})`;
  return found ? undefined : `under version ${version} of the policy, which is not what its digests announce`;
}

/** A service that judges reads a new version within the tolerance. Clocks differ a little. */
function notInForce(
  { publications, toleranceSeconds }: Facts,
  { version, digest }: Named,
  at: string,
): string | undefined {
  const slack = (toleranceSeconds + CLOCK_TOLERANCE_SECONDS) * 1000;
  const judged = Date.parse(at);
  const own = publications.find((p) => p.version === version && p.digest === digest);
  if (own && judged + slack < Date.parse(own.since)) {
    return `at ${at} under version ${version} of the policy, which was published only at ${own.since}`;
  }
  const next = publications.filter((p) => p.version > version && Date.parse(p.takenAt) + slack < judged).at(0);
  return (
    next &&
    `at ${at} under version ${version} of the policy, which version ${next.version} had replaced at ${next.takenAt}`
  );
}

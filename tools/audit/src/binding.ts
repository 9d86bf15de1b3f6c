import type { Facts } from './facts.js';
import type { Finding, Violation } from './finding.js';
import { jumps } from './jumps.js';
import { type Held, placeName, type StateSeen } from './observed.js';

const named = 20;

/**
 * Every change of state comes from its writer and is in force: its version is above all earlier versions, and every service that
 * reads the topic holds what its writer holds. Readers ignore a change with a lower version, whatever its writer answered. If such
 * a change was published again with a higher version within the tolerance, it was in force in time.
 */
export function binding(facts: Facts): Finding {
  const byKey = Map.groupBy(facts.states, ({ place, key }) => `${place.topic}\u0000${key}`);
  const wrong = [...byKey.values()].flatMap((all) => voidIn(all, facts)).concat(views(facts), jumps(facts));
  const violations = wrong.slice(0, named);
  if (wrong.length > named) {
    violations.push({
      invariant: 'binding',
      ids: [],
      detail: `${wrong.length - named} more keys whose changes do not bind`,
    });
  }
  return {
    checked: facts.states.length + (facts.held?.checked ?? 0),
    violations,
    ...(facts.held === null && { note: 'the services’ tables could not be read' }),
  };
}

/** Changes of one key whose version was given out before, or is below such a version. */
function voidIn(all: readonly StateSeen[], { toleranceSeconds, at }: Facts): Violation[] {
  const contents = new Map<string, StateSeen>();
  for (const seen of all) {
    const name = `${seen.version} ${seen.sha256}`;
    if (!contents.has(name)) contents.set(name, seen);
  }
  const inTime = [...contents.values()].sort((a, b) => ms(a.changedAt) - ms(b.changedAt) || a.version - b.version);
  const tolerance = toleranceSeconds * 1000;
  const violations: Violation[] = [];
  let highest: StateSeen | undefined;
  for (const change of inTime) {
    const before = highest;
    if (!before || before.version < change.version) {
      highest = change;
      continue;
    }
    // The clocks of two instances differ a little. Finding a repeated version needs no clock.
    const earlier = before.version === change.version || ms(change.changedAt) - ms(before.changedAt) > tolerance;
    const latest = ms(change.changedAt) + tolerance;
    const raised = inTime.some((c) => c.version > before.version && ms(c.changedAt) <= latest);
    if (!earlier || raised || ms(at) <= latest) continue;
    const { place, key, version } = change;
    const detail =
      before.version === version
        ? `version ${version} of ${key} was given out twice, to different contents: whoever read the first ignores the second`
        : `version ${version} of ${key}, made at ${change.changedAt}, is below version ${before.version} of ${before.changedAt}: it is ignored`;
    violations.push({ invariant: 'binding', ids: [placeName(place), placeName(before.place)], detail });
  }
  return violations;
}

/** What the services hold, compared with each other and with the topics. */
function views({ held, states, overdue }: Facts): Violation[] {
  if (held === null) return [];
  const violations = held.differ.flatMap((row) => {
    const detail = differs(row, overdue);
    return detail ? [{ invariant: 'binding' as const, ids: [row.topic, row.key, row.reader], detail }] : [];
  });
  const newest = new Map<string, StateSeen>();
  for (const seen of states) {
    const name = `${seen.place.topic}\u0000${seen.key}`;
    // What was published after the tables were read says nothing about them.
    if (seen.place.at < held.at && (newest.get(name)?.version ?? 0) < seen.version) newest.set(name, seen);
  }
  for (const [name, { place, key, version }] of newest) {
    const own = held.own.get(name) ?? 0;
    if (held.writers.has(place.topic) && own < version) {
      const detail = `version ${version} of ${key} is on ${place.topic}, and its writer's table has version ${own}: its next change would be ignored`;
      violations.push({ invariant: 'binding', ids: [placeName(place)], detail });
    }
  }
  return violations;
}

function differs({ reader, topic, key, holds, own, changedAt }: Held, overdue: Facts['overdue']): string | undefined {
  const what = `${key} of ${topic}`;
  if (holds > own)
    return `${reader} holds version ${holds} of ${what}, and its writer has version ${own}: changes are ignored`;
  if (holds === own) return `${reader} holds another content of version ${own} of ${what} than its writer`;
  return changedAt !== null && overdue(changedAt)
    ? `${reader} holds version ${holds} of ${what}, and its writer has had version ${own} since ${changedAt}`
    : undefined;
}

const ms = (at: string): number => Date.parse(at);

import type { Facts } from './facts.js';
import type { Violation } from './finding.js';
import { placeName, type StateSeen } from './observed.js';

/**
 * Versions of state that their writers did not give out. A writer gives out one version after the other, so each has its
 * predecessor on the topic or on the record, except versions that cannot be seen any more. If a writer found a foreign version and
 * passed over it, its own record says so: then the version below is the foreign one.
 */
export function jumps({ states, noStates, unseen, overdue }: Facts): Violation[] {
  const named = ({ place, key }: Pick<StateSeen, 'place' | 'key'>): string => `${place.topic}\u0000${key}`;
  const voids = Map.groupBy(noStates, named);
  const violations = [...Map.groupBy(states, named)].flatMap(([name, seen]) =>
    jumpsIn(seen, voids.get(name)?.map(({ version }) => version) ?? [], unseen, overdue),
  );
  const ahead = noStates.flatMap(({ place, key, version, ahead }): Violation[] => {
    const detail = `version ${version} of ${key} is above any that there can be: no reader took it, and its writer did not write it`;
    return ahead ? [{ invariant: 'binding', ids: [placeName(place)], detail }] : [];
  });
  return [...violations, ...ahead];
}

/** Of one key. */
function jumpsIn(
  seen: readonly StateSeen[],
  unread: readonly number[],
  unseen: Facts['unseen'],
  overdue: Facts['overdue'],
): Violation[] {
  const known = [...new Set([...seen.map(({ version }) => version), ...unread])].sort((a, b) => a - b);
  const all = new Set(known);
  const below = new Map(known.map((version, n) => [version, known[n - 1] ?? 0]));
  const violations = new Map<string, Violation>();
  const add = (records: readonly StateSeen[], detail: string): void => {
    const ids = records.map(({ place }) => placeName(place));
    const name = ids.join(' ');
    if (!violations.has(name)) violations.set(name, { invariant: 'binding', ids, detail });
  };
  for (const [version, records] of Map.groupBy(seen, (row) => row.version)) {
    const [first] = records;
    const last = below.get(version) ?? 0;
    const skipped = version - last - 1;
    // Two instances may publish out of order, and the record is a little late.
    if (!first || skipped <= (unseen.get(first.place.topic) ?? 0) || !overdue(first.place.at)) continue;
    add(
      records,
      `version ${version} of ${first.key} comes after version ${last}, and nobody was given the ${skipped} between: its writer did not write it`,
    );
  }
  for (const repair of seen.filter(({ aboveForeign }) => aboveForeign)) {
    const version = repair.version - 1;
    const under = seen.filter((row) => row.version === version);
    const others = under.filter(({ content }) => content !== repair.content);
    const detail = `version ${version} of ${repair.key} is not its writer's, which said its own again above it in version ${repair.version}`;
    if (under.length > 0) for (const rival of others.length > 0 ? others : under) add([rival], detail);
    else if (all.has(version)) add([repair], `${detail}; nobody can read it`);
  }
  return [...violations.values()];
}

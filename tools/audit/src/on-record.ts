import type { Facts } from './facts.js';
import type { Finding, Violation, Waiting } from './finding.js';
import { placeName } from './observed.js';

const named = 20;

/**
 * The record verifies, and it agrees with the topics: every record of a topic has its leaf, with the same bytes, and every leaf has
 * its record, as far back as the topic goes.
 */
export function onRecord(facts: Facts): Finding {
  const { record } = facts;
  if (record === null) return { checked: 0, violations: [], note: 'the record could not be read' };
  const violations: Violation[] = record.problems.map((detail) => ({ invariant: 'record', ids: [], detail }));
  if (!record.ok && violations.length === 0) {
    violations.push({ invariant: 'record', ids: [], detail: 'the record does not verify' });
  }
  const waiting: Waiting[] = [];
  const missing: string[] = [];
  const other: string[] = [];
  for (const { place, sha256 } of facts.written) {
    const name = placeName(place);
    const leaf = record.leaves.get(name);
    if (leaf === undefined) {
      if (facts.overdue(place.at)) missing.push(name);
      else waiting.push({ what: 'record', id: name, for: 'audit-recorder', since: place.at, until: null });
    } else if (leaf !== null && leaf !== sha256) other.push(name);
  }
  const written = new Set(facts.written.map(({ place }) => placeName(place)));
  const gone = [...record.leaves.keys()].filter(
    (name) => !written.has(name) && !record.superseded.has(name) && isWithin(facts, name),
  );
  const report = (places: readonly string[], detail: string): void => {
    for (const place of places.slice(0, named)) violations.push({ invariant: 'record', ids: [place], detail });
    if (places.length > named) {
      violations.push({ invariant: 'record', ids: [], detail: `${detail}: ${places.length - named} more` });
    }
  };
  report(missing, 'it is on the topic and not on the record');
  report(gone, 'it is on the record and not on the topic, which still has that offset in its range');
  report(other, 'the record names other bytes than those on the topic');
  if (record.unconfirmedSince !== null) {
    const id = `leaves ${record.confirmed} to ${record.size - 1}`;
    if (facts.overdue(record.unconfirmedSince)) {
      violations.push({ invariant: 'record', ids: [id], detail: `unsigned since ${record.unconfirmedSince}` });
    } else
      waiting.push({
        what: 'checkpoint',
        id,
        for: 'audit-recorder',
        since: record.unconfirmedSince,
        until: null,
      });
  }
  return { checked: facts.written.length, violations, waiting };
}

/** Whether a leaf's place lies within what its partition held when it was read. */
function isWithin({ ranges }: Facts, name: string): boolean {
  const at = name.lastIndexOf('/');
  const range = ranges.get(name.slice(0, at));
  const offset = BigInt(name.slice(at + 1));
  return range !== undefined && offset >= range.low && offset < range.high;
}

import type { Facts } from './facts.js';
import type { Finding, Violation, Waiting } from './finding.js';
import { placeName } from './observed.js';

const named = 20;

/** The record verifies, and holds every record of the topics with the bytes that are there. */
export function onRecord(facts: Facts): Finding {
  const { record } = facts;
  if (record === null) return { checked: 0, violations: [], note: 'the record could not be read' };
  const violations: Violation[] = record.problems.map((says) => ({ invariant: 'record', ids: [], says }));
  if (!record.ok && violations.length === 0) {
    violations.push({ invariant: 'record', ids: [], says: 'the record does not verify' });
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
  const tell = (places: readonly string[], says: string): void => {
    for (const place of places.slice(0, named)) violations.push({ invariant: 'record', ids: [place], says });
    if (places.length > named) {
      violations.push({ invariant: 'record', ids: [], says: `${says}: ${places.length - named} more` });
    }
  };
  tell(missing, 'it is on the topic and not on the record');
  tell(other, 'the record names other bytes than those on the topic');
  if (record.unconfirmedSince !== null) {
    const id = `leaves ${record.confirmed} to ${record.size - 1}`;
    if (facts.overdue(record.unconfirmedSince)) {
      violations.push({ invariant: 'record', ids: [id], says: `unsigned since ${record.unconfirmedSince}` });
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

import { sha256 } from '@countersign/contracts';
import { placeName, type Seen, type VerdictSeen } from './observed.js';

/** What refuses without a judgement: a person's edit, a deadline, an id that was used before. */
const unjudged = new Set(['superseded', 'review-deadline', 'proposal-id']);

/** The verdicts that were judged, each once, in the order in which the broker took them. */
export function verdictsIn(seen: readonly Seen[]): readonly VerdictSeen[] {
  const found = new Map<string, VerdictSeen>();
  for (const entry of [...seen].sort((a, b) => (a.place.at < b.place.at ? -1 : 1))) {
    const { type, id, data } = entry.event;
    if (type !== 'ActionApproved' && type !== 'ActionRefused' && type !== 'ActionEscalated') continue;
    const verdict = entry as VerdictSeen;
    const { reasons } = verdict.event.data.verdict;
    if (reasons.length === 1 && unjudged.has(reasons[0]?.rule ?? '')) continue;
    const name = `${type} ${id} ${sha256(JSON.stringify(data))}`;
    if (!found.has(name)) found.set(name, verdict);
  }
  return [...found.values()];
}

/**
 * At most this many of them, evenly spread: one from each stretch of the same length. The newest verdict decides which one. So the
 * same observation gives the same sample, and nobody knows in advance which verdicts the next audit checks.
 */
export function sampleOf(verdicts: readonly VerdictSeen[], most: number | 'all'): readonly VerdictSeen[] {
  const newest = verdicts.at(-1);
  if (most === 'all' || newest === undefined || verdicts.length <= most) return verdicts;
  const seed = `${placeName(newest.place)} ${newest.place.at} ${newest.event.id}`;
  return Array.from({ length: most }, (_, n) => {
    const [from, to] = [n, n + 1].map((edge) => Math.floor((edge * verdicts.length) / most)) as [number, number];
    const pick = Number.parseInt(sha256(`${seed} ${n}`).slice(0, 8), 16) % (to - from);
    return verdicts[from + pick] as VerdictSeen;
  });
}

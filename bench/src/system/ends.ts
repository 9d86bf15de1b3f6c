import type { Bench } from '../figure.js';
import type { Chain } from './meter.js';

/** Settlements of the executor that is shipped, and the verdicts of the validator. */
export const settledTopic = 'actions.settled.action-executor.v1';
export const verdictTopics = ['actions.approved.v1', 'actions.refused.v1', 'actions.escalated.v1'] as const;

/** Reports a fault if a chain is missing, or did not end exactly once with this end. */
export function eachOnce(
  bench: Bench,
  what: string,
  ids: readonly string[],
  chains: readonly Chain[],
  end: string,
): Map<string, Chain> {
  const found = new Map(chains.map((chain) => [chain.id, chain]));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length > 0)
    bench.wrong(`${what}: ${missing.length} of ${ids.length} came to no end, ${missing[0]} first`);
  const asked = new Set(ids);
  const otherwise = chains.filter(({ id, ends }) => asked.has(id) && (ends.length !== 1 || ends[0] !== end));
  const [first] = otherwise;
  if (first) {
    bench.wrong(
      `${what}: ${otherwise.length} of ${ids.length} did not end ${end} once, ${first.id} ended ${first.ends.join(', ')}`,
    );
  }
  return found;
}

/** The same for chains that may be refused: one verdict, and one settlement if it was an approval. */
export function eachEnds(bench: Bench, what: string, ids: readonly string[], chains: readonly Chain[]): void {
  const found = new Map(chains.map((chain) => [chain.id, chain]));
  const settlements = new Set(['executed', 'refused', 'expired']);
  const otherwise = ids.filter((id) => {
    const ends = found.get(id)?.ends ?? [];
    const verdicts = ends.filter((end) => end.startsWith('Action'));
    const settled = ends.filter((end) => settlements.has(end));
    const expected = verdicts[0] === 'ActionApproved' ? 1 : 0;
    return verdicts.length !== 1 || settled.length !== expected || ends.length !== 1 + expected;
  });
  const [first] = otherwise;
  if (first !== undefined) {
    const ends = found.get(first)?.ends.join(', ') ?? 'nothing';
    bench.wrong(`${what}: ${otherwise.length} of ${ids.length} proposals did not end once, ${first} ended ${ends}`);
  }
}

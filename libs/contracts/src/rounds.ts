/**
 * The rows in rounds that have each key once, for statements that may not touch a row twice. What has a key again stands in a later
 * round; within a round, and of one key, rows keep their order.
 */
export function roundsBy<T>(rows: readonly T[], keyOf: (row: T) => string): T[][] {
  const rounds: Map<string, T>[] = [];
  const times = new Map<string, number>();
  for (const row of rows) {
    const key = keyOf(row);
    const nth = times.get(key) ?? 0;
    times.set(key, nth + 1);
    const round = rounds[nth] ?? new Map<string, T>();
    rounds[nth] = round;
    round.set(key, row);
  }
  return rounds.map((round) => [...round.values()]);
}

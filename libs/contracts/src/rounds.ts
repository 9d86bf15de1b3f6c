/**
 * The rows in rounds that contain each key once, for statements that may not touch a row twice. A row whose key occurs again is in
 * a later round. Rows stay in order within a round, and rows of one key stay in order over all rounds.
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

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** A statement that reads this many rows costs too much for one page. */
const manyRows = 2_000;

/**
 * Runs a statement, and lists the steps that handle more rows than a page may cost: a table that is read whole, an index that is
 * walked, rows that are sorted. Its tables must be filled and analysed.
 */
export async function costlyParts(
  query: (sql: string, params: readonly unknown[]) => Promise<Record<string, unknown>[]>,
  sql: string,
  params: readonly unknown[] = [],
): Promise<string[]> {
  const [row] = await query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, params);
  const [plan] = (row?.['QUERY PLAN'] ?? []) as { readonly Plan: PlanNode }[];
  if (!plan) throw new Error('the database explains nothing');
  const found: string[] = [];
  const look = (node: PlanNode): void => {
    const rows = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    if (rows > manyRows) found.push(`${node['Node Type']} ${node['Relation Name'] ?? ''}: ${rows} rows`);
    for (const part of node.Plans ?? []) look(part);
  };
  look(plan.Plan);
  return found;
}

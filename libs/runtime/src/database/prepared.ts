import type { QueryConfig } from 'pg';

const names = new Map<string, string>();
/**
 * Statements are constants of the code. If a text is built from values by mistake, the limit keeps its names from filling the
 * database's memory.
 */
const most = 500;

/**
 * Gives a statement a name, so that each connection parses it once, and plans it once if the values make no difference. At a low
 * rate events come nearly alone, and then parsing and planning are most of the cost of a transaction. A text beyond the limit
 * gets no name.
 */
export function prepared(text: string, values: readonly unknown[] = []): QueryConfig<unknown[]> {
  let name = names.get(text);
  if (name === undefined && names.size < most) {
    name = `s${names.size}`;
    names.set(text, name);
  }
  return { ...(name !== undefined && { name }), text, values: values as unknown[] };
}

import type { QueryConfig } from 'pg';

const names = new Map<string, string>();
/** Texts are constants of the code. Were one put together from values all the same, names must not fill the memory of the database. */
const most = 500;

/**
 * A statement by a name, so that each connection has it parsed once and, where the values make no difference to it, planned
 * once: events come nearly alone at a low rate, and then this is what a transaction costs. A text above the limit has no name.
 */
export function prepared(text: string, values: readonly unknown[] = []): QueryConfig<unknown[]> {
  let name = names.get(text);
  if (name === undefined && names.size < most) {
    name = `s${names.size}`;
    names.set(text, name);
  }
  return { ...(name !== undefined && { name }), text, values: values as unknown[] };
}

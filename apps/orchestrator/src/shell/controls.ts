import { type Control, topics } from '@countersign/contracts';
import type { Runtime, Tx } from '@countersign/runtime';

/** The controls of these scopes, as this service has read them. */
export async function controlsOn(runtime: Runtime, tx: Tx, scopes: readonly string[]): Promise<Map<string, Control>> {
  const rows = await runtime.state(tx, topics.controls, scopes);
  return new Map([...rows].flatMap(([scope, { data }]) => (data ? [[scope, data] as const] : [])));
}

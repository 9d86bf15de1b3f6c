import { type Deployment, type Policy, servicesOf, topology } from '@countersign/contracts';
import pg from 'pg';
import { throwIfDenied } from './denied.js';
import type { Held, HeldState } from './observed.js';

const schemaOf = (service: string): string => `"${service.replaceAll('-', '_')}"`;

/**
 * What each service holds of the state topics, compared with their writers' own tables. Each pair is read in one statement, so at
 * one moment, and a reader cannot have what its writer has not committed. Null if this command may not read the database.
 */
export async function readHeld(url: string | undefined, deployment: Deployment, at: string): Promise<HeldState | null> {
  if (url === undefined) return null;
  const services: readonly string[] = servicesOf(deployment);
  // Only topics that one of our services writes have a table of their writer.
  const topics = topology(deployment).filter(({ kind, writer }) => kind === 'state' && services.includes(writer));
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'audit' });
  try {
    await client.connect();
    const own = new Map<string, number>();
    const differ: Held[] = [];
    const policies: { holder: string; policy: Policy | null }[] = [];
    let checked = 0;
    for (const { name, writer, readers } of topics) {
      const mine = await client.query<{ key: string; version: string }>(
        `SELECT key, version FROM ${schemaOf(writer)}.published_state WHERE topic = $1`,
        [name],
      );
      for (const { key, version } of mine.rows) own.set(`${name}\u0000${key}`, Number(version));
      for (const reader of readers.filter((r) => services.includes(r))) {
        const { rows } = await client.query<{
          key: string;
          holds: string | null;
          own: string | null;
          changed_at: Date | null;
        }>(
          `SELECT key, s.version AS holds, w.version AS own, w.changed_at
           FROM (SELECT key, version, data, changed_at FROM ${schemaOf(writer)}.published_state WHERE topic = $1 AND value IS NOT NULL) w
           FULL JOIN (SELECT key, version, data FROM ${schemaOf(reader)}.followed_state WHERE topic = $1 AND version > 0) s USING (key)
           WHERE EXISTS (SELECT FROM ${schemaOf(reader)}.followed_positions WHERE topic = $1)
             AND (s.version IS DISTINCT FROM w.version OR s.data IS DISTINCT FROM w.data)`,
          [name],
        );
        checked += mine.rows.length;
        if (name === 'policies.v1') {
          const held = await client.query<{ data: Policy | null }>(
            `SELECT data FROM ${schemaOf(reader)}.followed_state WHERE topic = $1 AND data IS NOT NULL`,
            [name],
          );
          policies.push(...held.rows.map(({ data }) => ({ holder: reader, policy: data })));
        }
        differ.push(
          ...rows.map(({ key, holds, own, changed_at }) => {
            const changedAt = changed_at?.toISOString() ?? null;
            return { reader, topic: name, key, holds: Number(holds), own: Number(own), changedAt };
          }),
        );
      }
    }
    return { at, own, differ, policies, checked, writers: new Set(topics.map(({ name }) => name)) };
  } catch (error) {
    throwIfDenied(error);
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

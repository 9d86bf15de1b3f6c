import { type DataOf, keyOfProfile } from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';
import type { PersonAction } from '../core/person-actions.js';
import { compared, insert } from './rows.js';

/** Which actions name a person. An action that was judged again has its latest description. */
export function writePersonActions(tx: Tx, actions: readonly PersonAction[]): void {
  const last = new Map(actions.map((action) => [`${action.contactId} ${action.actionId}`, action]));
  const rows = [...last].sort(([a], [b]) => compared(a, b)).map(([, action]) => action);
  insert(tx, rows, {
    sql: `INSERT INTO person_actions AS p (contact_id, action_id, proposal_id, agent, play_title, kind, detail, at)
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
          ON CONFLICT (contact_id, action_id) DO UPDATE SET detail = excluded.detail, at = excluded.at WHERE p.at < excluded.at`,
    columns: [
      (a) => a.contactId,
      (a) => a.actionId,
      (a) => a.proposalId,
      (a) => a.agent,
      (a) => a.playTitle,
      (a) => a.kind,
      (a) => a.detail,
      (a) => a.at,
    ],
  });
}

/** Deletes a bounded number of actions that were judged before `before`. Returns how many. */
export async function forgetPersonActions(tx: Tx, before: string, limit: number): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    `WITH gone AS (DELETE FROM person_actions WHERE ctid IN (SELECT ctid FROM person_actions WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)
     SELECT count(*)::int AS n FROM gone`,
    [before, limit],
  );
  return row?.n ?? 0;
}

/** The highest version of each key, ordered by key: one statement may not touch a row twice. */
function latest<T extends { readonly version: number }>(all: readonly T[], keyOf: (row: T) => string): T[] {
  const found = new Map<string, T>();
  for (const row of all) if ((found.get(keyOf(row))?.version ?? 0) < row.version) found.set(keyOf(row), row);
  return [...found].sort(([a], [b]) => compared(a, b)).map(([, row]) => row);
}

/**
 * What profiles say about accounts, campaigns and contacts. Each event of a topic is read by one instance, in any order between instances: the
 * highest version stands.
 */
export function writeProfiles(tx: Tx, profiles: readonly DataOf<'ProfileChanged'>[]): void {
  const accounts = profiles.filter((profile) => profile.kind === 'account');
  insert(
    tx,
    latest(accounts, (a) => a.accountId),
    {
      sql: `INSERT INTO accounts AS a (account_id, name, tier, industry, country, version)
          SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bigint[])
          ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, tier = excluded.tier, industry = excluded.industry,
            country = excluded.country, version = excluded.version WHERE a.version < excluded.version`,
      columns: [
        (a) => a.accountId,
        (a) => a.name ?? null,
        (a) => a.tier ?? null,
        (a) => a.industry ?? null,
        (a) => a.country ?? null,
        (a) => a.version,
      ],
    },
  );
  const campaigns = profiles.filter((profile) => profile.kind === 'campaign');
  insert(tx, latest(campaigns, keyOfProfile), {
    sql: `INSERT INTO campaigns AS c (key, campaign_id, name, version)
          SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
          ON CONFLICT (key) DO UPDATE SET name = excluded.name, version = excluded.version WHERE c.version < excluded.version`,
    columns: [keyOfProfile, (c) => c.campaignId, (c) => c.name ?? null, (c) => c.version],
  });
  const contacts = profiles.filter((profile) => profile.kind === 'contact');
  insert(
    tx,
    latest(contacts, (c) => c.contactId),
    {
      sql: `INSERT INTO people AS p (contact_id, account_id, seniority, job_function, country, time_zone, reachable, first_touched_at,
            last_engaged_at, signals, joined_into, version, changed_at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[],
            $9::timestamptz[], $10::bigint[], $11::uuid[], $12::bigint[], $13::timestamptz[])
          ON CONFLICT (contact_id) DO UPDATE SET account_id = excluded.account_id, seniority = excluded.seniority,
            job_function = excluded.job_function, country = excluded.country, time_zone = excluded.time_zone, reachable = excluded.reachable,
            first_touched_at = excluded.first_touched_at, last_engaged_at = excluded.last_engaged_at, signals = excluded.signals,
            joined_into = excluded.joined_into, version = excluded.version, changed_at = excluded.changed_at
          WHERE p.version < excluded.version`,
      columns: [
        (c) => c.contactId,
        (c) => c.accountId ?? null,
        (c) => c.seniority,
        (c) => c.jobFunction ?? null,
        (c) => c.country ?? null,
        (c) => c.timeZone ?? null,
        (c) => JSON.stringify(c.reachable),
        (c) => c.firstTouchedAt ?? null,
        (c) => c.lastEngagedAt ?? null,
        (c) => c.signals,
        (c) => c.joinedInto ?? null,
        (c) => c.version,
        (c) => c.changedAt,
      ],
    },
  );
}

export function writeConsents(tx: Tx, consents: readonly DataOf<'ConsentsChanged'>[]): void {
  insert(
    tx,
    latest(consents, (c) => c.contactId),
    {
      sql: `INSERT INTO person_consents AS p (contact_id, entries, suppressions, version, changed_at)
          SELECT * FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::bigint[], $5::timestamptz[])
          ON CONFLICT (contact_id) DO UPDATE SET entries = excluded.entries, suppressions = excluded.suppressions,
            version = excluded.version, changed_at = excluded.changed_at WHERE p.version < excluded.version`,
      columns: [
        (c) => c.contactId,
        (c) => JSON.stringify(c.entries),
        (c) => JSON.stringify(c.suppressions),
        (c) => c.version,
        (c) => c.changedAt,
      ],
    },
  );
}

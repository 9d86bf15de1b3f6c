import type { System } from './installation.js';
import { accountOf } from './signals.js';

/** A person of the benchmark, as the validator knows them. */
export interface Known {
  readonly n: number;
  readonly accountId: string;
  readonly contactId: string;
  /** Versions of their account's and their own profile. */
  readonly versions: Readonly<Record<string, number>>;
}

/** Makes people known, with their consent, and waits until every service that needs them has read about them. */
export async function knowPeople(system: System, from: number, to: number): Promise<void> {
  await system.generator.ask('know', { from, to });
  const reached = `SELECT (SELECT count(*)::int FROM guardrail_validator.followed_state WHERE topic = 'consents.v1') AS validator,
     (SELECT count(*)::int FROM action_executor.followed_state WHERE topic = 'contact-points.v1') AS executor`;
  await system.until(
    `${to} people to be known`,
    async () => {
      const [row] = await system.query<{ validator: number; executor: number }>(reached);
      return row && row.validator >= to && row.executor >= to ? row : undefined;
    },
    { everyMs: 500, forMs: 600_000 },
  );
  await atRest(system);
}

/** Waits until nothing moves any more: for a second no service has published anything, nor the recorder appended. */
export async function atRest(system: System): Promise<void> {
  const moved = async (): Promise<number> => {
    const [row] = await system.query<{ size: string }>('SELECT size FROM audit_recorder.log_head');
    return Number(row?.size) + (await system.events());
  };
  let before = -1;
  await system.until(
    'everything to come to rest',
    async () => {
      const now = await moved();
      if (now === before) return true;
      before = now;
      return undefined;
    },
    { everyMs: 1_000, forMs: 600_000 },
  );
}

/** The first `count` people from the n-th on, with what a proposal about them names. */
export async function people(system: System, from: number, count: number): Promise<Known[]> {
  const rows = await system.query<{ account: string; contact: string; contact_version: string; version: string }>(
    `SELECT c.data->>'accountId' AS account, c.data->>'contactId' AS contact, c.version AS contact_version, a.version
     FROM guardrail_validator.followed_state c
     JOIN guardrail_validator.followed_state a ON a.topic = c.topic AND a.key = 'account:' || (c.data->>'accountId')
     WHERE c.topic = 'profiles.v1' AND c.key LIKE 'contact:%'`,
  );
  const byAccount = new Map(rows.map((row) => [row.account, row]));
  return Array.from({ length: count }, (_, i) => {
    const accountId = accountOf(from + i);
    const row = byAccount.get(accountId);
    if (!row) throw new Error(`${accountId} is not known to the validator`);
    return {
      n: from + i,
      accountId,
      contactId: row.contact,
      versions: {
        [`profile:account:${accountId}`]: Number(row.version),
        [`profile:contact:${row.contact}`]: Number(row.contact_version),
      },
    };
  });
}

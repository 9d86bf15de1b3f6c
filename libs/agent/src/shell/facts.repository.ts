import type { PolicyContent, Profile, TaskAssigned } from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';
import { adAccountOf, factsOf, profileKeysOf } from '../core/facts.js';

/** How many campaigns of an ad account a planner sees in addition to the task's own, in the order of their ids: as many as it can weigh. */
const mostCampaigns = 300;

/**
 * Profiles, and the parts of the policy that a planner needs. One statement reads them all at one moment. The key of a campaign
 * begins with its ad account, and no id contains a space. So one range of keys is exactly the campaigns of one ad account.
 */
const rowsOf = `
  SELECT topic, key, version, CASE topic WHEN 'policies.v1' THEN data->'content'->'sequences' ELSE data END AS data
  FROM followed_state WHERE (topic = 'profiles.v1' AND key = ANY($1)) OR (topic = 'policies.v1' AND key = 'main')
  UNION ALL
  SELECT c.topic, c.key, c.version, c.data FROM unnest($2::text[]) AS a(id) CROSS JOIN LATERAL (
    SELECT topic, key, version, data FROM followed_state
    WHERE topic = 'profiles.v1' AND key LIKE 'campaign:%'
      AND key ~>=~ ('campaign:' || a.id || ' ') AND key ~<~ ('campaign:' || a.id || '!')
    ORDER BY key USING ~<~ LIMIT ${mostCampaigns}
  ) c`;

type Row =
  | { readonly topic: 'profiles.v1'; readonly key: string; readonly version: number; readonly data: Profile | null }
  | { readonly topic: 'policies.v1'; readonly key: string; readonly data: PolicyContent['sequences'] | null };

/** Facts of tasks, or why a task cannot be planned. */
export async function readFacts(
  tx: Tx,
  tasks: readonly TaskAssigned[],
): Promise<ReadonlyMap<string, ReturnType<typeof factsOf>>> {
  if (tasks.length === 0) return new Map();
  const keys = [...new Set(tasks.flatMap(profileKeysOf))];
  const adAccounts = [...new Set(tasks.flatMap((task) => adAccountOf(task) ?? []))];
  const rows = await tx.query<Row>(rowsOf, [keys, adAccounts]);
  const profiles = new Map(rows.flatMap((row) => (row.topic === 'profiles.v1' ? [[row.key, row] as const] : [])));
  const sequences = rows.find((row) => row.topic === 'policies.v1')?.data ?? [];
  return new Map(tasks.map((task) => [task.taskId, factsOf(task, profiles, { sequences })]));
}

import type { ContactProfile } from '@countersign/contracts';
import type { Reader } from '@countersign/runtime';

/** A person whom an action concerns, without their name. */
export interface PersonNamed {
  readonly contactId: string;
  readonly seniority: ContactProfile['seniority'];
  readonly jobFunction: string | null;
  readonly accountName: string | null;
}
export interface CampaignNamed {
  readonly campaignId: string;
  readonly name: string;
}
/** What the texts about an action name by an id, as the profiles describe it now. */
export interface NamedThings {
  readonly people: readonly PersonNamed[];
  readonly campaigns: readonly CampaignNamed[];
}

/** A column: the campaigns with these keys that have a name. */
const campaignsNamed = (keys: string): string => `(
  SELECT coalesce(json_agg(json_build_object('campaignId', named.campaign_id, 'name', named.name) ORDER BY named.key), '[]')
  FROM campaigns named WHERE named.key = ANY(${keys}) AND named.name IS NOT NULL)`;

/** A column: the name of the campaign with this id in these ad accounts; null if it has none there, or several. */
export const campaignNamed = (adAccounts: string, id: string): string => `(
  SELECT min(named.name) FROM campaigns named
  WHERE named.key = ANY(ARRAY(SELECT 'campaign:' || account || ' ' || ${id} FROM unnest(${adAccounts}) account))
  HAVING count(DISTINCT named.name) = 1)`;

/** A column: the people whom a proposal concerns; at most ten. */
const peopleNamed = (proposalId: string): string => `(
  SELECT coalesce(json_agg(known), '[]') FROM (
    SELECT DISTINCT person.contact_id AS "contactId", person.seniority, person.job_function AS "jobFunction", own.name AS "accountName"
    FROM person_actions touched JOIN people person ON person.contact_id = touched.contact_id
    LEFT JOIN accounts own ON own.account_id = person.account_id
    WHERE touched.proposal_id = ${proposalId} LIMIT 10) known)`;

/** The columns `people` and `campaigns` of a list of actions: part of the statement that reads the list. */
export const thingsNamed = (row: string): string =>
  `${peopleNamed(`${row}.proposal_id`)} AS people, ${campaignsNamed(`${row}.campaign_keys`)} AS campaigns`;

/**
 * A column: the title of the play or the name of the account that a scope of a stop names, if the console knows one. An ad account has no
 * name. Part of a statement with one row for each scope.
 */
export const scopeNamed = (scope: string): string => `CASE
  WHEN ${scope} LIKE 'account:%' THEN (SELECT named.name FROM accounts named WHERE named.account_id = substr(${scope}, 9))
  WHEN ${scope} LIKE 'play:%' THEN (
    SELECT named->>'title' FROM published_state policy, json_array_elements(policy.value::json->'content'->'plays') named
    WHERE policy.topic = 'policies.v1' AND policy.key = 'main' AND policy.value IS NOT NULL AND named->>'id' = substr(${scope}, 6)
    LIMIT 1) END`;

/** The title of the play or the name of the account that a scope of a stop names; null if the console knows none. */
export async function nameOfScope(reader: Reader, scope: string): Promise<string | null> {
  const [row] = await reader.query<{ name: string | null }>(
    `SELECT ${scopeNamed('asked.scope')} AS name FROM (VALUES ($1::text)) asked(scope)`,
    [scope],
  );
  return row?.name ?? null;
}

/** The names that campaigns have now, by the keys of their profiles. A campaign without a name is left out. */
export async function campaignNames(reader: Reader, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await reader.query<{ key: string; name: string }>(
    'SELECT key, name FROM campaigns WHERE key = ANY($1) AND name IS NOT NULL',
    [[...new Set(keys)]],
  );
  return new Map(rows.map(({ key, name }) => [key, name]));
}

import { storableJson } from '@countersign/contracts';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The names of campaigns that this database already has: on the cards of actions that were escalated before the console kept names. What
 * profiles say is newer, so a name of a card has the lowest version. An action that was stored without the keys of its campaigns gets them
 * from its card, or from its spend. Names that no card has come with the next report of their campaign.
 */
export class KnownCampaigns1764600000971 implements MigrationInterface {
  name = 'KnownCampaigns1764600000971';

  async up(db: QueryRunner): Promise<void> {
    // Postgres stores these in json, and cannot read a member of such a row.
    const unreadable: { id: string; card: string }[] = await db.query(
      String.raw`SELECT action_id AS id, card::text AS card FROM escalations WHERE card::text ~ '\\u(0000|d[89a-f])'`,
    );
    for (const { id, card } of unreadable)
      await db.query('UPDATE escalations SET card = $2 WHERE action_id = $1', [id, storableJson(JSON.parse(card))]);
    await db.query(`
      INSERT INTO campaigns (key, campaign_id, name, version)
      SELECT DISTINCT ON (key) key, campaign_id, name, 0 FROM (${onCards}) shown
      WHERE name IS NOT NULL ORDER BY key, escalated_at DESC
      ON CONFLICT (key) DO NOTHING`);
    for (const [table, own, card] of [
      ['stories', 'proposal_id', 'subject_id'],
      ['agent_actions', 'proposal_id', 'subject_id'],
      ['approvals', 'action_id', 'action_id'],
    ])
      await db.query(`
        UPDATE ${table} stored SET campaign_keys = shown.keys
        FROM (SELECT ${card} AS id, array_agg(DISTINCT key) AS keys FROM (${onCards}) each GROUP BY 1) shown
        WHERE stored.${own} = shown.id AND stored.campaign_keys IS NULL`);
    await db.query(`
      UPDATE approvals SET campaign_keys = ARRAY['campaign:' || ad_account_id || ' ' || campaign_id]
      WHERE campaign_keys IS NULL AND ad_account_id IS NOT NULL AND campaign_id IS NOT NULL`);
  }

  async down(): Promise<void> {
    // The names and the keys are right, so they stay.
  }
}

const onCards = `
  SELECT subject_id, action_id, escalated_at, campaign->>'campaignId' AS campaign_id, campaign->>'name' AS name,
    'campaign:' || (card->'action'->'payload'->>'adAccountId') || ' ' || (campaign->>'campaignId') AS key
  FROM escalations, json_array_elements(card->'card'->'campaigns') campaign
  WHERE subject_kind = 'proposal' AND card->'action'->'payload'->>'adAccountId' IS NOT NULL`;

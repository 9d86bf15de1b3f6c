import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The names of campaigns, and the keys of the campaigns that each action is about. The console has not kept either before. So a campaign
 * has its name from its next report on, and actions that were stored before keep the ids.
 */
export class CampaignNames1764600000931 implements MigrationInterface {
  name = 'CampaignNames1764600000931';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE campaigns (
        key text PRIMARY KEY,
        campaign_id text NOT NULL,
        name text,
        version bigint NOT NULL
      )`);
    await db.query('CREATE INDEX campaigns_name ON campaigns (lower(name) text_pattern_ops)');
    for (const table of tables) await db.query(`ALTER TABLE ${table} ADD COLUMN campaign_keys text[]`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of tables) await db.query(`ALTER TABLE ${table} DROP COLUMN campaign_keys`);
    await db.query('DROP TABLE campaigns');
  }
}

const tables = ['stories', 'agent_actions', 'approvals'];

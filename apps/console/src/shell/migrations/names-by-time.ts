import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The time of its story in each name, so that the stories of a name are read newest first, however many there are. */
export class NamesByTime1764600000921 implements MigrationInterface {
  name = 'NamesByTime1764600000921';

  async up(db: QueryRunner): Promise<void> {
    // A name may come before its story. Until then it is the last of its name.
    await db.query(`ALTER TABLE story_names ADD COLUMN started_at timestamptz NOT NULL DEFAULT '-infinity'`);
    await db.query('DROP INDEX story_names_name, story_names_story');
    await db.query(
      'UPDATE story_names n SET started_at = s.started_at FROM stories s WHERE s.proposal_id = n.proposal_id',
    );
    await db.query('CREATE UNIQUE INDEX story_names_story ON story_names (proposal_id, name)');
    await db.query('CREATE INDEX story_names_name ON story_names (name text_pattern_ops, started_at, proposal_id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX story_names_name, story_names_story');
    await db.query('ALTER TABLE story_names DROP COLUMN started_at');
    await db.query('CREATE UNIQUE INDEX story_names_name ON story_names (name text_pattern_ops, proposal_id)');
    await db.query('CREATE INDEX story_names_story ON story_names (proposal_id)');
  }
}

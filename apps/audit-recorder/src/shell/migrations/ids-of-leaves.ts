import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ids of a leaf move into its row, under one index that takes them in bulk; before, each id was a row of a separate table. Old leaves
 * get their ids too. Only for that, and only in this transaction, their trigger is off.
 */
export class IdsOfLeaves1763700008701 implements MigrationInterface {
  name = 'IdsOfLeaves1763700008701';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE leaves ADD ids jsonb NOT NULL DEFAULT '[]'`);
    await db.query(
      `COMMENT ON COLUMN leaves.ids IS 'array of texts: every id that somebody may ask for and that this leaf is an answer to'`,
    );
    await db.query('ALTER TABLE leaves DISABLE TRIGGER append_only');
    await db.query(`
      UPDATE leaves SET ids = old.ids
      FROM (SELECT leaf, jsonb_agg(id) AS ids FROM leaf_ids GROUP BY leaf) AS old
      WHERE index = old.leaf`);
    await db.query('ALTER TABLE leaves ENABLE TRIGGER append_only');
    await db.query('ALTER TABLE leaves ALTER ids DROP DEFAULT');
    // This operator class stores four bytes for an id, and checks the leaf for the full id. Up to this many kB of new entries wait to
    // be sorted in together, and every search reads through them.
    await db.query(
      'CREATE INDEX leaves_ids ON leaves USING gin (ids jsonb_path_ops) WITH (gin_pending_list_limit = 512)',
    );
    await db.query('DROP TABLE leaf_ids');
    // From here on no older recorder can append. Leaves that one appended after the runtime had counted its positions are kept as
    // well.
    await db.query(`
      INSERT INTO record_positions (topic, partition, next_offset)
      SELECT topic, partition, max("offset") + 1 FROM leaves GROUP BY topic, partition
      ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(record_positions.next_offset, excluded.next_offset)`);
    for (const role of await services(db)) {
      // The runtime's tables that were created after the first grants. Every table of the log can be read already.
      for (const table of await unreadable(db, role)) {
        await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted(table)} TO ${quoted(role)}`);
      }
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('CREATE TABLE leaf_ids (id text NOT NULL, leaf bigint NOT NULL, PRIMARY KEY (id, leaf))');
    await db.query('INSERT INTO leaf_ids SELECT DISTINCT jsonb_array_elements_text(ids), index FROM leaves');
    await db.query(`
      CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON leaf_ids
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`);
    for (const role of await services(db)) await db.query(`GRANT SELECT, INSERT ON leaf_ids TO ${quoted(role)}`);
    await db.query('ALTER TABLE leaves DROP COLUMN ids');
  }
}

/** The roles that append and do not own the tables. */
export async function services(db: QueryRunner): Promise<string[]> {
  const rows = (await db.query(`
    SELECT grantee AS role FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'leaves' AND privilege_type = 'INSERT' AND grantee <> current_user`)) as {
    role: string;
  }[];
  return rows.map(({ role }) => role);
}

/** Tables that a role cannot read. */
export async function unreadable(db: QueryRunner, role: string): Promise<string[]> {
  const rows = (await db.query(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND NOT has_table_privilege($1, oid, 'SELECT')`,
    [role],
  )) as { name: string }[];
  return rows.map(({ name }) => name);
}

/** A name, quoted for SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

import type { MigrationInterface, QueryRunner } from 'typeorm';

const appendOnly = ['leaves', 'leaf_ids', 'subtrees', 'checkpoints'];

/**
 * The log. Entries that were appended stay. The service's role may only insert and read (if another role owns the tables and migrates,
 * DATABASE_MIGRATION_URL), and a trigger refuses every change, also by the owner.
 */
export class RecordTables1763700008700 implements MigrationInterface {
  name = 'RecordTables1763700008700';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE leaves (
        index bigint PRIMARY KEY,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        source text,
        id text,
        sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
        leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
        kept text NOT NULL,
        bytes bytea,
        at timestamptz NOT NULL,
        UNIQUE (topic, partition, "offset")
      )`);
    await db.query(`COMMENT ON COLUMN leaves.bytes IS 'what sha256 is taken over, of the form that kept names'`);
    // The bytes of events are JSON that is rarely read and hardly shrinks row by row: compression would make every append slower.
    await db.query('ALTER TABLE leaves ALTER COLUMN bytes SET STORAGE EXTERNAL');
    await db.query(`
      CREATE TABLE leaf_ids (
        id text NOT NULL,
        leaf bigint NOT NULL,
        PRIMARY KEY (id, leaf)
      )`);
    await db.query(`
      CREATE TABLE subtrees (
        level int NOT NULL,
        index bigint NOT NULL,
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        PRIMARY KEY (level, index)
      )`);
    await db.query(`
      CREATE TABLE checkpoints (
        size bigint PRIMARY KEY,
        note text NOT NULL,
        at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE log_head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        size bigint NOT NULL,
        frontier bytea NOT NULL
      )`);
    await db.query(`INSERT INTO log_head (size, frontier) VALUES (0, '')`);

    await db.query(`
      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'the record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
          USING ERRCODE = 'insufficient_privilege';
      END $$`);
    for (const table of appendOnly) {
      await db.query(`
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`);
    }
    await grantToService(db);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE leaves, leaf_ids, subtrees, checkpoints, log_head');
    await db.query('DROP FUNCTION refuse_change');
  }
}

/** Grants the service's role the rights that it needs on tables that another role has just made. Does nothing if the roles are the same. */
async function grantToService(db: QueryRunner): Promise<void> {
  const role = serviceRole(process.env.DATABASE_URL);
  const [current] = (await db.query('SELECT current_user AS role, current_schema() AS schema')) as {
    role: string;
    schema: string;
  }[];
  if (!current || role === undefined || role === current.role) return;
  const [to, schema] = [quoted(role), quoted(current.schema)];
  await db.query(`GRANT USAGE ON SCHEMA ${schema} TO ${to}`);
  await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${to}`);
  await db.query(`REVOKE ALL ON ${appendOnly.join(', ')}, log_head FROM ${to}`);
  // The service checks whether its tables are up to date; only their owner updates them.
  await db.query(`REVOKE INSERT, UPDATE, DELETE ON migrations FROM ${to}`);
  await db.query(`GRANT SELECT, INSERT ON ${appendOnly.join(', ')} TO ${to}`);
  await db.query(`GRANT SELECT, UPDATE ON log_head TO ${to}`);
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The role that a connection string uses to log in. */
function serviceRole(url: string | undefined): string | undefined {
  const name = url && URL.canParse(url) ? decodeURIComponent(new URL(url).username) : '';
  return name === '' ? undefined : name;
}

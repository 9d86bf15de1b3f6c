import type { PolicyContent } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { readersOf } from './readers.js';

export interface PolicyVersion {
  readonly version: number;
  readonly digest: string;
  readonly by: string;
  readonly publishedAt: string;
}
interface Row extends Omit<PolicyVersion, 'publishedAt'> {
  publishedAt: Date;
}

const columns = 'version, digest, by_person AS by, published_at AS "publishedAt"';
/** The policy in force, from the topic: if it is older than the stored versions, or was taken over after a restore, it is nowhere else. */
const inForce = `
  SELECT (data->>'version')::bigint AS version, data->>'digest' AS digest, value::json->'content' AS content,
    data->>'by' AS by_person, (data->>'changedAt')::timestamptz AS published_at
  FROM published_state WHERE topic = 'policies.v1' AND key = 'main' AND value IS NOT NULL`;
const all = `(SELECT * FROM policy_versions UNION ALL SELECT * FROM (${inForce}) now
  WHERE NOT EXISTS (SELECT FROM policy_versions kept WHERE kept.version = now.version))`;

/** Every policy that was published since the console stores them: the topic has only the latest. */
@Injectable()
export class PolicyStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** Versions below a given one, the latest first. */
  async versions(below: number | undefined, limit: number): Promise<PolicyVersion[]> {
    const rows = await this.forPages.query<Row>(
      `SELECT ${columns} FROM ${all} v WHERE version < $1 ORDER BY version DESC LIMIT $2`,
      [below ?? Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.map(shown);
  }

  async version(version: number): Promise<(PolicyVersion & { readonly content: PolicyContent }) | undefined> {
    const [row] = await this.forPages.query<Row & { content: PolicyContent }>(
      `SELECT ${columns}, content FROM ${all} v WHERE version = $1`,
      [version],
    );
    return row && { ...shown(row), content: row.content };
  }

  async insertInForce(tx: Tx): Promise<void> {
    await tx.query(
      `INSERT INTO policy_versions (version, digest, content, by_person, published_at) ${inForce} ON CONFLICT DO NOTHING`,
    );
  }

  insert(tx: Tx, { version, digest, content, by, publishedAt }: PolicyVersion & { content: PolicyContent }): void {
    tx.write(
      `INSERT INTO policy_versions (version, digest, content, by_person, published_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (version) DO UPDATE SET digest = excluded.digest, content = excluded.content, by_person = excluded.by_person,
         published_at = excluded.published_at`,
      [version, digest, JSON.stringify(content), by, publishedAt],
    );
  }
}

const shown = ({ version, digest, by, publishedAt }: Row): PolicyVersion => ({
  version,
  digest,
  by,
  publishedAt: publishedAt.toISOString(),
});

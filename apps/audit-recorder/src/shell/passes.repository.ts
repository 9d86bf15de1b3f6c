import { RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { mostUses, type Pass, sha256Of } from '../core/pass.js';

/** A pass keeps its row this long after its end, so that its secret is known as used. */
const retentionMs = 86_400_000;

/** Stores passes, each secret once: a repeated event gives no further downloads. */
export function storePasses(tx: Tx, passes: readonly Pass[], at: string): void {
  if (passes.length === 0) return;
  tx.write('DELETE FROM record_passes WHERE expires_at < $1', [new Date(Date.parse(at) - retentionMs).toISOString()]);
  tx.write(
    `INSERT INTO record_passes (secret_sha256, pass_id, by_person, expires_at)
     SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[]) ON CONFLICT DO NOTHING`,
    [
      passes.map(({ secretSha256 }) => secretSha256),
      passes.map(({ passId }) => passId),
      passes.map(({ by }) => by),
      passes.map(({ expiresAt }) => expiresAt),
    ],
  );
}

@Injectable()
export class PassStore {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  /**
   * The person who asked for the pass with this secret; undefined if there is no such pass, or it is over. The lookup uses the digest, so
   * its duration reveals nothing about a secret.
   */
  async holderOf(secret: string): Promise<string | undefined> {
    const [row] = await this.runtime.readForPage<{ by_person: string }>(
      'SELECT by_person FROM record_passes WHERE secret_sha256 = $1 AND expires_at > $2',
      [sha256Of(secret), this.runtime.now()],
    );
    return row?.by_person;
  }

  /** Counts one more download. Returns false if the pass has no downloads left, or ended meanwhile. */
  use(secret: string): Promise<boolean> {
    return this.runtime.write(async (tx) => {
      const rows = await tx.query(
        'UPDATE record_passes SET uses = uses + 1 WHERE secret_sha256 = $1 AND expires_at > $2 AND uses < $3 RETURNING uses',
        [sha256Of(secret), this.runtime.now(), mostUses],
      );
      return rows.length > 0;
    });
  }
}

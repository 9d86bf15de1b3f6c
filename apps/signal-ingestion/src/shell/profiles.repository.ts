import { topics } from '@countersign/contracts';
import type { Cause, Tx, Work } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { openedPoints, opensOtherwise, type Points } from '../core/contact-points.js';
import { type Identified, identify } from '../core/identify.js';
import { Secrecy } from './secrecy.js';

/** The service's own tables: the identities of contacts, and the data needed to seal a contact's points again. */
@Injectable()
export class Store {
  constructor(@Inject(Secrecy) private readonly secrecy: Secrecy) {}

  /**
   * Finds or creates the contact of each claim, under the id that this service had `published` for it before a restore. If another
   * instance links the same identity first, that link stands, and this instance reads again. The claims that `identifies` names may join
   * contacts: a contact that has an address and no reference is joined into the contact of the reference. The joins are returned, and
   * `join` stores them.
   */
  async persons(
    tx: Tx,
    claims: readonly (readonly string[])[],
    published: readonly (string | undefined)[] = [],
    identifies: (claim: number) => boolean = () => false,
  ): Promise<Pick<Identified, 'persons' | 'joins'>> {
    const wanted = [...new Set(claims.flat())];
    if (wanted.length === 0) return { persons: claims.map(() => []), joins: new Map() };
    const fresh = claims.map((identities, i) => published[i] ?? this.secrecy.contactIdOf(identities));
    let joinable: ReadonlySet<string> | undefined;
    for (;;) {
      const rows = await tx.query<{ identity: string; contact_id: string }>(
        `SELECT i.identity, coalesce(j.into_id, i.contact_id) AS contact_id
         FROM contact_identities i LEFT JOIN contact_joins j ON j.contact_id = i.contact_id WHERE i.identity = ANY($1)`,
        [wanted],
      );
      const known = new Map(rows.map((row) => [row.identity, row.contact_id]));
      const mayJoin = (claim: number, contactId: string) => identifies(claim) && joinable?.has(contactId) === true;
      const { persons, links, joins } = identify(claims, known, fresh, mayJoin);
      const candidates = persons.flatMap(([, other], claim) =>
        other !== undefined && identifies(claim) ? [other] : [],
      );
      if (joinable === undefined && candidates.length > 0) {
        joinable = await this.withoutReference(tx, candidates);
        // The identities were read before the lock, so they are read again.
        continue;
      }
      if (await this.link(tx, links)) return { persons, joins };
    }
  }

  /** Stores that contacts were joined into others, together with the contacts that had been joined into them before. */
  async join(tx: Tx, joined: Iterable<readonly [gone: string, into: string]>): Promise<void> {
    for (const [gone, into] of joined) {
      await tx.query(
        `INSERT INTO contact_joins (contact_id, into_id)
         VALUES ($1, coalesce((SELECT into_id FROM contact_joins WHERE contact_id = $2), $2))
         ON CONFLICT (contact_id) DO NOTHING`,
        [gone, into],
      );
      await tx.query(
        `UPDATE contact_joins AS mine SET into_id = theirs.into_id FROM contact_joins AS theirs
         WHERE mine.into_id = $1 AND theirs.contact_id = $1`,
        [gone],
      );
    }
  }

  /** Those of the contacts that have no reference. Until this transaction ends, none of them gets one, and no other instance joins. */
  private async withoutReference(tx: Tx, contactIds: readonly string[]): Promise<Set<string>> {
    await tx.query('LOCK TABLE contact_identities IN SHARE ROW EXCLUSIVE MODE');
    const rows = await tx.query<{ contact_id: string }>(
      `SELECT DISTINCT coalesce(j.into_id, i.contact_id) AS contact_id
       FROM contact_identities i LEFT JOIN contact_joins j ON j.contact_id = i.contact_id
       WHERE (i.contact_id = ANY($1::uuid[]) OR j.into_id = ANY($1::uuid[])) AND i.identity LIKE 'ref:%'`,
      [contactIds],
    );
    const referred = new Set(rows.map((row) => row.contact_id));
    return new Set(contactIds.filter((id) => !referred.has(id)));
  }

  /** The rows of contacts, locked in order. Contacts without a row are absent. */
  async points(tx: Tx, contactIds: readonly string[]): Promise<Map<string, Points>> {
    if (contactIds.length === 0) return new Map();
    const rows = await tx.query<{
      contact_id: string;
      account_id: string | null;
      account_name: string | null;
      sealed: Buffer;
    }>(
      `SELECT contact_id, account_id, account_name, sealed FROM contact_points
       WHERE contact_id = ANY($1::uuid[]) ORDER BY contact_id FOR UPDATE`,
      [contactIds],
    );
    return new Map(
      rows.map((row) => [
        row.contact_id,
        {
          fields: this.secrecy.decrypt(row.contact_id, row.sealed),
          ...(row.account_id !== null && { accountId: row.account_id }),
          ...(row.account_name !== null && { accountName: row.account_name }),
        },
      ]),
    );
  }

  private savePoints(tx: Tx, points: ReadonlyMap<string, Points>): void {
    const rows = [...points].sort(([a], [b]) => (a < b ? -1 : 1));
    if (rows.length === 0) return;
    tx.write(
      `INSERT INTO contact_points (contact_id, account_id, account_name, sealed)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[])
       ON CONFLICT (contact_id) DO UPDATE
       SET account_id = excluded.account_id, account_name = excluded.account_name, sealed = excluded.sealed`,
      [
        rows.map(([contactId]) => contactId),
        rows.map(([, p]) => p.accountId ?? null),
        rows.map(([, p]) => p.accountName ?? null),
        rows.map(([contactId, p]) => this.secrecy.encrypt(contactId, p.fields)),
      ],
    );
  }

  /** At most `most` contacts of an account whose points have a name of the account other than `name`. */
  async misnamed(tx: Tx, accountId: string, name: string, most: number): Promise<readonly string[]> {
    const rows = await tx.query<{ contact_id: string }>(
      `SELECT contact_id FROM contact_points WHERE account_id = $1 AND account_name IS DISTINCT FROM $2
       ORDER BY contact_id LIMIT $3`,
      [accountId, name, most],
    );
    return rows.map((row) => row.contact_id);
  }

  /**
   * The pending jobs that give an account's name to its contacts. The result is exact if the caller holds the account: a job ends, and
   * schedules its next piece, in a transaction that holds the account too.
   */
  async renaming(tx: Tx, accountIds: readonly string[]): Promise<readonly { accountId: string; jobId: string }[]> {
    if (accountIds.length === 0) return [];
    const rows = await tx.query<{ account_id: string; id: string }>(
      `SELECT payload->>'accountId' AS account_id, id FROM pending_jobs
       WHERE kind = 'rename-account' AND payload->>'accountId' = ANY($1)`,
      [accountIds],
    );
    return rows.map((row) => ({ accountId: row.account_id, jobId: row.id }));
  }

  /** Stores changed points. Seals again and publishes those that executors would now open differently than in `before`. */
  async changePoints(
    work: Work,
    before: ReadonlyMap<string, Points>,
    changes: ReadonlyMap<string, { readonly value: Points; readonly cause: Cause }>,
  ): Promise<void> {
    this.savePoints(work.tx, new Map([...changes].map(([id, { value }]) => [id, value])));
    const opened = [...changes].flatMap(([contactId, { value, cause }]) => {
      const open = openedPoints(value);
      return open && opensOtherwise(before.get(contactId), value) ? [{ contactId, open, cause }] : [];
    });
    await work.ownState(
      topics.contactPoints,
      opened.map(({ contactId }) => contactId),
    );
    const sealed = await Promise.all(opened.map(({ open }) => this.secrecy.seal(open)));
    opened.forEach(({ contactId, cause }, i) => {
      work.putState(cause, topics.contactPoints, {
        key: contactId,
        data: { contactId, jwe: sealed[i] ?? '' },
      });
    });
  }

  /** Inserts all links or none. Returns false if another transaction has linked one of them meanwhile. */
  private async link(tx: Tx, links: ReadonlyMap<string, string>): Promise<boolean> {
    if (links.size === 0) return true;
    const rows = [...links].sort(([a], [b]) => (a < b ? -1 : 1));
    const inserted = await tx.query<{ identity: string }>(
      `INSERT INTO contact_identities (identity, contact_id)
       SELECT * FROM unnest($1::text[], $2::uuid[]) ON CONFLICT DO NOTHING RETURNING identity`,
      [rows.map(([identity]) => identity), rows.map(([, contactId]) => contactId)],
    );
    if (inserted.length === links.size) return true;
    await tx.query('DELETE FROM contact_identities WHERE identity = ANY($1)', [inserted.map((row) => row.identity)]);
    return false;
  }
}

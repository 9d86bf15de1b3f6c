import type { Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Points } from '../core/contact-points.js';
import { identify, type Persons } from '../core/identify.js';
import { Secrecy } from './secrecy.js';

/** The service's own tables: who is who, and what is needed to seal a contact's points anew. */
@Injectable()
export class Store {
  constructor(@Inject(Secrecy) private readonly secrecy: Secrecy) {}

  /**
   * Finds or begins the contact of each claim, under the id that this service had `said` of it before a restore. Another
   * instance that links the same identity first wins; this one reads again.
   */
  async persons(
    tx: Tx,
    claims: readonly (readonly string[])[],
    said: readonly (string | undefined)[] = [],
  ): Promise<readonly Persons[]> {
    const wanted = [...new Set(claims.flat())];
    if (wanted.length === 0) return claims.map(() => []);
    const fresh = claims.map((identities, i) => said[i] ?? this.secrecy.contactIdOf(identities));
    for (;;) {
      const rows = await tx.query<{ identity: string; contact_id: string }>(
        'SELECT identity, contact_id FROM contact_identities WHERE identity = ANY($1)',
        [wanted],
      );
      const known = new Map(rows.map((row) => [row.identity, row.contact_id]));
      const { persons, links } = identify(claims, known, fresh);
      if (await this.link(tx, links)) return persons;
    }
  }

  /** The rows of contacts, locked in their order. Contacts without a row are absent. */
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
          fields: this.secrecy.kept(row.contact_id, row.sealed),
          ...(row.account_id !== null && { accountId: row.account_id }),
          ...(row.account_name !== null && { accountName: row.account_name }),
        },
      ]),
    );
  }

  savePoints(tx: Tx, points: ReadonlyMap<string, Points>): void {
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
        rows.map(([contactId, p]) => this.secrecy.keep(contactId, p.fields)),
      ],
    );
  }

  /** The contacts of accounts, by account. */
  async members(tx: Tx, accountIds: readonly string[]): Promise<Map<string, string[]>> {
    if (accountIds.length === 0) return new Map();
    const rows = await tx.query<{ account_id: string; contact_ids: string[] }>(
      `SELECT account_id, array_agg(contact_id::text) AS contact_ids FROM contact_points
       WHERE account_id = ANY($1) GROUP BY account_id`,
      [accountIds],
    );
    return new Map(rows.map((row) => [row.account_id, row.contact_ids]));
  }

  /** Inserts all links or none of them; false where another transaction has linked one of them meanwhile. */
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

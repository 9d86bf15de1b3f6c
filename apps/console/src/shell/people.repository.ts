import type { Consents, ContactProfile } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Settlement, Verdict } from '../core/project.js';
import { type RoleSought, roleIn } from '../core/role-search.js';
import { touchState } from '../core/touch.js';
import { readersOf } from './readers.js';

interface PersonRow {
  contact_id: string;
  account_id: string | null;
  account_name: string | null;
  tier: number | null;
  seniority: ContactProfile['seniority'];
  job_function: string | null;
  country: string | null;
  time_zone: string | null;
  reachable: ContactProfile['reachable'];
  first_touched_at: Date | null;
  last_engaged_at: Date | null;
  signals: number;
  joined_into: string | null;
  changed_at: Date;
}

/** Where a page ends: the time and the id of its last row. */
export interface Place {
  readonly at: string;
  readonly id: string;
}

const person = `p.*, a.name AS account_name, a.tier FROM people p LEFT JOIN accounts a ON a.account_id = p.account_id`;
/** Before every place. */
const last: Place = { at: '9999-12-31T00:00:00Z', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
const before = (column: string, id: string, from: number) => `(${column}, ${id}) < ($${from}, $${from + 1})`;
/** At most this many accounts are looked at that have a name with the same beginning. A longer text finds the others. */
export const mostAccounts = 20;

/** What is known about people, without names and addresses: the console does not have these. */
@Injectable()
export class PeopleStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /**
   * People of the account with this id and of those with a name that begins with this text. If there is no such account, people with
   * the role that the text names. All people if there is no text. The latest change comes first. `incomplete`: more accounts have such
   * a name than are looked at.
   */
  async search(text: string | undefined, place: Place | undefined, limit: number) {
    const { accounts, role } = text === undefined ? {} : await this.soughtBy(text);
    const { at, id } = place ?? last;
    const values: unknown[] = [limit, at, id];
    const value = (given: unknown): string => `$${values.push(given)}`;
    const conditions = [
      ...(role ? [`seniority = ${value(role.seniority)}`] : []),
      ...(role?.jobFunction === undefined ? [] : [`lower(btrim(job_function)) = ${value(role.jobFunction)}`]),
    ];
    const latest = (...where: readonly string[]): string =>
      `SELECT * FROM people WHERE ${[...conditions, ...where, 'true'].join(' AND ')} AND ${before('changed_at', 'contact_id', 2)} ORDER BY changed_at DESC, contact_id DESC LIMIT $1`;
    const found =
      accounts === undefined
        ? latest()
        : `SELECT of_account.* FROM unnest(${value(accounts.slice(0, mostAccounts))}::text[]) AS k(account_id) CROSS JOIN LATERAL (${latest('account_id = k.account_id')}) of_account`;
    const rows = await this.forPages.query<PersonRow>(
      `SELECT p.*, a.name AS account_name, a.tier FROM (${found}) p LEFT JOIN accounts a ON a.account_id = p.account_id
       ORDER BY p.changed_at DESC, p.contact_id DESC LIMIT $1`,
      values,
    );
    return {
      people: rows.map((row) => ({ ...summary(row), changedAt: row.changed_at.toISOString() })),
      incomplete: accounts !== undefined && accounts.length > mostAccounts,
    };
  }

  /** What a text names: accounts, or else a role, perhaps of accounts. */
  private async soughtBy(text: string): Promise<{ accounts?: string[]; role?: RoleSought }> {
    const accounts = await this.accountsBy(text);
    const role = accounts.length === 0 ? roleIn(text) : undefined;
    if (!role) return { accounts };
    return role.account === undefined ? { role } : { role, accounts: await this.accountsBy(role.account) };
  }

  /** The account with this id, then those with a name that begins with this text, by their names; one more than is looked at. */
  private async accountsBy(text: string): Promise<string[]> {
    const from = text.toLowerCase();
    const rows = await this.forPages.query<{ account_id: string }>(
      `(SELECT account_id FROM accounts WHERE account_id = $1)
       UNION ALL (SELECT account_id FROM accounts WHERE lower(name) ~>=~ $2 AND lower(name) ~<~ $3 AND account_id <> $1
         ORDER BY lower(name) USING ~<~, account_id LIMIT $4)`,
      [text, from, `${from}\u{10ffff}`, mostAccounts + 1],
    );
    return rows.map(({ account_id }) => account_id);
  }

  async summaryOf(contactId: string) {
    const row = await this.row(contactId);
    return row && summary(row);
  }

  /** One person with their consents; undefined if neither topic has mentioned them. */
  async find(contactId: string) {
    const [row, [consents]] = await Promise.all([
      this.row(contactId),
      this.forPages.query<Pick<Consents, 'entries' | 'suppressions'>>(
        'SELECT entries, suppressions FROM person_consents WHERE contact_id = $1',
        [contactId],
      ),
    ]);
    if (!row && !consents) return undefined;
    return {
      ...(row ? summary(row) : { ...unknown, contactId }),
      country: row?.country ?? null,
      timeZone: row?.time_zone ?? null,
      reachable: row?.reachable ?? [],
      firstTouchedAt: row?.first_touched_at?.toISOString() ?? null,
      signals: row?.signals ?? 0,
      consents: (consents?.entries ?? []).map(({ basis, ...entry }) => ({ ...entry, basis: basis ?? null })),
      suppressions: consents?.suppressions ?? [],
    };
  }

  /** The actions that name a person, the latest first, with the result of each. */
  async actions(contactId: string, place: Place | undefined, limit: number) {
    const rows = await this.forPages.query<ActionRow>(
      `SELECT a.*, v.outcome, v.superseded_by, v.reasons, v.decided_at, s.outcome AS settled, s.detail AS settled_detail, s.settled_at
       FROM person_actions a
       LEFT JOIN verdicts v ON v.action_id = a.action_id
       LEFT JOIN settlements s ON s.action_id = a.action_id AND s.executor = v.executor AND s.approved
       WHERE a.contact_id = $2 ${place ? `AND ${before('a.at', 'a.action_id', 3)}` : ''} ORDER BY a.at DESC, a.action_id DESC LIMIT $1`,
      [limit, contactId, ...(place ? [place.at, place.id] : [])],
    );
    return rows.map(action);
  }

  private async row(contactId: string): Promise<PersonRow | undefined> {
    const [row] = await this.forPages.query<PersonRow>(`SELECT ${person} WHERE p.contact_id = $1`, [contactId]);
    return row;
  }
}

const unknown = {
  seniority: 'unknown' as const,
  jobFunction: null,
  account: null,
  lastEngagedAt: null,
  joinedInto: null,
};

const summary = (row: PersonRow) => ({
  contactId: row.contact_id,
  seniority: row.seniority,
  jobFunction: row.job_function,
  account: row.account_id === null ? null : { accountId: row.account_id, name: row.account_name, tier: row.tier },
  lastEngagedAt: row.last_engaged_at?.toISOString() ?? null,
  joinedInto: row.joined_into,
});

interface ActionRow {
  action_id: string;
  proposal_id: string;
  agent: string;
  play_title: string;
  kind: string;
  detail: string;
  at: Date;
  outcome: Verdict['outcome'] | null;
  superseded_by: string | null;
  reasons: Verdict['reasons'] | null;
  settled: Settlement['outcome'] | null;
  settled_detail: string | null;
  settled_at: Date | null;
}

const action = (row: ActionRow) => ({
  actionId: row.action_id,
  proposalId: row.proposal_id,
  agent: row.agent,
  playTitle: row.play_title,
  kind: row.kind,
  detail: row.detail,
  state: touchState({
    verdict:
      row.outcome === null
        ? undefined
        : { outcome: row.outcome, supersededBy: row.superseded_by, reasons: row.reasons ?? [] },
    settled: row.settled ?? undefined,
  }),
  reasons: (row.reasons ?? []).map(({ rule, detail }) => ({ rule, detail })),
  at: row.at.toISOString(),
  endedAt: row.settled_at?.toISOString() ?? null,
  endedBecause: row.settled_detail,
});

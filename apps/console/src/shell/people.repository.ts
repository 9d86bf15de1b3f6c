import type { Consents, ContactProfile } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Settlement, Verdict } from '../core/project.js';
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
const before = (column: string, id: string, from: number) => `(${column}, ${id}) < ($${from}, $${from + 1})`;
/** Escapes the search text, so that it does not act as a pattern. */
const prefixOf = (text: string): string => `${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;

/** What is known about people, without names and addresses: the console does not have these. */
@Injectable()
export class PeopleStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /**
   * People of the accounts with this id, or with a name that begins with this text; all people if there is no text. The latest change
   * comes first.
   */
  async search(account: string | undefined, place: Place | undefined, limit: number) {
    const ofAccount =
      account === undefined
        ? ''
        : `WHERE p.account_id IN (
             (SELECT account_id FROM accounts WHERE account_id = $${place ? 4 : 2})
             UNION (SELECT account_id FROM accounts WHERE lower(name) LIKE $${place ? 5 : 3} LIMIT 50))`;
    const after = place
      ? `${account === undefined ? 'WHERE' : 'AND'} ${before('p.changed_at', 'p.contact_id', 2)}`
      : '';
    const rows = await this.forPages.query<PersonRow>(
      `SELECT ${person} ${ofAccount} ${after} ORDER BY p.changed_at DESC, p.contact_id DESC LIMIT $1`,
      [limit, ...(place ? [place.at, place.id] : []), ...(account === undefined ? [] : [account, prefixOf(account)])],
    );
    return rows.map((row) => ({ ...summary(row), changedAt: row.changed_at.toISOString() }));
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

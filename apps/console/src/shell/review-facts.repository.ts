import { digestOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { campaignKeyOf } from '../core/card.js';
import type { Escalation } from '../core/project.js';
import { campaignNames } from './names.js';
import { readersOf } from './readers.js';

const dayMs = 86_400_000;

/** The facts behind an open card, as far as the console knows them. */
@Injectable()
export class ReviewFactStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /**
   * The digest of what the rules look at: policy, stops, the card's people and account, and what was approved and settled for the same
   * people and the same ad account. A page therefore asks the validator again only if something concerns its card. An agent's activity
   * within the hour is not included, because each of its actions changes it.
   */
  async digest({ card }: Escalation, at: string): Promise<string> {
    const { people, account } = concernedBy(card);
    const adAccount = 'action' in card ? card.action.payload.adAccountId : undefined;
    const rows = await this.forPages.query<{ seen: string | null }>(
      `SELECT concat_ws(' ', topic, count(*), sum(version)) AS seen FROM published_state
       WHERE topic IN ('policies.v1', 'controls.v1') GROUP BY topic
       UNION ALL SELECT concat_ws(' ', 'consents', contact_id, version) FROM person_consents WHERE contact_id = ANY($1)
       UNION ALL SELECT concat_ws(' ', 'person', contact_id, version) FROM people WHERE contact_id = ANY($1)
       UNION ALL SELECT concat_ws(' ', 'account', version) FROM accounts WHERE account_id = $2
       UNION ALL SELECT concat_ws(' ', 'spend', count(*), count(s.outcome)) FROM approvals a
         LEFT JOIN settlements s ON s.action_id = a.action_id AND s.executor = a.executor AND s.approved
         WHERE a.day >= $4 AND a.ad_account_id = $3
       UNION ALL SELECT concat_ws(' ', 'touches', count(*), count(s.outcome)) FROM person_actions p
         JOIN verdicts v ON v.action_id = p.action_id AND v.outcome = 'approved'
         LEFT JOIN settlements s ON s.action_id = v.action_id AND s.executor = v.executor AND s.approved
         WHERE p.contact_id = ANY($1)`,
      [
        people,
        account,
        typeof adAccount === 'string' ? adAccount : null,
        // The day of a spend is the day in the account's time zone.
        new Date(Date.parse(at) - dayMs).toISOString().slice(0, 10),
      ],
    );
    return digestOf(rows.map(({ seen }) => seen).sort());
  }

  /** The countries of the card's people and account, as far as they are known now. */
  async regions({ card }: Escalation): Promise<Region[]> {
    const { people, account } = concernedBy(card);
    const rows = await this.forPages.query<Region>(
      `SELECT 'person' AS of, country FROM people WHERE contact_id = ANY($1) AND country IS NOT NULL
       UNION SELECT 'account', country FROM accounts WHERE account_id = $2 AND country IS NOT NULL ORDER BY of, country`,
      [people, account],
    );
    return rows.map(({ of: holder, country }) => ({ of: holder, country }));
  }

  /** The names of the campaigns that checkpoints are about, by the keys of their profiles. An action's card brings its own. */
  async campaigns(escalations: readonly Pick<Escalation, 'card'>[]): Promise<ReadonlyMap<string, string>> {
    const keys = escalations.flatMap(({ card }) => ('tasks' in card ? (campaignKeyOf(card) ?? []) : []));
    return keys.length === 0 ? new Map() : campaignNames(this.forPages, keys);
  }
}

/** A country of the account or of a person. */
export interface Region {
  readonly of: 'account' | 'person';
  readonly country: string;
}

/** The people that a card is about. */
const concernedBy = (card: Escalation['card']): { people: readonly string[]; account: string | null } =>
  'action' in card
    ? { people: card.card.people.map(({ contactId }) => contactId), account: card.action.accountId ?? null }
    : { people: [], account: card.accountId ?? null };

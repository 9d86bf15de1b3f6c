import { rateLedger } from '@countersign/gate';
import type { Recovery } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type PublishedVerdict, publishedEnd, verdictsOf } from '../core/past.js';
import { markOf } from '../core/verdicts.js';
import { type NewPermit, namedIn, Store } from './verdicts.repository.js';

/**
 * After a restore, and before anything is judged: approved permits hold their reservations again, and answered escalations are closed.
 * Otherwise caps would ignore what already runs, and a person would be asked, or a deadline would refuse, a second time.
 */
@Injectable()
export class PastVerdicts implements Recovery {
  constructor(@Inject(Store) private readonly store: Store) {}

  async recover({ tx, at, published: events }: Parameters<Recovery['recover']>[0]): Promise<void> {
    const verdicts = verdictsOf(events);
    const permits = verdicts.flatMap((verdict) => (verdict.type === 'ActionApproved' ? [permitOf(verdict.data)] : []));
    this.store.lockLedgers(tx, [
      ...new Set(permits.flatMap((p) => [...p.rates, ...p.reservations].map((r) => r.ledger))),
    ]);
    this.store.takeOver(tx, permits, at);
    const ended = [...Map.groupBy(verdicts, ({ data }) => data.proposalId)].flatMap(([proposalId, group]) => {
      const end = publishedEnd(group);
      return end ? [{ proposalId, ...end }] : [];
    });
    this.store.closeEscalations(tx, ended, at);
  }
}

/**
 * The permit of an approval, with what it holds. In a window, it counts from the time when the permit becomes valid, so not before the
 * action can happen.
 */
export const permitOf = (data: Extract<PublishedVerdict, { type: 'ActionApproved' }>['data']): NewPermit => ({
  ...namedIn(data),
  step: markOf(data),
  approvedAt: data.verdict.at,
  rates: data.reservations.filter(({ ledger }) => ledger.startsWith(rateLedger)),
  reservations: data.reservations
    .filter(({ ledger }) => !ledger.startsWith(rateLedger))
    .map(({ ledger, amount, currency }) => ({
      ledger,
      amount,
      currency: currency ?? null,
      countsAt: data.notBefore,
    })),
});

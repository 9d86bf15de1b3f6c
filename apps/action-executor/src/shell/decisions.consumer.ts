import { topics } from '@countersign/contracts';
import { type Batch, Consumes, causeOf, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Inject, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { decidedEnd } from '../core/settlement.js';
import { Permits } from './permits.repository.js';

/** Settles permits that are unresolved here, as a person decided. A permit's row changes once, so a repeat settles nothing. */
@Controller()
export class Decisions {
  private readonly log = new Logger('Decisions');

  constructor(
    @Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'service'>,
    @Inject(Permits) private readonly permits: Permits,
  ) {}

  @Consumes(topics.settlementsDecided)
  async onDecided(@Payload() batch: Batch<'SettlementDecided'>): Promise<void> {
    const mine = batch.events.filter(({ event }) => event.data.executor === this.runtime.service);
    if (mine.length === 0) return;
    // If there are two decisions on one permit, the first counts.
    const first = new Map(mine.toReversed().map((received) => [received.event.data.permitId, received]));
    const ends = new Map([...first].map(([id, { event }]) => [id, decidedEnd(event.data)]));
    const decided = await this.permits.decide(batch.tx, ends, batch.at);
    for (const received of mine) {
      const { permitId, actionId, proposalId, digest, executor, connector, by } = received.event.data;
      const end = ends.get(permitId);
      if (!end || first.get(permitId) !== received || !decided.has(permitId)) {
        this.log.warn(`permit ${permitId} is not unresolved here; what ${by} decided changes nothing`);
        continue;
      }
      batch.emit(causeOf(received), topics.actionsSettled(this.runtime.service), {
        key: received.key ?? actionId,
        type: 'ActionSettled',
        data: { permitId, actionId, proposalId, digest, executor, connector, ...end, at: batch.at },
      });
    }
  }
}

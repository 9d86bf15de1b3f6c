import type { Recovery } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { publishedEnds } from '../core/past.js';
import { Permits } from './permits.repository.js';

/**
 * After a restore: each permit that was settled has its row and its end, before anything is worked or decided. Otherwise what a person
 * decides of it would find nothing unresolved, and be dropped.
 */
@Injectable()
export class PastSettlements implements Recovery {
  constructor(@Inject(Permits) private readonly permits: Permits) {}

  async recover({ tx, at, published }: Parameters<Recovery['recover']>[0]): Promise<void> {
    this.permits.takeOver(tx, publishedEnds(published), at);
  }
}

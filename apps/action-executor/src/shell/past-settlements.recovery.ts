import type { Recovery } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { publishedEnds } from '../core/past.js';
import { Permits } from './permits.repository.js';

/**
 * After a restore, gives each settled permit its row and its end, before any permit is worked or decided. Otherwise a person's decision
 * would find no unresolved permit, and be dropped.
 */
@Injectable()
export class PastSettlements implements Recovery {
  constructor(@Inject(Permits) private readonly permits: Permits) {}

  async recover({ tx, at, published }: Parameters<Recovery['recover']>[0]): Promise<void> {
    this.permits.takeOver(tx, publishedEnds(published), at);
  }
}

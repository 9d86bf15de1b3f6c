import { Documented, Refused } from '@countersign/runtime';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { z } from 'zod';
import { IdAnswer, IdQuery, onlyOne, rangeOf } from '../core/ids.js';
import { IdStore } from './ids.repository.js';

/** A person names a thing by the first characters of its id. */
@Controller('v1/ids')
export class Ids {
  constructor(@Inject(IdStore) private readonly store: IdStore) {}

  @Get()
  @Documented({
    summary: 'The whole id of a dead letter, an open review, an unresolved permit or a run',
    description:
      'Found by its first characters. If more than one id begins so, the answer is 400, with what to do. No list has to be read.',
    answers: { 200: IdAnswer },
    problems: [404],
  })
  async find(@Query({ schema: IdQuery }) { kind, begins }: z.infer<typeof IdQuery>) {
    const range = rangeOf(begins);
    const found = onlyOne(kind, begins, range ? await this.store.candidates(kind, range) : []);
    if (!found.ok) throw new Refused(found.problem);
    return { id: found.id };
  }
}

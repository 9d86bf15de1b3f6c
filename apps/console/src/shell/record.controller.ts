import { Documented } from '@countersign/runtime';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { RecordAnswer, SeenCheckpointsAnswer } from '../core/stories.answers.js';
import { Limit } from './limit.js';
import { CheckpointStore } from './record.repository.js';
import { SETTINGS, type Settings } from './settings.js';

const Seen = z
  .object({
    before: z
      .string()
      .regex(/^[0-9]{1,15}$/, 'a number of entries is expected')
      .transform(Number)
      .optional(),
    limit: Limit,
    /** Returns this many of all checkpoints, from the oldest to the newest, instead of a page. */
    spread: z.coerce.number().int().min(2).max(500).optional(),
  })
  .refine(({ before, spread }) => before === undefined || spread === undefined, {
    path: ['spread'],
    message: 'spread is of all checkpoints, so it has no before',
  });

/** What the console knows about the record: its address, its key, and the checkpoints that were published. */
@Controller('v1/record')
export class RecordPages {
  constructor(
    @Inject(CheckpointStore) private readonly store: CheckpointStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get()
  @Documented({ summary: 'Where the record is, and what it is verified with', answers: { 200: RecordAnswer } })
  async record() {
    const [latest = null] = await this.store.checkpoints(undefined, 1);
    const { recordUrl = null, recordKey = null } = this.settings;
    return { url: recordUrl, key: recordKey, latest };
  }

  @Get('checkpoints')
  @Documented({
    summary: 'Checkpoints of the record that the console has seen, the largest first',
    answers: { 200: SeenCheckpointsAnswer },
  })
  async checkpoints(@Query({ schema: Seen }) { before, limit, spread }: z.infer<typeof Seen>) {
    if (spread !== undefined) return { checkpoints: await this.store.spread(spread), next: null };
    const read = await this.store.checkpoints(before, limit + 1);
    const checkpoints = read.slice(0, limit);
    return { checkpoints, next: read.length > limit ? (checkpoints.at(-1)?.size ?? null) : null };
  }
}

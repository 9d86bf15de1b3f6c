import { Documented, deployment, RUNTIME, type Runtime } from '@countersign/runtime';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { rejectionWords } from '../core/rejections.js';
import { RejectedSignalsAnswer, SourcesAnswer } from '../core/sources.answers.js';
import { sourcesHealth } from '../core/sources.js';
import { Limit } from './limit.js';
import { SourceStore } from './sources.repository.js';

const Rejected = z.object({
  /** The name as in `GET /v1/sources`. */
  source: z.string().min(1).max(300).optional(),
  code: z.string().min(1).max(80).optional(),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'the `next` of the page before')
    .optional(),
  limit: Limit,
});

const { sources } = deployment();

/** The sources of signals, and their rejected signals. */
@Controller('v1')
export class Sources {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SourceStore) private readonly store: SourceStore,
  ) {}

  @Get('sources')
  @Documented({ summary: 'How each source of signals does, silent ones too', answers: { 200: SourcesAnswer } })
  async health() {
    const at = this.runtime.now();
    const [counts, lastHeard] = await Promise.all([this.store.counts(at), this.store.lastHeard()]);
    const health = sourcesHealth(sources, counts, lastHeard).map(({ rejectedBy, ...source }) => ({
      ...source,
      rejectedBy: rejectedBy.map((reason) => ({ ...reason, ...rejectionWords(reason.code) })),
    }));
    return { at, sources: health };
  }

  /** Rows older than a week are deleted here; the record keeps them. */
  @Get('signals/rejected')
  @Documented({
    summary: 'Rejected signals with the reason and what to change, the latest first',
    answers: { 200: RejectedSignalsAnswer },
  })
  async rejected(@Query({ schema: Rejected }) { limit, ...query }: z.infer<typeof Rejected>) {
    const found = await this.store.rejected({ ...query, limit: limit + 1 });
    const shown = found.slice(0, limit);
    return {
      rejected: shown.map((row) => ({ ...row, ...rejectionWords(row.code) })),
      next: found.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }
}

import { bearerToken, Documented, Public, Refused, Roles } from '@countersign/runtime';
import { Controller, Get, HttpCode, Inject, Options, Req, type StreamableFile } from '@nestjs/common';
import { mostUses, passRole } from '../core/pass.js';
import { Export } from './export.service.js';
import { PassStore } from './passes.repository.js';

interface PassRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Gives the whole record to a person who asked for a pass at the console. The record therefore also says who read it, and why. */
@Controller('v1/passes')
export class Passes {
  constructor(
    @Inject(PassStore) private readonly store: PassStore,
    @Inject(Export) private readonly exporting: Export,
  ) {}

  @Get('export')
  @Roles(passRole)
  @Documented({
    summary: 'The whole record as lines of JSON, for the secret of a pass',
    description: `The bearer token is the secret of a pass that an auditor asked for at the console (POST /v1/record/passes). A pass allows ${mostUses} downloads, for ten minutes at most.`,
    answers: { 200: { media: 'application/x-ndjson' } },
    problems: [409],
  })
  export(@Req() { headers }: PassRequest): Promise<StreamableFile> {
    return this.exporting.begin(async () => {
      if (!(await this.store.use(bearerToken(headers) ?? '')))
        throw new Refused({
          status: 409,
          title: 'Pass used up',
          detail: `a pass allows ${mostUses} downloads until its end; ask for another one on the page Record, or with countersign export --purpose`,
        });
    });
  }

  /** The preflight request that a browser makes before it sends the secret. The headers of the answer say which pages may use it. */
  @Options('export')
  @HttpCode(204)
  @Public()
  @Documented({ summary: 'Whether a page may send the secret of a pass', answers: { 204: null } })
  preflight(): void {}
}

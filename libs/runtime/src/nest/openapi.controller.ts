import { readFile } from 'node:fs/promises';
import { openApiFile } from '@countersign/contracts';
import { Controller, Get, Inject } from '@nestjs/common';
import { z } from 'zod';
import { RUNTIME } from '../api/runtime.js';
import type { Engine } from '../engine/engine.js';
import { Documented } from './documented.js';

/** The document that `npm run generate` wrote. To make it at run time would cost every process the memory of the generator. */
@Controller()
export class OpenApiController {
  constructor(@Inject(RUNTIME) private readonly engine: Pick<Engine, 'spec'>) {}

  @Get('openapi.json')
  @Documented({ summary: 'This document', answers: { 200: z.looseObject({ openapi: z.string() }) } })
  async document(): Promise<unknown> {
    return JSON.parse(await readFile(openApiFile(this.engine.spec.name), 'utf8'));
  }
}

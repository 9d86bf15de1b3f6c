import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Documented, type HttpReply, Public, Refused } from '@countersign/runtime';
import '@fastify/helmet';
import '@fastify/static';
import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { z } from 'zod';
import { pageAsked } from '../core/page-path.js';
import { problem } from '../core/problem.js';
import { contentPolicy } from './http.js';
import { SETTINGS, type Settings } from './settings.js';

const notBuilt =
  'The pages of the console are not built here. npm run build builds them; its API answers all the same, see /openapi.json.\n';
const PagePath = z.string().max(2_000);
const yearMs = 31_536_000_000;

/** The console's pages, for every address outside the API: the single page does its own routing. */
@Controller()
export class Pages {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  @Get('*')
  @Public()
  @Documented({
    summary: 'The pages of the console',
    answers: { 200: { media: 'text/html' }, 404: { media: 'text/plain' } },
    problems: [404],
  })
  async page(@Param('*', { schema: PagePath }) path: string, @Res() reply: HttpReply): Promise<void> {
    const asked = pageAsked(`/${path}`);
    if (!asked) throw new Refused(problem(404, 'Not found', 'nothing has this address here'));
    if (asked.kind === 'file') {
      // Set together with the file: if the file does not exist, the answer must not be cached.
      const caching = { cacheControl: true, immutable: asked.forEver, maxAge: asked.forEver ? yearMs : 0 };
      return void (await reply.sendFile(asked.file, caching));
    }
    const page = await this.index();
    if (page === undefined) return void (await reply.code(404).type('text/plain; charset=utf-8').send(notBuilt));
    const nonce = randomBytes(16).toString('base64url');
    await reply.helmet({
      contentSecurityPolicy: { useDefaults: false, directives: contentPolicy(this.settings, nonce) },
    });
    await reply.type('text/html; charset=utf-8').send(page.replaceAll('{{nonce}}', nonce));
  }

  private async index(): Promise<string | undefined> {
    try {
      return await readFile(join(this.settings.pagesDir, 'index.html'), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

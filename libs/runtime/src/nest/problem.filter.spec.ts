import { BadRequestException, Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';
import { APP_FILTER, APP_PIPE, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { Public } from './access.js';
import { httpAdapter } from './http-adapter.js';
import { ProblemFilter, Refused } from './problem.filter.js';
import { SchemaPipe } from './schema.pipe.js';

const Order = z.strictObject({ amountMinor: z.int().positive(), to: z.strictObject({ name: z.string() }) });
const Listing = z.object({ limit: z.coerce.number().int().max(500).default(100) });

@Controller()
class Pages {
  @Post('orders')
  @Public()
  order(@Body({ schema: Order }) { amountMinor }: z.infer<typeof Order>) {
    return { amountMinor };
  }
  @Get('orders')
  @Public()
  list(@Query({ schema: Listing }) { limit }: z.infer<typeof Listing>) {
    return { limit };
  }
  @Get('orders/:id')
  @Public()
  one(@Param('id', { schema: z.uuid() }) id: string) {
    return { id };
  }
  @Get('fails/:how')
  @Public()
  fail(@Param('how') how: string) {
    if (how === 'refused')
      throw new Refused({ status: 409, title: 'Key used', detail: 'take a new one', field: 'key' });
    if (how === 'nest') throw new BadRequestException('not like this');
    if (how === 'busy') throw new Refused({ status: 503, title: 'Busy', detail: 'later', retryAfter: 2 });
    if (how === 'database')
      throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
    throw new Error('mia@north.example was not found');
  }
}

@Module({
  controllers: [Pages],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: SchemaPipe },
  ],
})
class Site {}

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await NestFactory.create<NestFastifyApplication>(Site, httpAdapter(), { logger: false });
  await app.init();
});
afterAll(() => app.close());

const ask = async (url: string, body?: object) => {
  const reply = await app.inject(
    body ? { method: 'POST', url, headers: { 'content-type': 'application/json' }, body } : { method: 'GET', url },
  );
  return { type: reply.headers['content-type'], after: reply.headers['retry-after'], body: reply.json() };
};

test.each<[string, object]>([
  ['refused', { type: 'about:blank', status: 409, title: 'Key used', detail: 'take a new one', field: 'key' }],
  ['nest', { status: 400, title: 'Bad request', detail: 'not like this' }],
  ['busy', { status: 503, title: 'Busy' }],
  ['database', { status: 503, title: 'Not reachable', detail: expect.stringContaining('again later') }],
  ['unforeseen', { status: 500, title: 'Failed', detail: expect.stringContaining('the log') }],
])('what fails as %s is answered with a problem', async (how, problem) => {
  const { type, body } = await ask(`/fails/${how}`);
  expect(type).toContain('application/problem+json');
  expect(body).toMatchObject(problem);
  expect(JSON.stringify(body)).not.toContain('mia@');
});

test('a problem that passes says when to ask again', async () => {
  expect((await ask('/fails/busy')).after).toBe('2');
  expect((await ask('/fails/database')).after).toBe('5');
  expect((await ask('/fails/refused')).after).toBeUndefined();
});

test('a handler gets what the schema makes of a body, a query or a parameter', async () => {
  expect((await ask('/orders', { amountMinor: 5, to: { name: 'Mia' } })).body).toEqual({ amountMinor: 5 });
  expect((await ask('/orders?limit=7')).body).toEqual({ limit: 7 });
  expect((await ask('/orders')).body).toEqual({ limit: 100 });
});

test.each<[string, string, object | undefined, string]>([
  ['a value', '/orders', { amountMinor: -1, to: { name: 'Mia' } }, 'amountMinor'],
  ['a value within', '/orders', { amountMinor: 1, to: { name: 7 } }, 'to.name'],
  ['a member that is not expected', '/orders', { amountMinor: 1, to: { name: 'Mia', tone: 'loud' } }, 'to.tone'],
  ['a query', '/orders?limit=1000', undefined, 'limit'],
  ['a parameter', '/orders/7', undefined, 'id'],
])('%s that does not fit is answered 400, and the problem names it', async (_what, url, body, field) => {
  expect((await ask(url, body)).body).toMatchObject({
    status: 400,
    field,
    detail: expect.stringMatching(new RegExp(`^${field}: `)),
  });
});

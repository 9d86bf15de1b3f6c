import { createHash } from 'node:crypto';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { expect, onTestFinished, test } from 'vitest';
import { type Access, AccessGuard, bearerToken, oneToken, Public, Roles } from './access.js';
import { httpAdapter, letIn } from './http-adapter.js';

@Controller()
class Pages {
  @Get('open')
  @Public()
  open() {
    return { open: true };
  }
  /** Nobody said who may see it. */
  @Get('forgotten')
  forgotten() {
    return { seen: true };
  }
  @Post('acts')
  @Roles('operator')
  act() {
    return { done: true };
  }
}

@Module({ controllers: [Pages], providers: [{ provide: APP_GUARD, useClass: AccessGuard }] })
class Site {}

async function site(access?: Access) {
  const adapter = httpAdapter();
  if (access) letIn(adapter, access);
  const app = await NestFactory.create<NestFastifyApplication>(Site, adapter, { logger: false });
  await app.init();
  onTestFinished(() => app.close());
  return (method: 'GET' | 'POST', url: string, token?: string) =>
    app.inject({ method, url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
}

const sha256 = createHash('sha256').update('right').digest('hex');
const pages = { realm: 'here', variable: 'READ_TOKEN_FILE', what: 'the pages' };

test('a page that nobody marked is closed to strangers, and an address that is none too; a public one is open', async () => {
  const ask = await site(oneToken({ ...pages, sha256 }));
  for (const [method, url] of [
    ['GET', '/forgotten'],
    ['POST', '/acts'],
    ['GET', '/nowhere'],
    ['POST', '/nowhere'],
  ] as const)
    for (const token of [undefined, 'wrong']) {
      const { statusCode, headers, ...answer } = await ask(method, url, token);
      expect([statusCode, headers['www-authenticate']]).toEqual([401, 'Bearer realm="here"']);
      expect(headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status: 401, detail: expect.stringMatching(/./) });
    }
  expect((await ask('GET', '/open')).json()).toEqual({ open: true });
  expect((await ask('GET', '/forgotten', 'right')).json()).toEqual({ seen: true });
});

test('who is known and lacks the role that a route asks for is told which', async () => {
  const ask = await site(oneToken({ ...pages, sha256 }));
  const { statusCode, body } = await ask('POST', '/acts', 'right');
  expect([statusCode, body]).toEqual([403, expect.stringContaining('reader is no operator')]);
});

test('where a service says of nobody who asks, only its public pages answer', async () => {
  const ask = await site();
  expect((await ask('GET', '/forgotten', 'right')).statusCode).toBe(401);
  expect((await ask('GET', '/open')).statusCode).toBe(200);
});

test('where no token is configured the pages are off for everybody, and the answer names the variable', async () => {
  const ask = await site(oneToken({ ...pages, sha256: undefined }));
  const { statusCode, body } = await ask('GET', '/forgotten', 'right');
  expect([statusCode, body]).toEqual([404, expect.stringContaining('READ_TOKEN_FILE')]);
});

test.each([
  ['Bearer abc', 'abc'],
  ['bearer   abc', 'abc'],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  ['Bearer two words', undefined],
  [['Bearer abc', 'Bearer def'], undefined],
  [undefined, undefined],
])('of the header %j the token is %s', (authorization, token) => {
  expect(bearerToken({ authorization })).toBe(token);
});

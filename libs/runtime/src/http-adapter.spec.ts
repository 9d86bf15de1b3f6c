import { HttpException } from '@nestjs/common';
import { expect, test } from 'vitest';
import { httpAdapter } from './http-adapter.js';

test('a JSON body that nests too deep is answered 400 before anything walks it; a deep one within the bound is read', async () => {
  const server = httpAdapter().getInstance();
  server.post('/', async (request) => request.body);
  const post = (payload: string) =>
    server.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload });
  const nested = (depth: number) => '{"a":'.repeat(depth) + 1 + '}'.repeat(depth);
  // Nest answers with the status of its exception; without Nest, Fastify tells the error as it is.
  server.setErrorHandler((error, _request, reply) =>
    reply.status(error instanceof HttpException ? error.getStatus() : 500).send((error as Error).message),
  );
  try {
    expect(await post(nested(150_000))).toMatchObject({
      statusCode: 400,
      body: expect.stringContaining('nested deeper'),
    });
    expect(await post(nested(100))).toMatchObject({ statusCode: 200, body: nested(100) });
  } finally {
    await server.close();
  }
});

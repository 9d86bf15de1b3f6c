import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jsonOf, TooLong } from './body.js';
import { client } from './http.js';

let server: Server;
let url: string;
let closed: Promise<unknown>;
let status: number;

/** Writes for as long as anybody reads. */
const endless = (response: ServerResponse) => {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(1_048_576, 0x20)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
};

beforeEach(async () => {
  status = 200;
  server = createServer((request, response) => {
    closed = once(response, 'close');
    response.writeHead(status, { 'content-type': 'application/json' });
    if (request.url === '/good') response.end('{"one":1}');
    else endless(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('an answer without end is left at its bound, and its connection is closed', async () => {
  await expect(jsonOf(await fetch(`${url}/endless`), 100_000)).rejects.toThrow(TooLong);
  await closed;
});

test.each([200, 500])('a command that gets such an answer with %d says so and ends', async (given) => {
  status = given;
  await expect(client('console', url, undefined).get('/endless')).rejects.toThrow(`console`);
  await closed;
});

test('a good answer is read', async () => {
  expect(await client('console', url, undefined).get('/good')).toEqual({ one: 1 });
});

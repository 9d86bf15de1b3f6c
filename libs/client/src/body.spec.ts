import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TooLong } from '@countersign/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jsonOf, linesOf } from './body.js';
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

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

beforeEach(async () => {
  status = 200;
  server = createServer((request, response) => {
    closed = once(response, 'close');
    response.writeHead(status, { 'content-type': 'application/json' });
    if (request.url === '/good') response.end('{"one":1}');
    else if (request.url === '/lines') response.end(`${'é'.repeat(70_000)}\n\nlast`);
    else if (request.url === '/broken') response.write('one\ntw', () => response.destroy());
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
  await expect(client('console', url, () => undefined).get('/endless')).rejects.toThrow(`console`);
  await closed;
});

test('the lines of an answer are read as they come, each whole', async () => {
  expect(await all(await client('audit', url, () => undefined).lines('/lines'))).toEqual([
    'é'.repeat(70_000),
    '',
    'last',
  ]);
});

test('a line without end is left at its bound, and its connection is closed', async () => {
  const read = async () => all(linesOf(await fetch(`${url}/endless`), 100_000));
  await expect(read()).rejects.toThrow(TooLong);
  await closed;
});

test('lines that break off are told as such, after those that came whole', async () => {
  const seen: string[] = [];
  const read = async () => {
    for await (const line of await client('audit', url, () => undefined).lines('/broken')) seen.push(line);
  };
  await expect(read()).rejects.toThrow();
  expect(seen).toEqual(['one']);
});

test('a good answer is read', async () => {
  expect(await client('console', url, () => undefined).get('/good')).toEqual({ one: 1 });
});

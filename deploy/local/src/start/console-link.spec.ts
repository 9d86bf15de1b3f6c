import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { consoleLink, opensBrowser } from './console-link.js';

async function consoleThat(status: number, body: string) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const running = { run: { http: { console: `http://127.0.0.1:${port}` } }, secrets: { consoleToken: 'lea-token' } };
  return { running: running as never, asked };
}

test('asks the console for a link with the person’s token', async () => {
  const { running, asked } = await consoleThat(201, JSON.stringify({ url: 'http://127.0.0.1:8088/sign-in#code=x' }));
  expect(await consoleLink(running)).toBe('http://127.0.0.1:8088/sign-in#code=x');
  expect(asked).toEqual(['POST /v1/sign-in/links Bearer lea-token']);
});

test.each([
  [503, JSON.stringify({ title: 'Not reachable' })],
  [201, 'no JSON'],
  [201, '{}'],
])('an answer %d %s is no link, and no failure of the start', async (status, body) => {
  const { running } = await consoleThat(status, body);
  expect(await consoleLink(running)).toBeUndefined();
});

test('a browser opens only in a terminal, not in CI, and not where nobody wants it', () => {
  expect(opensBrowser({ isTTY: true }, true, {})).toBe(true);
  expect(opensBrowser({}, true, {})).toBe(false);
  expect(opensBrowser({ isTTY: true }, true, { CI: 'true' })).toBe(false);
  expect(opensBrowser({ isTTY: true }, false, {})).toBe(false);
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startChromium } from '@countersign/testing/chromium';
import type { Browser } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';

const page = `<!doctype html><html lang="en"><title>Nothing yet</title>
<body><script>document.title = [1, 2, 3].map((n) => n * 2).join(' ')</script></body></html>`;

let browser: Browser | undefined;
afterEach(() => browser?.close());

test('a real browser starts, runs a page of ours and takes its picture', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    browser = await startChromium();
    const visit = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await visit.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await visit.title()).toBe('2 4 6');
    const picture = await visit.screenshot();
    expect(picture.subarray(1, 4).toString('latin1')).toBe('PNG');
    // Width and height of the header: what was asked for is what is drawn.
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([390, 844]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a named program that is not there, or is no browser, is an error that says so and starts no other', async () => {
  await expect(startChromium({ CHROMIUM_PATH: '/nowhere/chromium' })).rejects.toThrow(
    /CHROMIUM_PATH names \/nowhere\/chromium, which is not there\n.*set CHROMIUM_PATH/s,
  );
  await expect(startChromium({ CHROMIUM_PATH: process.execPath })).rejects.toThrow(/CHROMIUM_PATH: .*node/);
});

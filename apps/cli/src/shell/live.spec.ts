import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acts } from '@countersign/client';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { liveEvents } from './live.js';

let server: Server;
let closed: Promise<unknown>;
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((_, response) => {
    closed = once(response, 'close');
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('COUNTERSIGN_CONSOLE_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('COUNTERSIGN_TOKEN', 'a-token');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

/** The events that were heard, and what ended them. */
async function listened(silenceMs: number) {
  const events: string[] = [];
  let end: unknown;
  const command = acts(new Command(), async (s) => {
    try {
      for await (const { event } of liveEvents(s, silenceMs)) events.push(event);
    } catch (error) {
      end = error;
    }
    return undefined;
  });
  await command.parseAsync([], { from: 'user' });
  return { events, end };
}
const alive = 'event: alive\ndata: {}\n\n';

test('a console that falls silent is left, although its connection stays open, and whoever waits may try again', async () => {
  answer = (response) => response.write(alive);
  expect(await listened(300)).toMatchObject({
    events: ['alive'],
    end: { passing: true, message: 'the console said nothing for 0.3 s' },
  });
  await closed;
  // Nor is one waited for that takes the question and never answers.
  answer = () => undefined;
  expect(await listened(300)).toMatchObject({
    events: [],
    end: { passing: true, message: expect.stringContaining('said nothing') },
  });
  await closed;
});

test('a stream that breaks off may be tried again, and one that ends is no failure', async () => {
  answer = (response) => response.write(alive, () => response.destroy());
  expect(await listened(60_000)).toMatchObject({
    events: ['alive'],
    end: { passing: true, message: expect.stringContaining('broke off') },
  });
  answer = (response) => response.end(alive);
  expect(await listened(60_000)).toEqual({ events: ['alive'], end: undefined });
});

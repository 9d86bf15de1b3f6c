import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crash, type Shared, shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

/* The console dies after a channel took a message and before it noted that: the message goes again, as the same one. */

interface Post {
  readonly id: string;
  readonly signedAt: string;
  readonly body: string;
  readonly urls: readonly string[];
  /** Whether the console was alive to hear that it was taken. */
  readonly answered: boolean;
}

let installation: Shared;
let visitor: Visitor;
let server: Server;
let shipped: string;
const posts: Post[] = [];
/** How many more posts the console does not survive. */
let deaths = 0;
let dead: Promise<() => Promise<void>> | undefined;
const file = (name: string): string => join(installation.home, 'config', name);

/** Ends the console and starts it again, so that it reads the configuration of this test. */
const restart = async (): Promise<void> => (await crash('console'))();

beforeAll(async () => {
  installation = await shared();
  visitor = await visit(installation);
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { items } = (JSON.parse(body) as { data: { items: { url: string }[] } }).data;
    const dies = dead !== undefined || deaths > 0;
    posts.push({
      id: String(request.headers['webhook-id']),
      signedAt: String(request.headers['webhook-timestamp']),
      body,
      urls: items.map(({ url }) => new URL(url).pathname),
      answered: !dies,
    });
    if (!dies) return void response.end('taken');
    // It was taken; whoever sent it is dead before it hears so.
    if (!dead) {
      deaths--;
      dead = crash('console');
    }
    await dead;
    request.socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  shipped = readFileSync(file('notifications.yaml'), 'utf8');
  const { port } = server.address() as AddressInfo;
  writeFileSync(file('hook-url'), `http://127.0.0.1:${port}/hook`, { mode: 0o600 });
  writeFileSync(file('hook-secret'), `whsec_${randomBytes(24).toString('base64')}`, { mode: 0o600 });
  writeFileSync(
    file('notifications.yaml'),
    `channels:
  - { name: hook, kind: webhook, urlFile: hook-url, secretFile: hook-secret }
recipients:
  - { name: lea, timeZone: UTC, addresses: [{ channel: hook }] }
tell:
  - { event: needs-review, to: [lea], digestMinutes: 0 }
`,
  );
  await restart();
});
afterAll(async () => {
  await (await dead)?.();
  writeFileSync(file('notifications.yaml'), shipped);
  for (const name of ['hook-url', 'hook-secret']) rmSync(file(name), { force: true });
  await restart();
  server?.close();
  server?.closeAllConnections();
  await visitor?.leave();
});

/** First messages to a board of three, which wait for a person; the addresses of their pages. */
async function askedOf(name: string): Promise<readonly string[]> {
  const board = company(`${name}-${randomUUID().slice(0, 8)}`, 3, 'c-suite');
  await visitor.accepted('crm', board.known());
  await visitor.accepted('website', board.compare());
  const asked = await visitor.until(`the questions about ${name}`, () => {
    const found = visitor.eventsOf('ActionEscalated', ({ action }) => action.accountId === board.id);
    return found.length === 3 && found;
  });
  return asked.map(({ proposalId }) => `/reviews/${proposalId}`);
}

const about = (url: string): readonly Post[] => posts.filter(({ urls }) => urls.includes(url));
const taken = (url: string): boolean => about(url).some(({ answered }) => answered);

interface Listed {
  readonly path: string;
  readonly state: string;
  readonly messageId: string | null;
}
async function listed(urls: readonly string[]): Promise<readonly Listed[]> {
  const response = await fetch(`${installation.run.http.console}/v1/notifications?limit=100`, {
    headers: { authorization: `Bearer ${installation.secrets.consoleToken}` },
  });
  const { notifications } = (await response.json()) as { notifications: readonly Listed[] };
  return notifications.filter(({ path }) => urls.includes(path));
}

test('killed twice between the sending and its mark, the console tells each thing at least once, and never as another message', async () => {
  deaths = 2;
  const urls = await askedOf('killed-board');
  for (let death = 1; death <= 2; death++) {
    const start = await visitor.until(`death ${death} of the console`, () => dead);
    // Before it comes back: it may send at once.
    dead = undefined;
    await start();
  }
  await visitor.until('each of them to be told', () => urls.every(taken));
  // What is asked afterwards is told after whatever was still to be told before.
  const later = await askedOf('later-board');
  await visitor.until('what was asked afterwards', () => later.every(taken));

  const repeated = posts.filter(({ answered }) => !answered);
  expect(repeated.length).toBeGreaterThanOrEqual(2);
  for (const url of [...urls, ...later]) {
    const same = about(url);
    expect(new Set(same.map(({ id }) => id)).size, url).toBe(1);
    expect(new Set(same.map(({ body }) => body)).size, url).toBe(1);
    expect(
      same.filter(({ answered }) => answered),
      url,
    ).toHaveLength(1);
  }
  const sent = await visitor.until('the list to say so', async () => {
    const rows = await listed([...urls, ...later]);
    return rows.every(({ state }) => state === 'sent') && rows;
  });
  // One row for each thing, under the id that the receiver knows it by.
  expect(sent).toHaveLength(6);
  for (const { path, messageId } of sent) expect(about(path).map(({ id }) => id)).toContain(messageId);
});

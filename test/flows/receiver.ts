import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A request as it came in. */
export interface Got {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** What it was answered. */
  readonly status: number;
}

export interface Receiver {
  readonly url: string;
  readonly secret: string;
  /** For CONNECTORS_FILE. */
  readonly connectorsFile: string;
  close(): Promise<void>;
}

/**
 * A system at the other end of the webhook connector. The first request of every key gets the answer that it is busy; the next one
 * is carried out, once. It never answers a call for an account `mute-…`, or a question about it. `GET /got` returns what arrived.
 */
export async function receiver(): Promise<Receiver> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-flows-hook-'));
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const got: Got[] = [];
  const seen = new Set<string>();
  const done = new Map<string, object>();
  const mute = new Set<string>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/got') return void response.end(JSON.stringify(got));
    let body = '';
    for await (const chunk of request) body += chunk;
    const asked = url.searchParams.get('key');
    const key = asked ?? String(request.headers['webhook-id']);
    if (asked === null && body.includes('"mute-')) mute.add(key);
    if (mute.has(key)) return void request.socket.destroy();
    const answer = done.get(key);
    let status = answer ? 200 : 404;
    if (asked === null && !answer) {
      status = seen.has(key) ? 200 : 503;
      seen.add(key);
      if (status === 200) done.set(key, { outcome: 'done', reference: `ticket-${done.size + 1}` });
    }
    got.push({ method: request.method ?? '', headers: request.headers, body, status });
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(done.get(key) ?? (status === 404 ? { outcome: 'absent' } : {})));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'secret'), secret, { mode: 0o600 });
  const connectorsFile = join(folder, 'connectors.json');
  writeFileSync(connectorsFile, JSON.stringify({ webhook: { url: `${url}/hook`, secretFile: 'secret' } }));
  return {
    url,
    secret,
    connectorsFile,
    close: async () => {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

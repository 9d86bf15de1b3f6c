import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How the receiver handles an account's call, by the first word of its id. `late`: the effect at once, and the answer after the
 * caller's time-out. `slow`: the effect after the time-out too. `twice`: the effect at once, no answer, and a question finds
 * nothing yet. `never`: no effect and no answer. `held`: the effect at once, and the answer when the test releases it. `lost`: no
 * effect of the first call, which is held.
 */
export const manners = ['late', 'slow', 'twice', 'never', 'held', 'lost'] as const;
export type Manner = (typeof manners)[number];

export interface Call {
  readonly key: string;
  readonly account: string;
  readonly body: string;
}

export interface Receiver {
  readonly connectorsFile: string;
  readonly calls: readonly Call[];
  /** How often each key had its effect. */
  readonly effects: ReadonlyMap<string, number>;
  /** Calls that are held now, by account. */
  holding(manner: Manner): readonly string[];
  /** Whether it accepts calls and questions and neither answers nor acts, like a system that hangs. */
  silent: boolean;
  close(): Promise<void>;
}

/** Shorter than any hold. */
export const patienceMs = 2_000;

/** A system at the other end of the webhook connector that fulfils its contract and is otherwise as bad as possible. */
export async function receiver(): Promise<Receiver> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-faults-hook-'));
  const calls: Call[] = [];
  const effects = new Map<string, number>();
  const running = new Set<string>();
  const held = new Set<{ account: string; response: ServerResponse }>();
  const done = (key: string) => ({ outcome: 'done', reference: `ticket-${key}` });
  const effect = (key: string): void => {
    effects.set(key, (effects.get(key) ?? 0) + 1);
  };
  const answer = (response: ServerResponse, status: number, body: object = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  const hold = (account: string, response: ServerResponse): void => {
    const call = { account, response };
    held.add(call);
    response.once('close', () => held.delete(call));
  };

  const call = (key: string, account: string, response: ServerResponse) => {
    const manner = account.split('-')[0] as Manner;
    const first = calls.filter((c) => c.key === key).length === 1;
    // A key runs once.
    if (effects.has(key)) return answer(response, 200, done(key));
    if (running.has(key)) return answer(response, 425);
    switch (manner) {
      case 'late':
        effect(key);
        setTimeout(() => answer(response, 200, done(key)), 2 * patienceMs);
        return;
      case 'slow':
        running.add(key);
        setTimeout(() => {
          running.delete(key);
          effect(key);
          answer(response, 200, done(key));
        }, 2 * patienceMs);
        return;
      case 'twice':
        effect(key);
        response.destroy();
        return;
      case 'held':
        effect(key);
        return hold(account, response);
      case 'lost':
        if (first) return hold(account, response);
        effect(key);
        return answer(response, 200, done(key));
      case 'never':
        return hold(account, response);
    }
  };
  const find = (key: string, response: ServerResponse) => {
    const known = calls.filter((c) => c.key === key);
    const manner = known[0]?.account.split('-')[0];
    if (manner === 'never') return hold('question', response);
    // It has not stored yet what it did.
    if (manner === 'twice' && known.length < 2) return answer(response, 404, { outcome: 'absent' });
    if (running.has(key)) return answer(response, 200, { outcome: 'running' });
    return effects.has(key) ? answer(response, 200, done(key)) : answer(response, 404, { outcome: 'absent' });
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    let body = '';
    for await (const chunk of request) body += chunk;
    const asked = url.searchParams.get('key');
    if (asked !== null) {
      if (hook.silent) return hold('question', response);
      return find(asked, response);
    }
    const key = String(request.headers['webhook-id']);
    const account = String((JSON.parse(body) as { data: { accountId?: string } }).data.accountId);
    calls.push({ key, account, body });
    if (hook.silent) return hold(account, response);
    call(key, account, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  writeFileSync(join(folder, 'secret'), `whsec_${randomBytes(24).toString('base64')}`, { mode: 0o600 });
  const connectorsFile = join(folder, 'connectors.json');
  writeFileSync(connectorsFile, JSON.stringify({ webhook: { url, secretFile: 'secret', timeoutMs: patienceMs } }));
  const hook: Receiver = {
    connectorsFile,
    calls,
    effects,
    silent: false,
    holding: (manner) => [...held].map(({ account }) => account).filter((account) => account.startsWith(`${manner}-`)),
    close: async () => {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return hook;
}

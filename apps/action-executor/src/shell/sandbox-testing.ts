import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wholeText } from '@countersign/contracts';

/** For tests: the sandbox systems as they are shipped, listening in this process. */
export interface SandboxSystems {
  readonly url: string;
  /** The environment that an executor reaches them with. */
  readonly env: { readonly SANDBOX_URL: string; readonly SANDBOX_TOKEN_FILE: string };
  /** A request by a user who may read the pages and set campaigns. */
  http(method: 'GET' | 'PUT', path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

/** // An app's files have no package name to import, so they are found by their path. */
const sources = fileURLToPath(new URL('../../../sandbox-systems/src/', import.meta.url));

interface App {
  listen(port: number, host: string): Promise<unknown>;
  getUrl(): Promise<string>;
  close(): Promise<void>;
}

export async function startSandboxes(databaseUrl: string): Promise<SandboxSystems> {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  const file = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 });
    return join(folder, name);
  };
  const [caller, person] = [randomUUID(), randomUUID()];
  const sha256 = (token: string) => createHash('sha256').update(token).digest('hex');
  const { readSettings } = await import(join(sources, 'shell/settings.ts'));
  const { createApp } = await import(join(sources, 'app.ts'));
  const tokens = [
    { sha256: sha256(caller), name: 'action-executor', roles: ['connector'] },
    { sha256: sha256(person), name: 'lea', roles: ['viewer', 'operator'] },
  ];
  const settings = readSettings({
    ...process.env,
    DATABASE_URL: databaseUrl,
    DATABASE_MIGRATION_URL: undefined,
    SANDBOX_TOKENS_FILE: file('tokens.json', tokens),
  });
  const app: App = await createApp(settings);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    url,
    env: { SANDBOX_URL: url, SANDBOX_TOKEN_FILE: file('token.json', { token: caller }) },
    http: async (method, path, body) => {
      const headers = { authorization: `Bearer ${person}`, 'content-type': 'application/json' };
      const response = await fetch(`${url}/${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: JSON.parse(await wholeText(response.body, 1024 * 1024)) };
    },
    close: async () => {
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';

/** An identity provider that lets everybody in, by whatever name they give. */
export interface TestProvider {
  /** Of the console, so that people can sign in there. */
  readonly environment: Readonly<Record<string, string>>;
  /** Lets people go on to the console at this address, and to no other. */
  open(consoleUrl: string): void;
  close(): Promise<void>;
}

const clientId = 'countersign';
/** The name by which the tests find the way to it. */
export const providerName = 'Example';

/** Starts it. To a browser it is another site than the console: `localhost` is not 127.0.0.1. */
export async function identityProvider(): Promise<TestProvider> {
  let handle: ReturnType<Provider['callback']> | undefined;
  const server = createServer((request, response) => {
    if (handle) void handle(request, response);
    else response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), 'countersign-provider-'));
  const rolesFile = join(folder, 'roles.json');
  writeFileSync(rolesFile, JSON.stringify({ everybody: ['viewer'] }));
  return {
    environment: {
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: clientId,
      OIDC_ROLES_FILE: rolesFile,
      OIDC_NAME: providerName,
    },
    open: (consoleUrl) => {
      handle = new Provider(issuer, {
        clients: [
          {
            client_id: clientId,
            token_endpoint_auth_method: 'none',
            redirect_uris: [`${consoleUrl}/v1/sign-in/oidc/callback`],
          },
        ],
        claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
        cookies: { keys: ['for tests'] },
        pkce: { required: () => true },
        findAccount: async (_context, sub) => ({
          accountId: sub,
          claims: async () => ({ sub, preferred_username: sub, groups: ['everybody'] }),
        }),
      }).callback();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { added, type Shared } from './installation.js';
import { receiver } from './receiver.js';
import { routeFirst, type Started, start, takePart } from './started.js';

/** One installation for all files of a run, started when the first of them asks for it and removed at the end of the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<Started> | undefined;
  const hook = await receiver();
  const begin = () =>
    start({ more: { 'action-executor': { CONNECTORS_FILE: hook.connectorsFile } } }, (config) => {
      takePart(config, added);
      routeFirst(config, [
        {
          kinds: ['crm.create_task'],
          accounts: ['hook-gmbh', 'mute-gmbh'],
          executor: 'action-executor',
          connector: 'webhook',
        },
      ]);
    });
  // The answer holds passwords: only who was told the path gets it.
  const path = `/${randomUUID()}`;
  const server = createServer((request, response) => {
    if (request.url !== path) return void response.writeHead(404).end();
    started ??= begin();
    started.then(
      ({ home, running: { run, superuserUrl, secrets } }) => {
        const { consoleToken, sandboxToken, readToken, apiKeys } = secrets;
        const shared: Shared = {
          home,
          run,
          superuserUrl,
          secrets: { consoleToken, sandboxToken, readToken, apiKeys },
          hook: { url: hook.url, secret: hook.secret },
        };
        response.end(JSON.stringify(shared));
      },
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('countersignInstallation', `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await (await started?.catch(() => undefined))?.stop();
    await hook.close();
  };
}

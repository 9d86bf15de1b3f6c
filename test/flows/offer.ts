import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Program } from '@countersign/local';
import type { Broker } from '@countersign/servers';
import type { TestProject } from 'vitest/node';
import { type Engines, enginesOf } from './engines.js';
import type { Installed } from './installation.js';
import type { Started } from './started.js';

/** What visitors of an installation are given. */
export const installedIn = ({ home, running: { run, superuserUrl, broker, secrets } }: Started): Installed => {
  const { consoleToken, sandboxToken, readToken, apiKeys } = secrets;
  const { admin: brokerAdmin } = broker as Broker;
  return { home, run, superuserUrl, brokerAdmin, secrets: { consoleToken, sandboxToken, readToken, apiKeys } };
};

/**
 * Offers one installation to all files of a run. `begin` starts it when the first file asks, and the returned function removes it.
 * The answer also contains `more`. `DELETE …/<service>` kills a service, `PUT …/<service>` starts it again and answers when it
 * runs; the same for `broker` and `database`.
 */
export async function offer(
  project: TestProject,
  begin: () => Promise<Started>,
  more: object = {},
): Promise<() => Promise<void>> {
  let started: Promise<Started> | undefined;
  let engines: Engines | undefined;
  // The answer contains passwords, so only callers that were given the path get it.
  const path = `/${randomUUID()}`;
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    if (url !== path && !url.startsWith(`${path}/`)) return void response.writeHead(404).end();
    started ??= begin();
    if (url !== path) {
      // The file that kills a service is in another process than the one that started it.
      const name = url.slice(path.length + 1) as Program | 'broker' | 'database';
      started
        .then<unknown>((installation) => {
          if (name === 'broker' || name === 'database') {
            engines ??= enginesOf(installation);
            return method === 'DELETE' ? engines[name].kill() : engines[name].back();
          }
          const { services, restart } = installation.running;
          return method === 'DELETE' ? services.get(name)?.kill() : restart(name);
        })
        .then(
          () => response.end(),
          (error) => response.writeHead(500).end(String(error)),
        );
      return;
    }
    started.then(
      (installation) => response.end(JSON.stringify({ ...installedIn(installation), ...more })),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('countersignInstallation', `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    const installation = await started?.catch(() => undefined);
    await installation?.running.stop();
    await engines?.stop();
    await installation?.stop();
  };
}

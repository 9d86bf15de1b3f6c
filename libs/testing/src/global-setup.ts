import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startTestBroker, type TestBroker } from './broker.js';
import { startTestPostgres, type TestPostgres } from './postgres.js';
import type { SharedServers } from './shared.js';

interface Run {
  users: number;
  readonly url: string;
  stop(): Promise<void>;
}

// Vitest evaluates this file once for each project; they share one run.
const shared = globalThis as { countersignRun?: Promise<Run> };

/**
 * Vitest's global setup: one broker and one Postgres for all files of a run. Each is started when the first test asks for it, and
 * removed at the end of the run.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.countersignRun ??= begin();
  const run = await shared.countersignRun;
  run.users++;
  project.provide('countersignServers', run.url);
  return async () => {
    if (--run.users > 0) return;
    delete shared.countersignRun;
    await run.stop();
  };
}

async function begin(): Promise<Run> {
  let broker: Promise<TestBroker> | undefined;
  let postgres: Promise<TestPostgres> | undefined;
  const find = async (which: string): Promise<SharedServers[keyof SharedServers]> => {
    if (which === 'broker') {
      broker ??= startTestBroker();
      const { bootstrap, admin } = await broker;
      return { bootstrap, admin };
    }
    postgres ??= startTestPostgres();
    return { url: (await postgres).url };
  };
  // The answers contain passwords, so only callers that were given the path get them.
  const path = `/${randomUUID()}/`;
  const server = createServer((request, response) => {
    const which = request.url?.startsWith(path) ? request.url.slice(path.length) : undefined;
    if (which !== 'broker' && which !== 'postgres') return void response.writeHead(404).end();
    find(which).then(
      (found) => response.end(JSON.stringify(found)),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return {
    users: 0,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path.slice(0, -1)}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      const started = await Promise.allSettled([broker, postgres]);
      await Promise.all(started.map((server) => (server.status === 'fulfilled' ? server.value?.stop() : undefined)));
    },
  };
}

import type { TestProject } from 'vitest/node';
import { startTestBroker, type TestBroker } from './broker.js';
import { startTestPostgres, type TestPostgres } from './postgres.js';
import './shared.js';

interface Servers {
  readonly broker: TestBroker;
  readonly postgres: TestPostgres;
}

// Vitest evaluates this file once for each project; they share one start.
const run = globalThis as { countersignServers?: { users: number; started: Promise<Servers> } };

/** Vitest's global setup: one broker and one Postgres for all files of a run, stopped and removed at its end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.countersignServers ??= { users: 0, started: start() };
  const servers = run.countersignServers;
  servers.users++;
  const { broker, postgres } = await servers.started;
  project.provide('countersign', {
    postgresUrl: postgres.url,
    kafka: { bootstrap: broker.bootstrap, admin: broker.admin },
  });
  return async () => {
    if (--servers.users > 0) return;
    delete run.countersignServers;
    await Promise.all([broker.stop(), postgres.stop()]);
  };
}

async function start(): Promise<Servers> {
  const [broker, postgres] = await Promise.allSettled([startTestBroker(), startTestPostgres()]);
  if (broker.status === 'fulfilled' && postgres.status === 'fulfilled')
    return { broker: broker.value, postgres: postgres.value };
  if (broker.status === 'fulfilled') await broker.value.stop();
  if (postgres.status === 'fulfilled') await postgres.value.stop();
  throw broker.status === 'rejected' ? broker.reason : (postgres as PromiseRejectedResult).reason;
}

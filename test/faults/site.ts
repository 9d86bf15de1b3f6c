import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program, Running } from '@countersign/local';
import type { SupervisedProcess } from '@countersign/servers';
import { type Engine, enginesOf } from '../flows/engines.js';
import { routeFirst, type Started, start } from '../flows/started.js';

/** A whole installation. Every part of it may be killed and started again. */
export interface Site {
  readonly running: Running;
  readonly home: string;
  /** The instance that ran from the start, or the one that replaced it. */
  first(name: Program): SupervisedProcess;
  /** Another instance beside the first. */
  second(name: Program): Promise<SupervisedProcess>;
  readonly broker: Engine;
  readonly database: Engine;
  stop(): Promise<void>;
}

/** Starts it, with tasks of the `hooked` accounts going to the webhook and room for all that a run sends and does. */
export async function site(hooked: readonly string[], connectorsFile: string): Promise<Site> {
  const started: Started = await start(
    {
      more: {
        'action-executor': { CONNECTORS_FILE: connectorsFile, CALL_TRIES: '5', CALL_BACKOFF_MS: '300' },
      },
    },
    (config) => {
      const charter = join(config, 'charters/sequencing-agent.yaml');
      writeFileSync(charter, readFileSync(charter, 'utf8').replace(/^( {2}\w+PerHour:) \d+$/gm, '$1 100000'));
      routeFirst(config, [
        { kinds: ['crm.create_task'], accounts: hooked, executor: 'action-executor', connector: 'webhook' },
      ]);
    },
  );
  const { running, home } = started;
  const engines = enginesOf(started);
  return {
    running,
    home,
    first: (name) => running.services.get(name) as SupervisedProcess,
    second: (name) => running.restart(name, { instance: 1 }),
    broker: engines.broker,
    database: engines.database,
    stop: async () => {
      // The services drain into broker and database, so these two stop last.
      await running.stop();
      await engines.stop();
      await started.stop();
    },
  };
}

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedDeployment } from '@countersign/contracts';
import { type Running, type StartOptions, startEverything } from '@countersign/local';
import { PortTaken, removeBroker, removePostgres, workspaceRoot } from '@countersign/servers';
import { temporaryDirectory } from '@countersign/testing';

export interface Started {
  readonly running: Running;
  readonly home: string;
  /** Stops everything and removes all its files. */
  stop(): Promise<void>;
}

/** A whole installation on free ports in a directory of its own, with the configuration as shipped, changed by `configure`. */
export async function start(
  more: Pick<StartOptions, 'more'> = {},
  configure: (folder: string) => void = () => undefined,
): Promise<Started> {
  for (let tries = 3; ; tries--) {
    const home = await temporaryDirectory('flows', remove);
    const config = join(home, 'config');
    cpSync(join(workspaceRoot, 'deploy/config'), config, { recursive: true });
    configure(config);
    try {
      const running = await startEverything({ home, config, ports: 'free', shortLived: true, ...more });
      return {
        running,
        home,
        stop: async () => {
          await running.stop();
          await remove(home);
        },
      };
    } catch (error) {
      const logs = error instanceof PortTaken ? '' : `\n${lastLines(home)}`;
      await remove(home);
      if (!(error instanceof PortTaken) || tries === 0) throw new Error(`${String(error)}${logs}`);
    }
  }
}

/** Removes the files of an installation. If a tool of the installation still uses a directory, this is an error. */
export async function remove(home: string): Promise<void> {
  await removeBroker(join(home, 'kafka'));
  await removePostgres(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
}

/** Adds sources that write to Kafka, agents and executors to those that a configuration as shipped has. */
export function takePart(config: string, added: { source: string; agent: string; executor: string }): void {
  const file = join(config, 'sources.yaml');
  const { agents, executors } = shippedDeployment;
  const { source, agent, executor } = added;
  const lines = [
    readFileSync(file, 'utf8').trimEnd(),
    `  - { name: ${source}, via: kafka, source: /sources/${source}, title: Added }`,
    `agents: [${[...agents, agent].join(', ')}]`,
    `executors: [${[...executors, executor].join(', ')}]`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/** Puts routes before those of a configuration, so that they win. */
export function routeFirst(config: string, routes: readonly Readonly<Record<string, unknown>>[]): void {
  const file = join(config, 'routes.yaml');
  const first = routes.map((route) => `- ${JSON.stringify(route)}`).join('\n');
  writeFileSync(file, `${first}\n${readFileSync(file, 'utf8')}`);
}

function lastLines(home: string): string {
  try {
    return readFileSync(join(home, 'kafka/broker.log'), 'utf8').split('\n').slice(-5).join('\n');
  } catch {
    return '';
  }
}

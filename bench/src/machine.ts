import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { kafkaImage, postgresImage, workspaceRoot } from '@countersign/servers';

/** The conditions under which the figures were measured. The figures mean nothing without them. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly kafka: string;
  readonly postgres: string;
  /** Short; with `+` where the checkout differs from it. */
  readonly commit: string;
  /** Average number of running processes in the minute before. Above 0.5, other programs were running. */
  readonly loadBefore: number;
  readonly date: string;
}

/** The present state of the machine, asked before anything is started, and the commit of the build in `folder`. */
export function thisMachine(folder: string = workspaceRoot): Machine {
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    kafka: versionOf(kafkaImage),
    postgres: versionOf(postgresImage),
    commit: commit(folder),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The servers are those of the images, wherever they run. */
const versionOf = (image: string): string => image.slice(image.indexOf(':') + 1);

function commit(folder: string): string {
  const git = (...args: string[]): string =>
    spawnSync('git', args, { cwd: folder, encoding: 'utf8' }).stdout?.trim() ?? '';
  const head = git('rev-parse', '--short', 'HEAD');
  if (head === '') return 'unknown';
  return git('status', '--porcelain') === '' ? head : `${head}+`;
}

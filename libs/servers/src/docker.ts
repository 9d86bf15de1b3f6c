import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/*
 * For machines without Java or without Postgres binaries: the same engines with the same settings from their official images.
 * The container runs in the foreground of a `docker run`, which passes signals on.
 */

/** Whether there is a Docker engine that answers. */
export function hasDocker(): Promise<boolean> {
  return run('docker', ['info', '--format', '{{.ServerVersion}}']).then(
    () => true,
    () => false,
  );
}

/** The name of the container and of the volume for an engine whose state belongs to `dir`. */
export function containerName(engine: 'kafka' | 'postgres', dir: string): string {
  return `countersign-${engine}-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`;
}

/** Records that `dir` runs in a container, and removes the container that a killed parent left running. Its volume stays. */
export async function claimContainer(engine: 'kafka' | 'postgres', dir: string): Promise<void> {
  writeFileSync(join(dir, 'docker'), '');
  await removeContainer(engine, dir);
}

/** Ends a container at once. */
export async function removeContainer(engine: 'kafka' | 'postgres', dir: string): Promise<void> {
  await run('docker', ['rm', '--force', containerName(engine, dir)]).catch(() => undefined);
}

/** Removes the container and its data, if `dir` ever ran in one. */
export async function removeVolume(engine: 'kafka' | 'postgres', dir: string): Promise<void> {
  if (!existsSync(join(dir, 'docker'))) return;
  await removeContainer(engine, dir);
  await run('docker', ['volume', 'rm', '--force', containerName(engine, dir)]).catch(() => undefined);
}

import { readFileSync, statfsSync } from 'node:fs';

/** The data of an installation with all its tests stays below 2 GB. Two may run, and programs need memory too. */
const leastBytes = 8 * 2 ** 30;

/** What `memoryFolder` looks at. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** `/proc/mounts`: one mount a line, `device folder type options …`. */
  mounts(): string;
  /** Free bytes of the file system of a folder. */
  free(folder: string): number;
}

const thisMachine: Machine = {
  platform: process.platform,
  mounts: () => readFileSync('/proc/mounts', 'utf8'),
  free: (folder) => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  },
};

/**
 * A folder whose files are in memory, if the machine has one with at least 8 GiB free where programs may run; otherwise undefined.
 * Tests create and delete thousands of databases and topics. On some disks this takes three times as long as the tests.
 */
export function memoryFolder(machine: Machine = thisMachine): string | undefined {
  if (machine.platform !== 'linux') return undefined;
  const folder = '/dev/shm';
  // The last mount of a folder is the one that is seen.
  const [, , type, options = ''] =
    machine
      .mounts()
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, place]) => place === folder) ?? [];
  if (type !== 'tmpfs' || options.split(',').some((option) => option === 'noexec' || option === 'ro')) return undefined;
  return machine.free(folder) >= leastBytes ? folder : undefined;
}

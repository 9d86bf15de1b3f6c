import { expect, test } from 'vitest';
import { type Machine, memoryFolder } from './memory.js';

const GiB = 2 ** 30;
const mounts = (...lines: string[]) => ['/dev/vda / ext4 rw,relatime 0 0', ...lines, ''].join('\n');
const machine = (changed: Partial<Machine> = {}): Machine => ({
  platform: 'linux',
  mounts: () => mounts('tmpfs /dev/shm tmpfs rw,nosuid,nodev,relatime 0 0'),
  free: () => 8 * GiB,
  ...changed,
});

test('a file system in memory with room takes the files of tests', () => {
  expect(memoryFolder(machine())).toBe('/dev/shm');
});

test.each<[string, Partial<Machine>]>([
  ['another system', { platform: 'darwin' }],
  ['too little room, as in a container', { free: () => 8 * GiB - 1 }],
  ['no such mount', { mounts: () => mounts() }],
  ['a folder on a disk', { mounts: () => mounts('/dev/vdb /dev/shm ext4 rw 0 0') }],
  ['no programs may run there', { mounts: () => mounts('tmpfs /dev/shm tmpfs rw,noexec 0 0') }],
  ['nothing may be written', { mounts: () => mounts('tmpfs /dev/shm tmpfs ro,relatime 0 0') }],
  [
    'another mount that hides it',
    { mounts: () => mounts('tmpfs /dev/shm tmpfs rw 0 0', 'shm /dev/shm tmpfs rw,noexec 0 0') },
  ],
])('%s: the files go where the system puts temporary files', (_, changed) => {
  expect(memoryFolder(machine(changed))).toBeUndefined();
});

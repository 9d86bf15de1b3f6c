import * as nodeFs from 'node:fs';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Files, FileTooLarge, ownFileBytes, textOfFile } from './own-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: number): string => {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return path;
};

/** The real ones, which count what is open and what was read. */
function counting() {
  const count = { open: 0, read: 0 };
  const fs: Files = {
    openSync: (path, flags) => {
      count.open++;
      return nodeFs.openSync(path, flags);
    },
    fstatSync: (descriptor) => nodeFs.fstatSync(descriptor),
    readSync: (descriptor, into, offset, length, position) => {
      const read = nodeFs.readSync(descriptor, into, offset, length, position);
      count.read += read;
      return read;
    },
    closeSync: (descriptor) => {
      count.open--;
      nodeFs.closeSync(descriptor);
    },
  };
  return { count, fs };
}

test('a file is read whole to its bound, in pieces of any size, and closed', () => {
  const { count, fs } = counting();
  const path = join(folder, 'text');
  const text = 'ü€'.repeat(70_000);
  writeFileSync(path, text);
  expect(textOfFile(path, fs)).toBe(text);
  expect(textOfFile(file('most', ownFileBytes), fs)).toHaveLength(ownFileBytes);
  expect(count.open).toBe(0);
});

test('a file above its bound is refused by its size before a byte of it is read', () => {
  const { count, fs } = counting();
  const read = () => textOfFile(file('large', ownFileBytes + 1), fs);
  expect(read).toThrow(FileTooLarge);
  expect(read).toThrow(expect.objectContaining({ code: 'has 1048577 bytes; at most 1048576 are read' }));
  expect(count).toEqual({ open: 0, read: 0 });
});

test('what does not say its size, and never ends, is read to the bound', () => {
  const { count, fs } = counting();
  expect(() => textOfFile('/dev/zero', fs, 200_000)).toThrow('has more than 200000 bytes; at most 200000 are read');
  expect(count.open).toBe(0);
  expect(count.read).toBeLessThan(300_000);
});

test('one that is not there is told as it always was', () => {
  expect(() => textOfFile(join(folder, 'none'), nodeFs)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

import { expect, test } from 'vitest';
import { readConfig } from './config.js';
import { problemLine } from './config-file.js';
import { type Folder, readFolder } from './config-folder.js';

const utf8 = (text: string): Uint8Array => Buffer.from(text);
type Entry = Uint8Array | 'folder' | 'pipe' | 'denied';
const folder = (entries: Readonly<Record<string, Entry>>): Folder => {
  const at = (path: string): Entry | undefined => entries[path.replace('/config/', '')];
  return {
    readdirSync: () => Object.keys(entries),
    statSync: (path) => {
      const found = at(path);
      return {
        isFile: () => typeof found !== 'string' || found === 'denied',
        isDirectory: () => found === 'folder',
        size: found?.length ?? 0,
      };
    },
    readFileSync: (path) => {
      const found = at(path);
      if (found instanceof Uint8Array) return found;
      throw Object.assign(new Error('denied'), { code: 'EACCES' });
    },
  };
};

test('a file that cannot be read is a problem that names it; none of them is waited for or left out in silence', () => {
  const files = readFolder(
    '/config',
    folder({
      charters: 'folder',
      'charters/big.yaml': new Uint8Array(262_145),
      'charters/latin.yaml': Buffer.from([0x61, 0xe9]),
      'charters/pipe.yaml': 'pipe',
      'plays/denied.yaml': 'denied',
      'plays/x.yaml': 'folder',
      'rules.yml': utf8('a: 1'),
    }),
  );
  const read = readConfig(files);
  const lines = read.ok ? [] : read.problems.map(problemLine);
  expect(lines).toEqual(
    expect.arrayContaining([
      'charters/big.yaml: has 262145 bytes; at most 262144 are read',
      'charters/latin.yaml: cannot be read: not UTF-8: byte 1 cannot be decoded',
      'charters/pipe.yaml: is no regular file',
      'plays/denied.yaml: cannot be read (EACCES)',
      'plays/x.yaml: is a folder, not a file',
      'rules.yml: is not read: did you mean "rules.yaml"?',
    ]),
  );
});

test('a folder of too many files, and a file with which all would be too much, are named with what they have and what they may have', () => {
  const names = Array.from({ length: 1_001 }, (_, n) => `plays/${n}.yaml`);
  const linesOf = (entries: Readonly<Record<string, Entry>>) => {
    const read = readConfig(readFolder('/config', folder(entries)));
    return read.ok ? [] : read.problems.map(problemLine);
  };
  expect(() => linesOf(Object.fromEntries(names.map((name) => [name, utf8('a')])))).toThrow(
    expect.objectContaining({ code: 'has 1001 files and folders; at most 1000 are read' }),
  );
  const full = Buffer.alloc(262_144, '#');
  const large = Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`plays/${10 + n}.yaml`, full]));
  const together = 'bytes; of all files together at most 8388608 are read';
  const problems = linesOf({ ...large, 'plays/99.yaml': utf8('id: 1') }).filter((line) => line.includes(together));
  expect(problems).toEqual([`plays/42.yaml: has 262144 ${together}`, `plays/99.yaml: has 5 ${together}`]);
});

test('what git, an editor or a mounted volume keeps is passed over, and a byte order mark is no character', () => {
  const hidden = ['.git/config', '..data', '..2026_01/rules.yaml', '.DS_Store', 'plays/.x.yaml.swp', 'README.md'];
  const entries = Object.fromEntries(hidden.map((path) => [path, utf8('x')]));
  const files = readFolder(
    '/config',
    folder({ ...entries, 'people.yaml': utf8('\ufeffpeople: [lea]'), 'plays/.hidden.yaml': utf8('x') }),
  );
  expect(files).toEqual([
    { path: 'README.md', text: 'x' },
    { path: 'people.yaml', text: 'people: [lea]' },
    { path: 'plays/.hidden.yaml', text: 'x' },
  ]);
});

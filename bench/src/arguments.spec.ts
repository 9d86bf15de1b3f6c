import { expect, test } from 'vitest';
import { help, loads, measurements, readArguments } from './arguments.js';

test('without options everything is measured, in full, into a table', () => {
  expect(readArguments([])).toEqual({
    json: false,
    quick: false,
    only: new Set(Object.keys(measurements)),
    loads: new Set(loads),
  });
});

test('what is chosen runs in the order of all measurements, however it was written', () => {
  const read = readArguments(['--only', 'A, f2,a', '--json', '--quick']);
  expect(read).toMatchObject({ json: true, quick: true });
  expect(read !== 'help' && [...read.only]).toEqual(['f2', 'a']);
});

test('an unknown measurement and an unknown option are named', () => {
  expect(() => readArguments(['--only', 'f2,z9'])).toThrow('"z9"');
  expect(() => readArguments(['--only', ''])).toThrow('""');
  expect(() => readArguments(['--fast'])).toThrow('--fast');
});

test('help is asked for by either name, and lists every measurement', () => {
  expect(readArguments(['--help'])).toBe('help');
  expect(readArguments(['-h', '--quick'])).toBe('help');
  for (const [id, what] of Object.entries(measurements)) expect(help).toMatch(new RegExp(`^  ${id} +${what}$`, 'm'));
});

test('loads are chosen as measurements are, and an unknown one is named', () => {
  const read = readArguments(['--loads', '10, REST']);
  expect(read !== 'help' && [...read.loads]).toEqual(['rest', '10']);
  expect(() => readArguments(['--loads', '11'])).toThrow('"11"');
});

test('another build is measured alone or in pairs, with what does not read the tables of one build', () => {
  expect(readArguments(['--build', '../before'])).toMatchObject({ build: '../before', only: new Set(['b', 'f']) });
  expect(readArguments(['--against', '../before', '--only', 'f'])).toMatchObject({
    against: { folder: '../before', pairs: 3 },
    only: new Set(['f']),
  });
  expect(readArguments(['--against', '../before', '--pairs', '5'])).toMatchObject({ against: { pairs: 5 } });
});

test.each([
  [['--build', 'a', '--against', 'b'], '--build and --against'],
  [['--against', ''], 'need a folder'],
  [['--pairs', '3'], 'needs --against'],
  [['--against', 'a', '--pairs', '0'], '"0"'],
  [['--against', 'a', '--pairs', 'many'], '"many"'],
  [['--against', 'a', '--only', 'd'], '"d"'],
])('%j is refused', (argv, message) => {
  expect(() => readArguments(argv)).toThrow(message);
});

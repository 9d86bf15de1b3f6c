import { expect, test } from 'vitest';
import { help, loads, measurements, onRequest, readArguments } from './arguments.js';

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
  for (const [id, what] of Object.entries({ ...measurements, ...onRequest }))
    expect(help).toMatch(new RegExp(`^  ${id} +${what}$`, 'm'));
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

test('the long run and the growth are measured only if they are named, with defaults of the issue', () => {
  expect(readArguments(['--only', 'long'])).toMatchObject({
    only: new Set(['long']),
    long: { minutes: 120, rate: 20, killEveryS: 90 },
  });
  expect(readArguments(['--only', 'growth'])).toMatchObject({
    only: new Set(['growth']),
    growth: { marks: [10_000, 100_000, 1_000_000] },
  });
  expect(readArguments([])).not.toHaveProperty('long');
});

test('the long run takes its length, its load, its kills and its seed', () => {
  const argv = ['--only', 'long', '--minutes', '4', '--rate', '5', '--kill-every', '0', '--seed', '7'];
  expect(readArguments(argv)).toMatchObject({ long: { minutes: 4, rate: 5, killEveryS: 0, seed: 7 } });
});

test.each([
  ['100000', [10_000, 100_000]],
  ['250000', [10_000, 100_000, 250_000]],
  ['1000', [1_000]],
  ['300,1000', [300, 1_000]],
])('growth to %s is measured at %j', (to, marks) => {
  expect(readArguments(['--only', 'growth', '--to', to])).toMatchObject({ growth: { marks } });
});

test.each([
  [['--minutes', '5'], 'needs --only long'],
  [['--only', 'f', '--seed', '5'], 'needs --only long'],
  [['--only', 'long', '--to', '5'], 'needs --only growth'],
  [['--only', 'long', '--minutes', '0'], '"0"'],
  [['--only', 'long', '--rate', 'fast'], '"fast"'],
  [['--only', 'long', '--seed', '4294967296'], '"4294967296"'],
  [['--only', 'growth', '--to', '1000,300'], 'ascending'],
  [['--only', 'growth', '--to', ''], '""'],
  [['--only', 'long', '--build', 'a'], '"long"'],
])('%j is refused', (argv, message) => {
  expect(() => readArguments(argv)).toThrow(message);
});

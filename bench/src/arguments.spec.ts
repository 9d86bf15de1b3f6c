import { expect, test } from 'vitest';
import { help, measurements, readArguments } from './arguments.js';

test('without options everything is measured, in full, into a table', () => {
  expect(readArguments([])).toEqual({ json: false, quick: false, only: new Set(Object.keys(measurements)) });
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

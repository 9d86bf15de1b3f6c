import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { checkSettings, misspelt, nearly, readEnvironment, settingsTable } from './environment.js';
import { limitVariables, runtimeEnvironment } from './runtime-environment.js';
import {
  choice,
  file,
  json,
  optionalFile,
  optionalText,
  port,
  requiredText,
  text,
  Unusable,
  whole,
} from './variables.js';

const folder = mkdtempSync(join(tmpdir(), 'environment-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (content: string): string => {
  const path = join(folder, 'secret-path');
  writeFileSync(path, content);
  return path;
};

const about = { description: 'what it is' };
const every = z.object({
  WHOLE: whole({ ...about, preset: 7, unit: 'ms', most: 10 }),
  PORT: port(about),
  TEXT: text({ ...about, preset: 'a' }),
  WORD: choice(['one', 'two'], { ...about, preset: 'one' }),
  URL: optionalText({
    ...about,
    secret: true,
    fits: (given) => (URL.canParse(given) ? undefined : 'a URL is expected'),
  }),
  NEEDED: requiredText({ ...about, expected: 'the folder of something' }),
  JSON_FILE: file({ ...about, holds: 'a list', secret: true, read: json(z.array(z.number())) }),
  OFF_FILE: optionalFile({
    ...about,
    holds: 'a word',
    read: (content) => {
      if (content === 'ours') throw new Unusable('it is ours');
      if (content === 'theirs') throw new Error(`a parser quotes ${content}`);
      return content;
    },
  }),
});

test('what is not set has its preset, and an empty variable counts as not set', () => {
  const least = { NEEDED: 'x', JSON_FILE: put('[1]') };
  const presets = { WHOLE: 7, PORT: undefined, TEXT: 'a', WORD: 'one', NEEDED: 'x', JSON_FILE: [1] };
  expect(readEnvironment(every, least)).toEqual(presets);
  const names = ['WHOLE', 'PORT', 'TEXT', 'WORD', 'URL', 'OFF_FILE'];
  expect(readEnvironment(every, { ...least, ...Object.fromEntries(names.map((name) => [name, ''])) })).toEqual(presets);
  const set = { WHOLE: '10', PORT: '0', TEXT: 'b', WORD: 'two', URL: 'http://a', OFF_FILE: put('[2]') };
  expect(readEnvironment(every, { ...least, ...set, JSON_FILE: put('[2]') })).toEqual({
    ...{ WHOLE: 10, PORT: 0, TEXT: 'b', WORD: 'two', URL: 'http://a', OFF_FILE: '[2]' },
    ...{ NEEDED: 'x', JSON_FILE: [2] },
  });
});

test('all that cannot be used is told at once, each by its variable with what is expected, and no value or path', () => {
  const wrong = {
    ...{ WHOLE: 'secret', PORT: 'secret', WORD: 'secret', URL: 'secret', OFF_FILE: '/secret' },
    JSON_FILE: put('["secret"'),
  };
  const read = () => readEnvironment(every, wrong);
  expect(read).toThrow(
    '7 settings cannot be used. WHOLE: a whole number from 1 to 10 is expected, in ms. PORT: a port number is expected. ' +
      'WORD: one or two is expected. URL: a URL is expected. NEEDED is not set: the folder of something. ' +
      'JSON_FILE: the file that it names is not a list: it is not JSON. OFF_FILE: the file that it names cannot be read (ENOENT)',
  );
  expect(read).toThrow(/^(?!.*secret)/);
});

test.each(['', ' ', '1e1', '0x1', '-1', '0', '11', '1.5', '12345678901'])(
  '%j is no whole number from 1 to 10',
  (given) => {
    const read = () => readEnvironment(every.pick({ WHOLE: true }), { WHOLE: given });
    if (given === '') expect(read()).toEqual({ WHOLE: 7 });
    else expect(read).toThrow(/^WHOLE: /);
  },
);

test('of what reads a file only our own words are told', () => {
  const read = (content: string) => () => readEnvironment(every.pick({ OFF_FILE: true }), { OFF_FILE: put(content) });
  expect(read('ours')).toThrow(/^OFF_FILE: the file that it names is not a word: it is ours$/);
  expect(read('theirs')).toThrow(/^OFF_FILE: the file that it names is not a word$/);
  expect(() => readEnvironment(every.pick({ JSON_FILE: true }), { JSON_FILE: put('["x"]') })).toThrow(
    /^JSON_FILE: .* 0: /,
  );
});

test('a variable that is misspelt by a letter is told of; one of another program, or of nobody, is not', () => {
  const env = {
    BATCH_EVENT: '1',
    KAFKA_BORKERS: 'x',
    EVENT_BYTES: '1',
    PATH: '/bin',
    SANDBOX_TOKENS_FILE: 'x',
    HOTS: 'x',
  };
  expect(misspelt(runtimeEnvironment, env)).toEqual([
    'BATCH_EVENT is set and not read: did you mean BATCH_EVENTS?',
    'KAFKA_BORKERS is set and not read: did you mean KAFKA_BROKERS?',
  ]);
  const warnings: string[] = [];
  const check = () => checkSettings(runtimeEnvironment, env, (warning) => warnings.push(warning));
  expect(check).toThrow('KAFKA_BROKERS is not set');
  expect(warnings).toHaveLength(2);
});

test.each([
  ['abcdef', 'abcdef', false],
  ['abcdef', 'abcxef', true],
  ['abcdef', 'abdef', true],
  ['abcdef', 'abccdef', true],
  ['abcdef', 'abdcef', true],
  ['abcdef', 'bacdfe', false],
  ['abcdef', 'abcdefgh', false],
])('%s and %s differ by one letter: %s', (a, b, expected) => {
  expect(nearly(a, b)).toBe(expected);
});

test('the table tells of every variable its default, its kind, whether it is secret, and what it is', () => {
  expect(settingsTable(every, { PORT: 1 }).split('\n')).toEqual([
    '| variable | default | kind | |',
    '| --- | --- | --- | --- |',
    '| `WHOLE` | 7 | ms, 1 to 10 | what it is |',
    '| `TEXT` | `a` | text | what it is |',
    '| `WORD` | `one` | `one`, `two` | what it is |',
    '| `URL` |  | text, secret | what it is |',
    '| `NEEDED` | required | text | what it is |',
    '| `JSON_FILE` | required | file, secret | a file with a list. what it is |',
    '| `OFF_FILE` | off | file | a file with a word. what it is |',
  ]);
  expect(settingsTable(z.object(limitVariables))).toContain(
    '| `BATCH_EVENTS` | 500 | number | events in one transaction |',
  );
});

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = 'test/corpus/README.md';

interface Source {
  readonly path: string;
  readonly text: string;
}

/** The folder of `apps`, `libs` or `test` that a file is in: how the tables name a place. */
const placeOf = (path: string): string => path.split('/')[1] ?? path;

/** Number of a case → the places whose tests carry it: in a title, or in the field of a case of the corpus. */
function carried(sources: readonly Source[]): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const { path, text } of sources) {
    for (const [, number] of text.matchAll(/(?:\[case |^ +case: )(\d+)/gm)) {
      const numbered = Number(number);
      found.set(numbered, (found.get(numbered) ?? new Set()).add(placeOf(path)));
    }
  }
  return found;
}

const numbers = (text: string): number[] => [...text.matchAll(/\d+/g)].map(([number]) => Number(number));

interface Row {
  readonly cases: readonly number[];
  readonly places: readonly string[];
}

/** The tables of the README, the numbers that wait, and how many cases there are. */
function listed(text: string): { rows: Row[]; waiting: number[]; total: number } {
  const rows = [...text.matchAll(/^\| ([\d, ]+?) *\| ([a-z, -]+?) *\|.*\|$/gm)].map(([, cases = '', places = '']) => ({
    cases: numbers(cases),
    places: places.split(', '),
  }));
  const waiting = numbers(/^Waiting for later .*: ([\d, ]+)\.$/m.exec(text)?.[1] ?? '');
  return { rows, waiting, total: Number(/has (\d+) cases/.exec(text)?.[1] ?? 0) };
}

/** Where the README and the titles of the tests differ; empty where they say the same. */
function differences(text: string, sources: readonly Source[]): string[] {
  const { rows, waiting, total } = listed(text);
  const inTests = carried(sources);
  const wrong: string[] = [];
  for (const { cases, places } of rows) {
    for (const number of cases) {
      const found = inTests.get(number) ?? new Set();
      for (const place of places) if (!found.has(place)) wrong.push(`no test of ${place} carries case ${number}`);
      for (const place of found) if (!places.includes(place)) wrong.push(`case ${number} is not listed for ${place}`);
    }
  }
  const shown = rows.flatMap((row) => row.cases);
  for (const number of inTests.keys()) {
    if (!shown.includes(number)) wrong.push(`a test carries case ${number}, which is not listed as shown`);
  }
  const all = [...shown, ...waiting];
  for (let number = 1; number <= total; number++) {
    const times = all.filter((listed) => listed === number).length;
    if (times !== 1) wrong.push(`case ${number} is listed ${times} times`);
  }
  for (const number of all) if (number < 1 || number > total) wrong.push(`there is no case ${number}`);
  return wrong;
}

const paths = [
  'apps/*/src/**/*.spec.ts',
  'libs/*/src/**/*.spec.ts',
  'tools/*/src/**/*.spec.ts',
  'test/**/*.spec.ts',
  'test/corpus/*.yaml',
];
const sources = paths
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  // What is planted below is no test of a case.
  .filter((path) => !path.startsWith('test/architecture/') && !path.includes('/node_modules/'))
  .map((path) => ({ path, text: read(path) }));

test('the tables of the corpus list every case of the acceptance list once, and the tests that carry its number', () => {
  const { rows, total } = listed(read(readme));
  expect(total).toBeGreaterThan(60);
  expect(rows.flatMap((row) => row.cases).length).toBeGreaterThan(40);
  expect(differences(read(readme), sources)).toEqual([]);
});

describe('it is found', () => {
  const page = [
    'The list has 4 cases.',
    '',
    '| shown | where        | how |',
    '| ----- | ------------ | --- |',
    '| 1, 2  | gate, corpus |     |',
    '| 3     | gate         | x   |',
    '',
    'Waiting for later rules and services: 4.',
  ].join('\n');
  const tests: Source[] = [
    { path: 'libs/gate/src/a.spec.ts', text: "test('[case 1] [case 2] a', f); test.each([])('[case 3] %s', f);" },
    { path: 'test/corpus/a.yaml', text: '- title: b\n  case: 1\n- title: c\n  case: 2\n' },
  ];
  const and = (path: string, text: string): Source[] => [...tests, { path, text }];

  test('that nothing differs', () => expect(differences(page, tests)).toEqual([]));

  test.each<[string, string, readonly Source[], string]>([
    ['that a listed case lost its test', page, tests.slice(0, 1), 'no test of corpus carries case 1'],
    [
      'that a title lost its number',
      page,
      [{ ...(tests[1] as Source), text: '- title: b' }],
      'no test of gate carries case 3',
    ],
    [
      'that a test elsewhere carries a number',
      page,
      and('apps/cli/src/b.spec.ts', "'[case 3] x'"),
      'case 3 is not listed for cli',
    ],
    [
      'that a test shows what waits',
      page,
      and('libs/gate/src/b.spec.ts', "'[case 4] x'"),
      'a test carries case 4, which is not listed as shown',
    ],
    [
      'that a test carries a number beyond the list',
      page,
      and('libs/gate/src/b.spec.ts', "'[case 7] x'"),
      'a test carries case 7, which is not listed as shown',
    ],
    ['that a case is missing', page.replace('services: 4', 'services: 3'), tests, 'case 4 is listed 0 times'],
    ['that a case is listed twice', page.replace('services: 4', 'services: 3, 4'), tests, 'case 3 is listed 2 times'],
    ['that there is no such case', page.replace('services: 4', 'services: 4, 5'), tests, 'there is no case 5'],
  ])('%s', (_what, text, given, detail) => {
    expect(differences(text, given)).toContain(detail);
  });
});

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { program } from './program.js';

/* Everything that a page does a command does too, through the same route of the console. */

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Routes that no command asks for, and why. */
const withoutCommand: Readonly<Record<string, string>> = {
  'POST /v1/slack/actions': 'Slack calls it, with its signature',
  'GET /v1/sign-in': 'a browser signs in; the command line has a token, and makes the link for a browser',
  'POST /v1/session': 'a browser signs in',
  'GET /v1/session': 'a browser asks for its own session; `whoami` tells whose a token is',
  'DELETE /v1/session': 'a browser signs out',
  'GET /v1/sign-in/oidc': 'a browser goes to the identity provider',
  'GET /v1/sign-in/oidc/callback': 'a browser comes back from it',
  'GET /{path}': 'the pages themselves',
  'GET /v1/funnel': 'for other programs; `status` has the same numbers out of GET /v1/now',
  'GET /v1/reviews/{subjectId}/facts':
    'a page asks it to know when to ask for a dry run again; `review dry-run` asks for that at once',
  'GET /v1/events': 'for other programs; `stories` tells the same steps',
  'GET /health': '`status` asks it of every service in the same way, so not through the client of the console',
  'GET /health/live': 'for whatever runs the process',
  'GET /health/ready': 'for whatever runs the process',
  'GET /openapi.json': 'for other programs',
};

/** The text of a literal that begins at `at`, without its quotes, and with `*` for each part that is filled in. */
function literalAt(text: string, at: number): string | undefined {
  const quote = text[at];
  if (quote !== "'" && quote !== '`') return undefined;
  let found = '';
  for (let i = at + 1; i < text.length && text[i] !== quote; i += 1) {
    if (quote !== '`' || !text.startsWith('${', i)) {
      found += text[i];
      continue;
    }
    const begin = i + 2;
    for (let depth = 1, j = begin; ; j += 1) {
      if (text[j] === '{') depth += 1;
      if (text[j] === '}') depth -= 1;
      if (depth > 0) continue;
      found += `{${text.slice(begin, j)}}`;
      i = j;
      break;
    }
  }
  return found;
}

/** Behind the type arguments of a call that may have some. */
function behindTypes(text: string, at: number): number {
  if (text[at] !== '<') return at;
  for (let depth = 0, i = at; i < text.length; i += 1) {
    if (text[i] === '<') depth += 1;
    if (text[i] === '>') depth -= 1;
    if (depth === 0) return i + 1;
  }
  return at;
}

/** Every route of the console that a source asks for: `GET /v1/reviews/*`. Throws where it cannot tell which one. */
function askedFor(text: string): string[] {
  const calls = [...text.matchAll(/\bconsole\.(get|post|lines)\b|(?<!function )\browsOf\b(?=[<(])/g)];
  return calls.flatMap((call) => {
    const open = behindTypes(text, call.index + call[0].length);
    if (text[open] !== '(') return [];
    const argument = /^\((?:\s*s,)?\s*/.exec(text.slice(open)) as RegExpExecArray;
    const path = pathAt(text, open + argument[0].length);
    // The helper that reads page after page is given its path.
    if (path === 'page') return [];
    if (!path.startsWith('/')) throw new Error(`which route is asked for? ${text.slice(call.index, open + 80)}`);
    return [`${call[1] === 'post' ? 'POST' : 'GET'} ${patternOf(path)}`];
  });
}

/** The path that stands there: a literal, or a name that was given one before. */
function pathAt(text: string, at: number): string {
  const literal = literalAt(text, at);
  const name = literal === undefined ? /^\w+/.exec(text.slice(at))?.[0] : /^\{(\w+)\}/.exec(literal)?.[1];
  if (name === undefined) return literal ?? '';
  const given = [...text.slice(0, at).matchAll(new RegExp(`const ${name} = (?=['\`])`, 'g'))].at(-1);
  if (!given) return name;
  const value = literalAt(text, given.index + given[0].length) ?? '';
  return literal === undefined ? value : literal.replace(`{${name}}`, value);
}

/** A path without its query, with `*` for each segment that is filled in. What is filled in elsewhere is a query. */
const patternOf = (path: string): string =>
  (path.split('?')[0] ?? '').replace(/\/\{[^}]*(?:\{[^}]*\}[^}]*)*\}(?=\/|$|\{)/g, '/*').replace(/\{.*$/, '');

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const { paths } = JSON.parse(read('libs/contracts/generated/openapi/console.json')) as Document;
const routes = Object.entries(paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);
const anyNames = (route: string): string => route.replace(/\{[^}]+\}/g, '*');
/** The commands, and the tools and the client that they call. */
const places = ['apps/cli/src/shell/**/*.ts', 'tools/{audit,probe}/src/*.ts', 'libs/client/src/*.ts'];
const sources = globSync(places, { cwd: root }).filter((path) => !path.endsWith('.spec.ts'));
const used = new Set(sources.flatMap((path) => askedFor(read(path))));

test('every route of the console is used by a command, or stands in the list with its reason', () => {
  expect(sources.length).toBeGreaterThan(10);
  expect(routes.length).toBeGreaterThan(50);
  expect(routes.filter((route) => !used.has(anyNames(route))).sort()).toEqual(Object.keys(withoutCommand).sort());
});

test('no command asks for a route that the console does not have', () => {
  const known = new Set(routes.map(anyNames));
  expect([...used].filter((route) => !known.has(route))).toEqual([]);
});

test('a route is found however a command writes it, and what cannot be read is told', () => {
  const planted = `
    await s.console.get<{ rows: Row<string>[] }>('/v1/plain?limit=500');
    const path = \`/v1/things/\${encodeURIComponent(await wholeId(s, 'thing', given))}\`;
    await s.console.get<Thing>(\`\${path}/parts?\${query({ page })}\`);
    await s.console.post(path, { note });
    await s.console.get<Rows>(\`/v1/rows\${filter}\`);
    await rowsOf<Card>(s, \`/v1/cards\${query}\`, 'cards');
    for await (const line of await s.console.lines('/v1/stream')) note(line);`;
  expect(askedFor(planted)).toEqual([
    'GET /v1/plain',
    'GET /v1/things/*/parts',
    'POST /v1/things/*',
    'GET /v1/rows',
    'GET /v1/cards',
    'GET /v1/stream',
  ]);
  expect(() => askedFor('s.console.get(elsewhere(id))')).toThrow('which route is asked for?');
});

test('the table of docs/console.md names every route that has a command, and commands that there are', () => {
  const rows = read('docs/console.md')
    .split('\n')
    .filter((line) => line.includes('| `GET /') || line.includes('| `POST /'))
    .map((line) => line.split('|').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)));
  const named = rows.flatMap((cells) => cells[3] ?? []);
  expect(named.sort()).toEqual(routes.filter((route) => !(route in withoutCommand)).sort());
  const commands = rows.flatMap((cells) => cells[4] ?? []);
  expect(commands.length).toBeGreaterThan(30);
  for (const command of commands) expect(isCommand(command.split(' ')), command).toBe(true);
});

/** Whether the command line has a command of this name, and the options that are named with it. */
function isCommand(words: readonly string[]): boolean {
  let command: ReturnType<typeof program> = program();
  for (const word of words.filter((each) => !each.startsWith('<'))) {
    if (word.startsWith('--')) {
      if (!command.options.some(({ long }) => long === word)) return false;
      continue;
    }
    const found = command.commands.find((sub) => sub.name() === word);
    if (!found) return false;
    command = found as typeof command;
  }
  return true;
}

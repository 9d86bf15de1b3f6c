import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkEvent, envelope, shippedDeployment, topicNamed, topology } from '@countersign/contracts';
import { type SettingsModule, settingsParts } from '@countersign/local';
import { servicePlans } from '@countersign/local/compose';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** A command of commander, as far as its help is asked for. */
interface Command {
  name(): string;
  readonly commands: readonly Command[];
  helpInformation(): string;
}
/** The command line as it is written: it is nobody's dependency, and nothing has to be built. */
const { program } = (await import(join(root, 'apps/cli/src/program.ts'))) as { readonly program: () => Command };
/** A module of settings, as it is written. */
const sourceOf = async (file: string): Promise<SettingsModule> => (await import(join(root, file))) as SettingsModule;

const readme = read('README.md');
const promises = read('docs/promises.md');
const configuration = read('docs/configuration.md');
const clients = read('docs/clients.md');
const pages = ['README.md', 'CONTRIBUTING.md', 'AGENTS.md', ...globSync('docs/**/*.md', { cwd: root })].map(
  (path) => [path] as const,
);

interface Promised {
  readonly file: string;
  readonly name: string;
}

/** What git leaves in a page that two people changed. */
const conflict = /^(?:<{7} |={7}$|>{7} ).*/m;

/** Rows of a table that end in a file and a test, and what blocks say that they are shown by. */
const promised = (text: string): Promised[] => [
  ...[...text.matchAll(/^\| .+ \| `([^`|]+\.spec\.ts)` \| (.+) \|$/gm)].map(([, file = '', name = '']) => ({
    file,
    name,
  })),
  ...[...text.matchAll(/<!-- shown by: (\S+) › (.+) -->/g)].map(([, file = '', name = '']) => ({ file, name })),
];

/** Whether a file has a test of this name: the name, after the numbers of its cases, is the first argument of a call. */
function hasTest({ file, name }: Promised): boolean {
  if (!existsSync(join(root, file))) return false;
  const text = read(file);
  const literal = (quoted: string): string => quoted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return (["'", '"', '`'] as const).some((quote) => {
    const written = quote === "'" ? name.replaceAll("'", "\\'") : name;
    return new RegExp(`\\(\\s*${quote}(?:\\[case \\d+\\] )*${literal(written)}${quote}`).test(text);
  });
}

test('the README is short: it is read to the end', () => {
  expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(12_000);
});

describe('what is promised', () => {
  test('every test that a promise rests on exists in its file', () => {
    expect(promised(promises).length).toBeGreaterThan(20);
    expect(promised(promises).filter((promise) => !hasTest(promise))).toEqual([]);
  });

  test('a planted promise without a test is found', () => {
    const planted = promised('| all is well | `test/architecture/readme.spec.ts` | nothing ever fails |');
    expect(planted).toHaveLength(1);
    expect(planted.filter(hasTest)).toEqual([]);
  });
});

test('every mutant that was tried has the test that found it', () => {
  const rows = read('docs/mutants.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (mutant|---)/.test(line));
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.filter((row) => promised(row).length !== 1)).toEqual([]);
});

describe.each(pages)('%s', (path) => {
  const text = read(path);

  test('names files that exist', () => {
    const named = [
      ...[...text.matchAll(/`((?:apps|libs|deploy|test|docs|\.ci)\/[^`\s*]+)`/g)].map(([, name = '']) => name),
      ...[...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, name = '']) =>
        join(path, '..', name).replace(/^\.\//, ''),
      ),
    ].filter((name) => !/[<{]|\/dist\//.test(name)); // What a build makes is not there before it.
    expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  test('holds no conflict of a merge', () => {
    expect(text.match(conflict)).toBeNull();
  });

  test('names tests that exist', () => {
    expect(promised(text).filter((promise) => !hasTest(promise))).toEqual([]);
  });

  test('names scripts of npm that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/\bnpm (?:run ([a-z-]+)|(start|test))\b/g)].map(
      ([, run, short]) => run ?? short ?? '',
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('names commands and options of countersign that exist', () => {
    for (const words of commandsOf(text)) expect(unknownIn(words), words.join(' ')).toEqual([]);
  });
});

test('a planted conflict of a merge is found', () => {
  for (const line of [`${'<'.repeat(7)} HEAD`, '='.repeat(7), `${'>'.repeat(7)} 052ef8f (A page)`]) {
    expect(`one\n${line}\ntwo`).toMatch(conflict);
  }
});

test('a planted command and a planted option are found unknown', () => {
  expect(unknownIn(['approve-everything'])).toEqual(['approve-everything']);
  expect(unknownIn(['stop', '--everything'])).toEqual(['--everything']);
});

/** The words after `npx countersign`, up to the first value. */
function commandsOf(text: string): string[][] {
  const found = [...text.matchAll(/npx countersign ([^`\n#]+)/g)].map(([, words = '']) => words.trim().split(/\s+/));
  return [...new Map(found.map((words) => [words.join(' '), words])).values()];
}

/** The help of a command, from the same program that `npx countersign` runs. */
function helpOf(words: readonly string[]): string {
  const named = (command: Command, word: string): Command | undefined =>
    command.commands.find((sub) => sub.name() === word);
  return words.reduce<Command>((command, word) => named(command, word) ?? command, program()).helpInformation();
}

/** Words that the command's own help does not know: a command where commands are listed, and every option. */
function unknownIn(words: readonly string[]): string[] {
  let path: string[] = [];
  const unknown: string[] = [];
  for (const word of words) {
    const help = helpOf(path);
    if (word.startsWith('--')) {
      if (!new RegExp(`^ +(-\\w, )?${word}\\b`, 'm').test(help)) unknown.push(word);
    } else if (/^Commands:$/m.test(help)) {
      if (!new RegExp(`^ {2}${word}\\b`, 'm').test(help)) return [...unknown, word];
      path = [...path, word];
    }
  }
  return unknown;
}

describe('the configuration table', () => {
  test('is what the schemas of the services say: npm run generate writes it anew', async () => {
    expect(await settingsParts(configuration, sourceOf)).toBe(configuration);
  });

  test('a variable that is described otherwise makes it stale, and a table without a place is named', async () => {
    const stale = configuration.replace('| `BATCH_EVENTS` | 500 |', '| `BATCH_EVENTS` | 501 |');
    expect(stale).not.toBe(configuration);
    expect(await settingsParts(stale, sourceOf)).toBe(configuration);
    const without = configuration.replace('<!-- generated: limits -->', '');
    await expect(settingsParts(without, sourceOf)).rejects.toThrow('has no part "limits"');
  });

  test('tells of every variable what it is, and of each whether it has to be set', () => {
    const rows = [...configuration.matchAll(/^\| `([A-Z_]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)];
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.filter(([, , , kind = '', what = '']) => kind.trim() === '' || what.trim() === '')).toEqual([]);
    expect(rows.filter(([, name, preset]) => preset === 'required' && name === 'BATCH_EVENTS')).toEqual([]);
  });

  test('lists every file that a service is given, and the variable of every port', () => {
    const files = servicePlans.flatMap(({ secrets }) => secrets);
    const ports = servicePlans.map(({ portVariable }) => portVariable);
    expect(ports.length).toBeGreaterThanOrEqual(9);
    expect(files.length).toBeGreaterThan(9);
    const missing = [...new Set([...files, ...ports])].filter((name) => !configuration.includes(`\`${name}\``));
    expect(missing, 'docs/configuration.md has no row or word for these').toEqual([]);
  });
});

describe('the examples', () => {
  test('the signal that is posted with curl is one that its contract takes', () => {
    const block = /```sh\n(KEY=.*?)```/s.exec(clients)?.[1] ?? '';
    const headers = [...block.matchAll(/-H '(ce-[a-z]+): ([^']+)'/g)].map(([, name = '', value = '']) => [
      name.replace('ce-', ''),
      value,
    ]);
    const data = JSON.parse(/-d '([^']+)'/.exec(block)?.[1] ?? '');
    const event = envelope({ ...Object.fromEntries(headers), time: '2026-11-21T10:00:00Z' }, data, 'ce-');
    expect(event).toMatchObject({ ok: true });
    if (!event.ok) return;
    const topic = topicNamed('signals.inbound.website.v1', topology(shippedDeployment));
    expect(checkEvent(topic, event.event)).toMatchObject({ ok: true });
  });

  test('what is published and read by hand is on topics of the topology, as the principals that may', () => {
    const topics = topology(shippedDeployment);
    const named = [...clients.matchAll(/`((?:signals|actions|controls|consents|policies|record)\.[a-z.-]*v1)`/g)].map(
      ([, name = '']) => name,
    );
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(() => topicNamed(name, topics)).not.toThrow();
    expect(topicNamed('signals.inbound.upstream.v1', topics).writer).toBe('upstream');
    expect(topicNamed('actions.settled.downstream.v1', topics).writer).toBe('downstream');
    for (const name of ['actions.approved.v1', 'controls.v1', 'consents.v1', 'policies.v1'])
      expect(topicNamed(name, topics).readers).toContain('downstream');
  });
});

import {
  type ActionKindName,
  actionKinds,
  defaultFirstReviewed,
  sandboxPort,
  servicePorts,
} from '@countersign/contracts';

/** A file of the repository; the path is relative to its root. */
export interface WrittenFile {
  readonly path: string;
  readonly content: string;
}

/** The request cannot be fulfilled. The message says what is wrong and what is expected. */
export class Unfit extends Error {}

const MODEL = 'paid-media-agent';
const TOPOLOGY = 'libs/contracts/src/topology.ts';
const INSTALLED = 'libs/contracts/src/installed.ts';
const CONFIGURATION = 'docs/configuration.md';
const BUILD = 'tsconfig.json';
/** `npm run generate` builds the sources of the documents. */
const DOCUMENTS = 'tools/openapi/tsconfig.json';

/**
 * The files of a new agent, and those that must list it: an app like the smallest existing one, its name and port, its kinds, its
 * place in the build and in the documentation, and a charter in which a person decides each action. `read` gives the text of a file
 * of the repository, undefined if there is none. Throws `Unfit`.
 */
export function newAgent(
  name: string,
  kinds: readonly string[],
  read: (path: string) => string | undefined,
): readonly WrittenFile[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*-agent$/.test(name))
    throw new Unfit(
      `"${name}" is no name of an agent: expected are lower-case words with hyphens, the last is "agent"`,
    );
  if (read(`apps/${name}/package.json`) !== undefined) throw new Unfit(`apps/${name} is there already`);
  if (kinds.length === 0) throw new Unfit(`${name} needs at least one kind of action: ${known()}`);
  const unknown = kinds.find((kind) => !Object.hasOwn(actionKinds, kind));
  if (unknown !== undefined) throw new Unfit(`there is no kind of action "${unknown}": ${known()}`);

  const text = (path: string): string => {
    const found = read(path);
    if (found === undefined) throw new Unfit(`${path} is missing: call this in the root of the repository`);
    return found;
  };
  const words = name.replace(/-agent$/, '');
  const constant = `${camel(words)}Rules`;
  const named = (path: string): string =>
    text(path)
      .replaceAll(MODEL, name)
      .replaceAll('paid-media-rules', `${words}-rules`)
      .replaceAll('paidMediaRules', constant)
      .replaceAll('PaidMediaModule', `${pascal(words)}Module`);
  const app = `apps/${name}`;
  const port = 1 + Math.max(sandboxPort, ...Object.values(servicePorts));

  return [
    ...['package.json', 'tsconfig.json', 'src/main.ts', 'src/module.ts'].map((path) => ({
      path: `${app}/${path}`,
      content: named(`apps/${MODEL}/${path}`),
    })),
    { path: `${app}/src/core/${words}-rules.ts`, content: rules(words, constant) },
    { path: `${app}/src/core/${words}-rules.spec.ts`, content: spec(words, constant) },
    { path: `${app}/README.md`, content: page(name, words, port) },
    {
      path: `deploy/config/charters/${name}.yaml`,
      content: charter(name, kinds, text(`deploy/config/charters/${MODEL}.yaml`)),
    },
    edited(TOPOLOGY, text, '} as const satisfies Readonly<Record<string, number>>;', `  '${name}': ${port},\n`),
    edited(
      INSTALLED,
      text,
      '} as const satisfies Partial<Record<Service,',
      `  '${name}': [${kinds.map((kind) => `'${kind}'`).join(', ')}],\n`,
    ),
    { path: BUILD, content: referred(text(BUILD), app) },
    { path: DOCUMENTS, content: referred(text(DOCUMENTS), `../../${app}`) },
    { path: CONFIGURATION, content: documented(text(CONFIGURATION), name, port) },
  ];
}

const known = (): string => `the kinds are ${Object.keys(actionKinds).join(', ')}`;

const pascal = (words: string): string => words.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
const camel = (words: string): string => {
  const name = pascal(words);
  return name.charAt(0).toLowerCase() + name.slice(1);
};

/** A file with additional lines before the one that begins with `before`. */
function edited(path: string, text: (path: string) => string, before: string, lines: string): WrittenFile {
  const content = text(path);
  if (content.split(before).length !== 2) throw new Unfit(`${path}: expected one line that begins with "${before}"`);
  return { path, content: content.replace(before, `${lines}${before}`) };
}

function referred(content: string, app: string): string {
  const build = JSON.parse(content) as { references: { path: string }[] };
  const last = build.references.findLastIndex(({ path }) => /(?:^|\/)apps\/[^/]+-agent$/.test(path));
  const references = build.references.toSpliced(last + 1, 0, { path: app });
  return `${JSON.stringify({ ...build, references }, null, 2)}\n`;
}

const documented = (content: string, name: string, port: number): string =>
  content.replace(
    /` \| 8081 … \d+ in this order/,
    `\`, \`${name.toUpperCase().replaceAll('-', '_')}_PORT\` | 8081 … ${port} in this order`,
  );

/** Whether one of the kinds reaches people by e-mail, so that a limit of none would leave nothing of it. */
const sends = (kinds: readonly string[]): boolean =>
  kinds.some((kind) => Object.hasOwn(actionKinds, kind) && actionKinds[kind as ActionKindName].channel === 'email');

const firstReviewed = `# Actions of a kind that people must have decided before the agent may act alone with it.
firstReviewed: ${defaultFirstReviewed}
`;

const charter = (name: string, kinds: readonly string[], model: string): string =>
  model
    .replace(/^#.*\n/, `# What the ${name.replace(/-agent$/, '')} agent may do. What is not listed here is refused.\n`)
    .replace(/^agent: .*$/m, `agent: ${name}`)
    .replace(/(?:^#.*\n)*^firstReviewed: .*\n/m, firstReviewed)
    .replace(/sendsPerHour: \d+/, `sendsPerHour: ${sends(kinds) ? 20 : 0}`)
    .replace(/(^kinds:\n)(?: {2}.*\n)+/m, `$1${kinds.map((kind) => `  ${kind}: suggest\n`).join('')}`);

const rules = (
  words: string,
  constant: string,
): string => `import { decline, type RulePlanner } from '@countersign/agent';

/** The same task and facts give the same plan. */
export const ${constant}: RulePlanner = {
  name: '${words} rules',
  plan: (task) => decline(\`no rule covers \${task.kinds.join(', ')} yet\`),
};
`;

const spec = (
  words: string,
  constant: string,
): string => `import { aTask, at, factsFor } from '@countersign/agent/testing';
import { expect, test } from 'vitest';
import { ${constant} } from './${words}-rules.js';

test('a task that no rule covers is declined with the reason', () => {
  const task = aTask();
  const plan = ${constant}.plan(task, factsFor(task, []), at);
  expect(plan).toMatchObject({ proposals: [], declined: expect.stringContaining('no rule covers') });
});
`;

const page = (name: string, words: string, port: number): string => `# ${name}

Turns tasks into proposals. This package is only the rules. \`libs/agent\` describes everything around them: topics, tables, the model planner, environment and settings.

**HTTP.** Port ${port}: \`GET /health\`, \`GET /proposals\` (with the reading token).

**To change** a rule: \`src/core/${words}-rules.ts\`. Limits of a proposal are in \`libs/agent\` (the play's steps) and in \`libs/gate\` (the charter).
`;

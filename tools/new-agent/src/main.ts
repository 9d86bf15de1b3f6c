import fs, { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { textOfFile } from '@countersign/contracts';
import { newAgent, Unfit } from './new-agent.js';

/* `npm run new-agent -- <name> <kind> …` in the root of the repository. */

const help = `npm run new-agent -- <name> <kind> [<kind> …]    makes an agent in this repository

  <name>   lower-case words with hyphens that end in "-agent", for example nurture-agent
  <kind>   a kind of action that it may plan, for example crm.create_task

It writes the app, its charter, and its lines in the lists that have to know it. It changes nothing if something is wrong.
`;

const [name, ...kinds] = process.argv.slice(2);
if (name === undefined || name === '--help' || name === '-h') {
  process.stdout.write(help);
  process.exitCode = name === undefined ? 2 : 0;
} else {
  const root = process.cwd();
  try {
    const files = newAgent(name, kinds, (path) => {
      const file = join(root, path);
      return existsSync(file) ? textOfFile(file, fs) : undefined;
    });
    for (const { path, content } of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const lines = files.map(({ path }) => `  ${path}`).join('\n');
    const next: readonly (readonly [string, string])[] = [
      ['npm run lock && npm ci', 'the new package'],
      ['npm run format && npm run generate', 'what follows from the lists'],
      [`apps/${name}/src/core`, 'its rules and their spec'],
      [`deploy/config/charters/${name}.yaml`, 'its limits; a person decides each action until you change that'],
      ['deploy/config/plays', 'a play that gives it tasks'],
      ['npm run check', 'shows what is missing'],
    ];
    const width = Math.max(...next.map(([step]) => step.length));
    const steps = next.map(([step, reason]) => `  ${step.padEnd(width)}  ${reason}`).join('\n');
    process.stdout.write(`written:\n${lines}\n\nnext:\n${steps}\n`);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

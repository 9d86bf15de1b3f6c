import fs from 'node:fs';
import { type Deployment, deploymentFileOf, problemLine, readDeployment, textOfFile } from '@countersign/contracts';
import { deploymentOf, type Installation } from './core/installation.js';
import { printable } from './core/text.js';
import { codeOf, Failure } from './failure.js';

const remedy = 'set CONFIG_DIR to the folder that the services read, such as deploy/config';

/**
 * The sources, agents and executors in force, from the place where the services read them: the configuration that the environment
 * names, otherwise the list of what was started in run.json. Throws a `Failure` that says what to do. It never assumes the shipped
 * list.
 */
export function deploymentIn(
  env: Readonly<Record<string, string | undefined>>,
  { deployment, from }: Pick<Installation, 'deployment' | 'from'>,
): Deployment {
  const file = deploymentFileOf(env);
  if (file !== undefined) return readIn(file);
  const reason = (detail: string): Failure =>
    new Failure(2, `nothing says which sources, agents and executors there are: ${detail}`);
  if (from === undefined)
    throw reason(
      `there is no .countersign/run.json here or above. Call this in the folder where \`npm start\` runs, or ${remedy}`,
    );
  const known = deploymentOf({ deployment });
  if (!known) throw reason(`${from} does not. Start again with \`npm start\`, which writes it anew, or ${remedy}`);
  return known;
}

function readIn(file: string): Deployment {
  let text: string;
  try {
    text = textOfFile(file, fs);
  } catch (error) {
    const reason = `${file} cannot be read (${codeOf(error)}), and it lists the sources, agents and executors`;
    throw new Failure(2, `${reason}: ${remedy}`);
  }
  const read = readDeployment([{ path: 'sources.yaml', text }]);
  if (read.ok) return read.deployment;
  const problems = printable(read.problems.map(problemLine)).join('\n  ');
  throw new Failure(2, `${file} does not list the sources, agents and executors as expected; mend it:\n  ${problems}`);
}

import { type ConfigProblem, problemLine, wholeText } from '@countersign/contracts';
import type { Running } from './running.js';

interface Check {
  readonly valid: boolean;
  readonly problems: readonly ConfigProblem[];
  readonly inForce: number;
  readonly differs: boolean;
  readonly differences: readonly { readonly file: string }[];
}

/** The number of problems that fit on a screen. The page and the command show all of them. */
const mostProblems = 5;

/**
 * What a person must know about the configuration folder. A start publishes only the first policy, so an edited folder differs from
 * the policy in force until a person publishes it. Undefined if the two are equal, or if the console does not say.
 */
export async function folderNote({ run, secrets }: Pick<Running, 'run' | 'secrets'>): Promise<string | undefined> {
  try {
    const answer = await fetch(`${run.http.console}/v1/policies/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.consoleToken}` },
      signal: AbortSignal.timeout(5_000),
    });
    if (!answer.ok) return undefined;
    return noteOf(JSON.parse(await wholeText(answer.body, 8_388_608)) as Check);
  } catch {
    return undefined;
  }
}

function noteOf({ valid, problems, inForce, differs, differences }: Check): string | undefined {
  if (!valid) {
    const lines = problems.slice(0, mostProblems).map((found) => `  ${problemLine(found)}`);
    const more = problems.length > mostProblems ? [`  and ${problems.length - mostProblems} more`] : [];
    return [
      `The configuration folder is not valid; policy ${inForce} stays in force:`,
      ...lines,
      ...more,
      'npx countersign policy check --console tells all of it.',
    ].join('\n');
  }
  if (!differs) return undefined;
  const files = [...new Set(differences.map(({ file }) => file))].join(', ');
  return [
    `The configuration folder differs from policy ${inForce}, which stays in force: ${files}.`,
    'A start publishes nothing. npx countersign policy diff shows what would change, npx countersign policy publish publishes it; so does the page Policy.',
  ].join('\n');
}

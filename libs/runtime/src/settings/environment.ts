import { distance } from '@countersign/contracts';
import type { z } from 'zod';

export type Env = Readonly<Record<string, string | undefined>>;

/** The variables of a service: a schema whose members are built by the functions of `variables.ts`. */
export type Environment = z.ZodObject;

/** Every setting of a service that cannot be used, each by its variable. Nothing of a value is in it. */
export class WrongSettings extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.length === 1 ? problems[0] : `${problems.length} settings cannot be used. ${problems.join('. ')}`);
    this.name = 'WrongSettings';
  }
}

/** Reads the variables. An empty one counts as not set. Throws `WrongSettings` with all that cannot be used. */
export function readEnvironment<E extends Environment>(environment: E, env: Env): z.output<E> {
  const names = Object.keys(environment.shape);
  const given = Object.fromEntries(names.map((name) => [name, env[name] || undefined]));
  const read = environment.safeParse(given);
  if (read.success) return read.data;
  throw new WrongSettings(
    read.error.issues.map(({ path, message }) => {
      const name = String(path[0] ?? '');
      return message.startsWith('is not set') ? `${name} ${message}` : `${name}: ${message}`;
    }),
  );
}

/** Throws what `readEnvironment` throws; `warn` hears of what is set and not read. */
export function checkSettings(environment: Environment, env: Env, warn: (detail: string) => void): void {
  for (const detail of misspelt(environment, env)) warn(detail);
  readEnvironment(environment, env);
}

/** What is set and looks like one of the variables, misspelt by one letter: it is not read, and its writer thinks that it is. */
export function misspelt(environment: Environment, env: Env): readonly string[] {
  const known = Object.keys(environment.shape);
  return Object.keys(env).flatMap((name) => {
    if (name.length < 6 || known.includes(name) || elsewhere.has(name)) return [];
    const meant = known.find((candidate) => nearly(candidate, name));
    return meant === undefined ? [] : [`${name} is set and not read: did you mean ${meant}?`];
  });
}

/** Variables of other programs that differ from one of a service's by a letter. */
const elsewhere = new Set(['SANDBOX_TOKEN_FILE', 'SANDBOX_TOKENS_FILE']);

/** Whether two words differ by one letter: another one, one more, one less, or two that changed places. */
export const nearly = (a: string, b: string): boolean => Math.abs(a.length - b.length) <= 1 && distance(a, b) === 1;

/** The rows of a Markdown table of these variables, as `docs/configuration.md` has it. */
export function settingsTable(environment: Environment, but: Environment['shape'] = {}): string {
  const rows = Object.entries(environment.shape)
    .filter(([name]) => !(name in but))
    .map(([name, schema]) => {
      const { description = '', kind = '', preset, secret } = (schema as z.ZodType).meta() ?? {};
      const cells = [`\`${name}\``, preset ?? 'required', `${kind}${secret ? ', secret' : ''}`, description];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    });
  return ['| variable | default | kind | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

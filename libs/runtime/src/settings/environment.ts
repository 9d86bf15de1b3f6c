import { distance } from '@countersign/contracts';
import type { z } from 'zod';

export type Env = Readonly<Record<string, string | undefined>>;

/** The variables of a service: a schema that is built with the functions of `variables.ts`. */
export type Environment = z.ZodObject;

/** All settings of a service that cannot be used, each by its variable. The error holds no value. */
export class WrongSettings extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.length === 1 ? problems[0] : `${problems.length} settings cannot be used. ${problems.join('. ')}`);
    this.name = 'WrongSettings';
  }
}

/** Reads the variables. An empty one counts as not set. Throws `WrongSettings` with all variables that cannot be used. */
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

/** Throws what `readEnvironment` throws. `warn` gets the variables that are set and not read. */
export function checkSettings(environment: Environment, env: Env, warn: (detail: string) => void): void {
  for (const detail of misspelt(environment, env)) warn(detail);
  readEnvironment(environment, env);
}

/** Variables that are set and differ from a known name by one letter. They are not read, although somebody expects that. */
export function misspelt(environment: Environment, env: Env): readonly string[] {
  const known = Object.keys(environment.shape);
  return Object.keys(env).flatMap((name) => {
    if (name.length < 6 || known.includes(name) || elsewhere.has(name)) return [];
    const meant = known.find((candidate) => nearly(candidate, name));
    return meant === undefined ? [] : [`${name} is set and not read: did you mean ${meant}?`];
  });
}

/** Variables of other programs whose names differ from a service's variable by one letter. */
const elsewhere = new Set(['SANDBOX_TOKEN_FILE', 'SANDBOX_TOKENS_FILE']);

/** Whether two words differ by one letter: it is replaced, added, missing, or swapped with the next one. */
export const nearly = (a: string, b: string): boolean => Math.abs(a.length - b.length) <= 1 && distance(a, b) === 1;

/** The rows of a Markdown table of these variables, for `docs/configuration.md`. */
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

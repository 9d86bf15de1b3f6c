import fs from 'node:fs';
import { textOfFile } from '@countersign/contracts';
import { z } from 'zod';

/*
 * The documentation of a variable, beside its schema: `description` in plain words; `kind`, such as `ms`, `bytes` or `file`;
 * `preset`, as the documentation shows it (absent: the variable has to be set); and `secret`, if the value or the content of its
 * file must stay secret.
 */
declare module 'zod' {
  interface GlobalMeta {
    readonly kind?: string | undefined;
    readonly preset?: string | undefined;
    readonly secret?: boolean | undefined;
  }
}

interface Given {
  readonly description: string;
  readonly secret?: boolean;
}

const notSet = (more = '') => ({ error: () => `is not set${more}` });

/** An environment variable that has to be set. */
const needed = (more?: string) => z.string(notSet(more));

/** A whole number of a unit. */
export function whole(options: {
  readonly description: string;
  readonly preset: number;
  readonly unit?: string;
  readonly least?: number;
  readonly most?: number;
}) {
  const { preset, unit = 'number', least = 1, most = 9_999_999_999, description } = options;
  const bounds = most < 1_000_000 ? `, ${least} to ${most}` : '';
  const upTo = most === 9_999_999_999 ? `from ${least}` : `from ${least} to ${most}`;
  return z
    .string()
    .default(String(preset))
    .transform((text, context) => {
      // JavaScript also reads other texts as numbers: ' ' would be 0.
      if (/^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
      context.addIssue(`a whole number ${upTo} is expected${unit === 'number' ? '' : `, in ${unit}`}`);
      return z.NEVER;
    })
    .meta({ description, kind: `${unit}${bounds}`, preset: String(preset) });
}

/** A port number; 0 is any free port. */
export const port = ({ description, preset }: { readonly description: string; readonly preset?: number }) =>
  z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined) return preset;
      if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
      context.addIssue('a port number is expected');
      return z.NEVER;
    })
    .meta({ description, kind: 'port', preset: preset === undefined ? "the service's" : String(preset) });

/** A text with a default. */
export const text = ({ description, preset }: { readonly description: string; readonly preset: string }) =>
  z
    .string()
    .default(preset)
    .meta({ description, kind: 'text', preset: `\`${preset}\`` });

/** A text that may be absent. `fits` describes the expected text. */
export const optionalText = (
  options: Given & {
    readonly preset?: string;
    readonly kind?: string;
    readonly fits?: (text: string) => string | undefined;
  },
) =>
  z
    .string()
    .optional()
    .check(({ value, issues }) => {
      const expected = value === undefined ? undefined : options.fits?.(value);
      if (expected !== undefined) issues.push({ code: 'custom', input: '', message: expected });
    })
    .meta({
      description: options.description,
      kind: options.kind ?? 'text',
      preset: options.preset ?? '',
      secret: options.secret,
    });

/** A text that has to be set. */
export const requiredText = (options: Given & { readonly kind?: string; readonly expected?: string }) =>
  needed(options.expected === undefined ? '' : `: ${options.expected}`).meta({
    description: options.description,
    kind: options.kind ?? 'text',
    secret: options.secret,
  });

/** One of several fixed words. */
export const choice = <const Words extends readonly [string, ...string[]]>(
  words: Words,
  { description, preset }: { readonly description: string; readonly preset: NoInfer<Words[number]> },
) =>
  z
    .enum(words, { error: () => `${words.slice(0, -1).join(', ')} or ${words.at(-1)} is expected` })
    .default(preset as never)
    .meta({ description, kind: words.map((word) => `\`${word}\``).join(', '), preset: `\`${preset}\`` });

/** Says what is wrong with the content of a file, in our own words and without a quotation from it. */
export class Unusable extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'Unusable';
  }
}

interface FileOf<T> extends Given {
  /** What the file should hold, as in "a private Ed25519 JWK". */
  readonly holds: string;
  /**
   * Reads the content. The message of an error is shown only if it is `Unusable`, because the message of a parser quotes the
   * file.
   */
  readonly read: (text: string, path: string) => T;
}

/**
 * The path of a file that is read at the start. Errors do not show the path, because somebody may have set a secret in its place.
 */
export const file = <T>(options: FileOf<T>) =>
  needed(`: the path of a file with ${options.holds}`).transform(readBy(options)).meta(fileMeta(options));

/** The same, but it may be absent. */
export const optionalFile = <T>(options: FileOf<T>) =>
  z
    .string()
    .transform(readBy(options))
    .optional()
    .meta({ ...fileMeta(options), preset: 'off' });

const fileMeta = ({ description, holds, secret }: FileOf<unknown>) => ({
  description: `a file with ${holds}${description === '' ? '' : `. ${description}`}`,
  kind: 'file',
  secret,
});

function readBy<T>({ holds, read }: FileOf<T>) {
  return (path: string, context: z.core.$RefinementCtx<string>): T => {
    let content: string;
    try {
      content = textOfFile(path, fs);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      context.addIssue(`the file that it names cannot be read (${code ?? 'unknown'})`);
      return z.NEVER;
    }
    try {
      return read(content, path);
    } catch (error) {
      const why = error instanceof Unusable ? `: ${error.message}` : '';
      context.addIssue(`the file that it names is not ${holds}${why}`);
      return z.NEVER;
    }
  };
}

/** Reads JSON by a schema, for `file`. `placeOf` describes the place of a fault, for a content whose names may be secret. */
export function json<S extends z.ZodType>(
  schema: S,
  parse: (text: string) => unknown = JSON.parse,
  placeOf: (path: readonly PropertyKey[]) => string = (path) => path.join('.'),
) {
  return (text: string): z.output<S> => {
    let content: unknown;
    try {
      content = parse(text);
    } catch {
      throw new Unusable('it is not JSON');
    }
    const read = schema.safeParse(content);
    if (read.success) return read.data;
    const issue = read.error.issues[0];
    throw new Unusable(`${placeOf(issue?.path ?? []) || 'content'}: ${issue?.message ?? 'invalid'}`);
  };
}

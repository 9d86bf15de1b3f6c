import fs from 'node:fs';
import { Name, Sha256, textOfFile } from '@countersign/contracts';
import { type Limits, readLimits } from '@countersign/runtime';
import { z } from 'zod';

/** Callers carry out and ask, viewers read the pages, operators set campaigns. */
export const roles = ['connector', 'viewer', 'operator'] as const;
export type Role = (typeof roles)[number];

/** Somebody who has a token. */
export interface Holder {
  readonly name: string;
  readonly roles: readonly Role[];
}

/** What an operator sets, read once at start. */
export interface Settings {
  readonly databaseUrl: string;
  /** Another role that owns the tables and migrates them, where the own one may not. */
  readonly migrationUrl: string;
  readonly host: string;
  readonly port: number;
  /** By the SHA-256 of their tokens, in lower-case hexadecimal. */
  readonly holders: ReadonlyMap<string, Holder>;
  readonly limits: Limits;
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');

const Tokens = z
  .array(z.strictObject({ sha256: Sha256, name: Name, roles: z.array(z.enum(roles)).min(1) }))
  .min(1)
  .refine((list) => new Set(list.map(({ sha256 }) => sha256)).size === list.length, 'a token is there twice');

/** Reads the settings. Throws, naming the variable, where one is missing or cannot be used: the process must not start. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const databaseUrl = env.DATABASE_URL;
  if (!databaseUrl) throw new Error('DATABASE_URL is not set');
  const port = Number(env.PORT || 8089);
  if (!/^\d*$/.test(env.PORT ?? '') || port > 65_535)
    throw new Error(`PORT: a port number is expected, not "${env.PORT}"`);
  return {
    databaseUrl,
    migrationUrl: env.DATABASE_MIGRATION_URL || databaseUrl,
    host: env.HOST || '127.0.0.1',
    port,
    holders: holders(env.SANDBOX_TOKENS_FILE),
    limits: readLimits(env),
  };
}

function holders(path: string | undefined): Settings['holders'] {
  const variable = 'SANDBOX_TOKENS_FILE';
  if (!path) throw new Error(`${variable} is not set: a JSON list of {"sha256", "name", "roles"}`);
  let content: unknown;
  try {
    content = JSON.parse(textOfFile(path, fs));
  } catch (error) {
    // A JSON fault quotes what stands around it.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as NodeJS.ErrnoException).code;
    throw new Error(`${variable}: ${path} cannot be read: ${reason}`);
  }
  const read = Tokens.safeParse(content);
  if (read.success) return new Map(read.data.map(({ sha256, ...holder }) => [sha256, holder]));
  const issue = read.error.issues[0];
  throw new Error(`${variable}: ${path}: ${issue?.path.join('.') || 'content'}: ${issue?.message ?? 'invalid'}`);
}

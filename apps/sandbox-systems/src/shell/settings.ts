import { Name, Sha256, sandboxPort } from '@countersign/contracts';
import {
  type Env,
  file,
  json,
  type Limits,
  limitVariables,
  processVariables,
  readEnvironment,
  readLimits,
} from '@countersign/runtime';
import { z } from 'zod';

/** Connectors make and query calls, viewers read the pages, operators set campaigns. */
export const roles = ['connector', 'viewer', 'operator'] as const;
export type Role = (typeof roles)[number];

/** A holder of a token. */
export interface Holder {
  readonly name: string;
  readonly roles: readonly Role[];
}

/** What an operator sets, read once at start. */
export interface Settings {
  readonly databaseUrl: string;
  /** For a separate role that owns and migrates the tables, if the service's own role may not. */
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

const variables = {
  SANDBOX_TOKENS_FILE: file({
    description: 'The roles are `connector`, `viewer` and `operator`',
    holds: 'a JSON list of `{"sha256", "name", "roles"}`',
    read: (text) => new Map(json(Tokens)(text).map(({ sha256, ...holder }) => [sha256, holder])),
  }),
};

/** All environment variables that the process reads. */
export const environment = z.object({ ...processVariables, ...limitVariables, ...variables });

/** Reads the settings. If some are missing or unusable, it throws an error that names the variables: the process must not start. */
export function readSettings(env: Env): Settings {
  const read = readEnvironment(environment, env);
  return {
    databaseUrl: read.DATABASE_URL,
    migrationUrl: read.DATABASE_MIGRATION_URL ?? read.DATABASE_URL,
    host: read.HOST,
    port: read.PORT ?? sandboxPort,
    holders: read.SANDBOX_TOKENS_FILE,
    limits: readLimits(env),
  };
}

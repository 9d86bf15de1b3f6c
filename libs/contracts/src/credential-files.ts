import { z } from 'zod';

/*
 * The credentials that clients of an installation use, beside `run.json` in the folder `credentials`: a file for each principal,
 * mode 0600, that contains nothing of another principal. So whoever gets one file can do what its principal may, and no more.
 */

/** The path of a principal's credential, below the folder. */
export const credentialFile = {
  /** The login of a principal of the topology at the broker. */
  broker: (principal: string): string => `broker/${principal}.json`,
  /** The API key of a source that publishes over HTTP. */
  source: (source: string): string => `sources/${source}.json`,
  /** The tokens of a person. */
  person: (person: string): string => `people/${person}.json`,
  /** The token of the pages that are only read. */
  reader: (): string => 'reader.json',
  /** The login of the audit at the database. It reads what it compares, and changes nothing. */
  auditor: (): string => 'auditor.json',
} as const;

export type CredentialKind = keyof typeof credentialFile;

const Text = z.string().min(1).max(2000);

/** The content of each kind of file. */
export const credentials = {
  broker: z.object({ username: Text, password: Text }),
  source: z.object({ apiKey: Text }),
  /** `token` is for console and record, `sandboxToken` for the pages of the sandbox systems. */
  person: z.object({ token: Text, sandboxToken: Text.optional() }),
  reader: z.object({ readToken: Text }),
  auditor: z.object({ databaseUrl: Text }),
} as const satisfies Record<CredentialKind, z.ZodType>;

export type CredentialOf<K extends CredentialKind> = z.infer<(typeof credentials)[K]>;

/** The role with which the audit reads tables. Each service grants it the tables that the audit compares. */
export const auditorRole = 'countersign_auditor';

/**
 * The tables that the audit reads of every service, with the views over them, and the tables of single services. A view gives a
 * role no right that it lacks on the table, so both are granted.
 */
export const auditedTables = {
  every: ['own_state', 'state_rows', 'state_positions', 'published_state', 'followed_state', 'followed_positions'],
  'guardrail-validator': ['verdicts', 'permits', 'reservations'],
} as const;

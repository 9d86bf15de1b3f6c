import fs from 'node:fs';
import { join } from 'node:path';
import {
  type CredentialKind,
  type CredentialOf,
  credentialFile,
  credentials,
  textOfFile,
} from '@countersign/contracts';
import type { Installation } from './core/installation.js';
import { codeOf, Failure } from './failure.js';

type Where = Pick<Installation, 'credentials' | 'from'>;

/** What each kind of credential gives access to, and what to do without its file. */
const opens: Record<CredentialKind, (name: string) => { readonly what: string; readonly instead?: string }> = {
  broker: (name) => ({ what: `the login of ${name} at the broker` }),
  source: (name) => ({ what: `the API key of ${name}` }),
  person: (name) => ({ what: `the tokens of ${name} for console and record`, instead: 'COUNTERSIGN_TOKEN' }),
  reader: () => ({
    what: 'the reading token of the orchestrator and of the health pages',
    instead: 'COUNTERSIGN_READ_TOKEN',
  }),
  auditor: () => ({ what: "the audit's login at the database" }),
};

/**
 * The credential of one principal, from its own file and no other. Throws a `Failure` that names the file, its purpose and what to
 * do, and nothing of the content of the file.
 */
export function credentialOf<K extends CredentialKind>(
  { credentials: folder, from }: Where,
  kind: K,
  name = '',
): CredentialOf<K> {
  const { what, instead } = opens[kind](name);
  const orSet = instead === undefined ? '' : `set ${instead}, or `;
  if (folder === undefined)
    throw new Failure(
      2,
      `${from ?? 'there is no .countersign/run.json here or above'}: ${what} is missing: ${orSet}call this in the folder where \`npm start\` runs`,
    );
  const file = join(folder, credentialFile[kind](name));
  const fails = (why: string, remedy: string): Failure => new Failure(2, `${file} ${why}. It holds ${what}: ${remedy}`);
  let text: string;
  try {
    text = textOfFile(file, fs);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? fails(
          'does not exist',
          `${orSet}have it given to you, and name its folder in COUNTERSIGN_CREDENTIALS. \`npm start\` writes the file`,
        )
      : fails(
          `cannot be read (${codeOf(error)})`,
          `${orSet}call this as its owner, or have a credential of your own given to you`,
        );
  }
  const read = credentials[kind].safeParse(jsonIn(text));
  if (read.success) return read.data as CredentialOf<K>;
  throw fails('is not as expected', `start again with \`npm start\`, which writes the file anew`);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The caller's token, for console and record. Undefined if no installation is known: then the service says which credential it
 * requires.
 */
export function personToken(where: Where & Pick<Installation, 'token' | 'person'>): string | undefined {
  if (where.token !== undefined || where.credentials === undefined || where.person === undefined) return where.token;
  return credentialOf(where, 'person', where.person).token;
}

/** The token for pages that are only read. Undefined in the same case. */
export function readingToken(where: Where & Pick<Installation, 'readToken'>): string | undefined {
  if (where.readToken !== undefined || where.credentials === undefined) return where.readToken;
  return credentialOf(where, 'reader').readToken;
}

/** The value, or undefined after a `Failure`, for callers that can continue without it. `report` receives the reason. */
export function ifThere<T>(read: () => T, report: (why: string) => void = () => undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    report(error.message);
    return undefined;
  }
}

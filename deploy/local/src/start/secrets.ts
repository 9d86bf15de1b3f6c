import { createHash, createPublicKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatVerifierKey, verifierKey } from '@countersign/record';

/** Everything secret that one installation on this machine needs; made at the first start, kept in mode 0600. */
export interface Secrets {
  /** The installation's id. It lies beside the keys, so that whoever has lost them has lost it too. */
  readonly installation: string;
  /** Passwords at the broker by principal, of those too that the configuration names no more. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Passwords at the database by program: others than at the broker, since a client may be given the login of one at the broker. */
  readonly databasePasswords: Readonly<Record<string, string>>;
  /** API keys by source, for `POST /v1/signals`. */
  readonly apiKeys: Readonly<Record<string, string>>;
  /** The token of the person who started it, for the console and the record. */
  readonly consoleToken: string;
  /** Whoever started it reads the sandbox systems' pages with it, and the sample sets up its campaigns. */
  readonly sandboxToken: string;
  /** The token of the pages of services that have no people of their own. */
  readonly readToken: string;
  /** The audit's login at the database. */
  readonly auditorPassword: string;
  /** Whose tokens `consoleToken` and `sandboxToken` are. */
  readonly person: string;
  /** Public keys that permits are verified with, as a JWKS. */
  readonly permitKeys: { keys: Record<string, unknown>[] };
  /** The key that checkpoints of the record are verified with, as a C2SP verifier key. */
  readonly recordKey: string;
  /** Paths of the files that services read, by environment variable. */
  readonly files: Readonly<Record<string, string>>;
}

/** The names of the files that services read, by environment variable. */
export const secretFiles = {
  PERMIT_SIGNING_KEY_FILE: 'permit-signing.jwk',
  PERMIT_VERIFY_KEYS_FILE: 'permit-keys.json',
  CONTACT_POINTS_PRIVATE_KEY_FILE: 'contact-points.private.jwk',
  CONTACT_POINTS_PUBLIC_KEY_FILE: 'contact-points.public.jwk',
  IDENTITY_KEY_FILE: 'identity.hex',
  COMMITMENT_KEY_FILE: 'commitment.hex',
  CHECKPOINT_SIGNING_KEY_FILE: 'checkpoint-signing.pem',
  RECORD_KEY_FILE: 'record-key.txt',
  API_KEYS_FILE: 'api-keys.sha256.json',
  CONSOLE_TOKENS_FILE: 'console-tokens.json',
  AUDIT_TOKENS_FILE: 'audit-tokens.json',
  SANDBOX_TOKEN_FILE: 'sandbox-connector.token.json',
  SANDBOX_TOKENS_FILE: 'sandbox-tokens.sha256.json',
  READ_TOKEN_FILE: 'read-token.sha256.json',
} as const;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const token = (): string => randomBytes(24).toString('base64url');

/** The name of the record that is kept on this machine. */
export const recordOrigin = 'countersign.local/record';

/** Reads the secrets under `dir`, making those that are missing. */
export function secrets(
  dir: string,
  names: { principals: readonly string[]; programs: readonly string[]; httpSources: readonly string[]; person: string },
): Secrets {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const ensureFile = (name: string, make: () => string): string => {
    const file = join(dir, name);
    if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  };
  /** A JSON object that gains what is asked for and loses nothing. */
  const grow = (name: string, wanted: readonly string[]): Record<string, string> => {
    const file = ensureFile(name, () => '{}');
    const known = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    const grown = { ...known };
    for (const secretName of wanted) grown[secretName] ??= token();
    if (Object.keys(grown).length > Object.keys(known).length)
      writeFileSync(file, JSON.stringify(grown, null, 2), { mode: 0o600 });
    return grown;
  };

  const passwords = grow('passwords.json', names.principals);
  const databasePasswords = grow('database-passwords.json', names.programs);
  const known = grow('api-keys.json', names.httpSources);
  // The key of a source that is gone is kept for its return, and opens nothing until then.
  const apiKeys = Object.fromEntries(names.httpSources.map((name) => [name, known[name] as string]));
  const consoleToken = grow('console-token.json', ['token']).token as string;

  const sandboxToken = grow('sandbox-token.json', ['token']).token as string;
  const connectorToken = grow(secretFiles.SANDBOX_TOKEN_FILE, ['token']).token as string;
  const readToken = grow('read-token.json', ['token']).token as string;

  const auditorPassword = grow('auditor.json', ['password']).password as string;

  const signing = ensureFile(secretFiles.PERMIT_SIGNING_KEY_FILE, () => {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    return JSON.stringify({ ...jwk, kid: `permits-${sha256(String(jwk.x)).slice(0, 8)}`, alg: 'EdDSA', use: 'sig' });
  });
  const { d: _private, ...publicKey } = JSON.parse(readFileSync(signing, 'utf8')) as Record<string, unknown>;
  const permitKeys = { keys: [publicKey] };
  const sealing = ensureFile(secretFiles.CONTACT_POINTS_PRIVATE_KEY_FILE, () => {
    const jwk = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
    return JSON.stringify({ ...jwk, kid: `points-${sha256(String(jwk.x)).slice(0, 8)}`, alg: 'ECDH-ES', use: 'enc' });
  });
  const { d: _sealed, ...sealingPublic } = JSON.parse(readFileSync(sealing, 'utf8')) as Record<string, unknown>;
  const written = (name: string, content: string): string => {
    const file = join(dir, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const derived = (name: string, content: unknown): string => written(name, JSON.stringify(content, null, 2));
  const checkpoints = ensureFile(
    secretFiles.CHECKPOINT_SIGNING_KEY_FILE,
    () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  );
  const recordKey = formatVerifierKey(verifierKey(recordOrigin, createPublicKey(readFileSync(checkpoints, 'utf8'))));
  const people = [
    {
      sha256: sha256(consoleToken),
      person: names.person,
      roles: ['viewer', 'reviewer', 'operator', 'policy-owner', 'privacy-officer', 'auditor'],
    },
  ];
  return {
    installation: readFileSync(
      ensureFile('installation-id', () => randomUUID()),
      'utf8',
    ).trim(),
    passwords,
    databasePasswords,
    apiKeys,
    consoleToken,
    sandboxToken,
    readToken,
    auditorPassword,
    person: names.person,
    permitKeys,
    recordKey,
    files: {
      PERMIT_SIGNING_KEY_FILE: signing,
      PERMIT_VERIFY_KEYS_FILE: derived(secretFiles.PERMIT_VERIFY_KEYS_FILE, permitKeys),
      CONTACT_POINTS_PRIVATE_KEY_FILE: sealing,
      CONTACT_POINTS_PUBLIC_KEY_FILE: derived(secretFiles.CONTACT_POINTS_PUBLIC_KEY_FILE, sealingPublic),
      IDENTITY_KEY_FILE: ensureFile(secretFiles.IDENTITY_KEY_FILE, () => randomBytes(32).toString('hex')),
      COMMITMENT_KEY_FILE: ensureFile(secretFiles.COMMITMENT_KEY_FILE, () => randomBytes(32).toString('hex')),
      CHECKPOINT_SIGNING_KEY_FILE: checkpoints,
      RECORD_KEY_FILE: written(secretFiles.RECORD_KEY_FILE, `${recordKey}\n`),
      API_KEYS_FILE: derived(
        secretFiles.API_KEYS_FILE,
        Object.fromEntries(Object.entries(apiKeys).map(([name, key]) => [name, sha256(key)])),
      ),
      CONSOLE_TOKENS_FILE: derived(secretFiles.CONSOLE_TOKENS_FILE, people),
      AUDIT_TOKENS_FILE: derived(secretFiles.AUDIT_TOKENS_FILE, people),
      SANDBOX_TOKEN_FILE: join(dir, secretFiles.SANDBOX_TOKEN_FILE),
      SANDBOX_TOKENS_FILE: derived(secretFiles.SANDBOX_TOKENS_FILE, [
        { sha256: sha256(connectorToken), name: 'action-executor', roles: ['connector'] },
        { sha256: sha256(sandboxToken), name: names.person, roles: ['viewer', 'operator'] },
      ]),
      READ_TOKEN_FILE: derived(secretFiles.READ_TOKEN_FILE, { sha256: sha256(readToken) }),
    },
  };
}

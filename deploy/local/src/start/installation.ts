import fs, { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import {
  acls,
  auditedTables,
  auditorRole,
  type CredentialKind,
  type CredentialOf,
  credentialFile,
  type Deployment,
  keyThumbprint,
  principalsOf,
  problemLine,
  quotas,
  readDeployment,
  servicesOf,
  type Topic,
  textOfFile,
  topicConfig,
  topology,
} from '@countersign/contracts';
import { connectionsOf, type DatabaseAccess, type KafkaUser, provision, provisionDatabase } from '@countersign/servers';
import { claimInstallation } from '../ownership/claim.js';
import type { Own } from '../ownership/judge.js';
import { type Secrets, secrets } from './secrets.js';
import { type Program, programsOf, type ServicePlan } from './services.js';

/** The content of `run.json`: addresses, and public data. No credential; those are in files of their own. */
export interface RunFile {
  readonly startedAt: string;
  readonly kafka: { readonly bootstrap: string; readonly mechanism: 'scram-sha-256' };
  readonly http: Readonly<Record<string, string>>;
  /** The person whose credential file has the tokens for console, record and sandbox systems. */
  readonly person: string;
  /** The public keys that permits are verified with. */
  readonly permitKeys: Secrets['permitKeys'];
  /** The sources, agents and executors that it was started with. */
  readonly deployment: Deployment;
  /** The key that verifies the record's checkpoints. It comes from the key itself, not from what the record says about it. */
  readonly recordKey: string;
}

/** What an installation consists of, before anything of it runs. */
export interface Installation {
  readonly deployment: Deployment;
  readonly topics: readonly Topic[];
  /** Principals that had a login, and are no longer in the configuration. */
  readonly former: readonly string[];
  /** Every principal of the topology, services and outsiders. */
  readonly users: readonly KafkaUser[];
  readonly secrets: Secrets;
  /** The identity of the installation on its broker and in its database. */
  readonly own: Own;
}

/** The installation's sources, agents and executors from its configuration. Throws naming the file and the line. */
export function deploymentIn(config: string): Deployment {
  const file = join(config, 'sources.yaml');
  if (!existsSync(file)) throw new Error(`there is no ${file}, which lists the sources: CONFIG_DIR names its folder`);
  const read = readDeployment([{ path: 'sources.yaml', text: textOfFile(file, fs) }]);
  if (!read.ok) throw new Error(`${config}: ${read.problems.map(problemLine).join('; ')}`);
  return read.deployment;
}

/** Reads the configuration, and the secrets under `dir`, making those that are missing. */
export function readInstallation(config: string, dir: string): Installation {
  const deployment = deploymentIn(config);
  const topics = topology(deployment);
  const principals = principalsOf(topics);
  const programs = programsOf(deployment);
  const stored = secrets(dir, {
    principals: [...new Set([...principals, ...programs])],
    programs,
    httpSources: deployment.sources.filter((s) => s.via === 'http').map((s) => s.name),
    person: 'lea',
  });
  return {
    deployment,
    topics,
    secrets: stored,
    own: {
      id: stored.installation,
      permitKey: keyThumbprint(String(stored.permitKeys.keys[0]?.x)),
      place: `${hostname()}:${dirname(resolve(dir))}`,
    },
    former: Object.keys(stored.passwords).filter((name) => !principals.includes(name) && name !== 'sandbox-systems'),
    users: principals.map((name) => ({ name, password: stored.passwords[name] as string })),
  };
}

/**
 * Gives a broker and a database everything that the installation needs: topics, ACLs, SCRAM users, schemas and roles. If they
 * belong to another installation, throws `NotOurs` before it changes anything. Returns how each service reaches its schema, and how
 * the audit reaches the tables that it compares.
 */
export async function provisionInstallation(
  { deployment, topics, users, former, own, secrets: { passwords, databasePasswords, auditorPassword } }: Installation,
  at: {
    readonly bootstrap: string;
    readonly admin: { readonly username: string; readonly password: string };
    readonly superuserUrl: string;
    /** Owners that this installation may replace, as a person confirmed. */
    readonly adopt?: readonly string[] | undefined;
  },
): Promise<ReadonlyMap<Program | typeof auditorRole, DatabaseAccess>> {
  const roleOf = (program: Program): string => program.replaceAll('-', '_');
  const programs = programsOf(deployment);
  // The programs read the same variable. If its value is not valid, they stop and report it.
  const { DATABASE_CONNECTIONS: asked = '' } = process.env;
  const pool = /^[1-9]\d{0,3}$/.test(asked) ? Number(asked) : 10;
  const roles = programs.map((name) => ({
    name: roleOf(name),
    password: databasePasswords[name] as string,
    // Before the audit had a login of its own at the database, it had only that of the broker there.
    earlierPassword: passwords[name] as string,
    schema: roleOf(name),
    ...(name === 'audit-recorder' && { owner: true }),
    connections: connectionsOf(pool),
  }));
  await claimInstallation({ ...at, own, users, roles, topics: topics.map((t) => t.name) });
  const [, access] = await Promise.all([
    provision({
      bootstrap: at.bootstrap,
      admin: at.admin,
      topics: topics.map((t) => ({ name: t.name, partitions: t.partitions, config: topicConfig(t) })),
      acls: acls(topics),
      quotas: quotas(topics),
      users,
      former,
    }),
    provisionDatabase({
      superuserUrl: at.superuserUrl,
      roles,
      reader: {
        name: auditorRole,
        password: auditorPassword,
        reads: servicesOf(deployment).map((service) => ({
          schema: roleOf(service),
          tables: [...auditedTables.every, ...(service === 'guardrail-validator' ? auditedTables[service] : [])],
        })),
      },
    }),
  ]);
  const logins = new Map<Program | typeof auditorRole, DatabaseAccess>(
    programs.map((name) => [name, access.get(roleOf(name)) as DatabaseAccess]),
  );
  return logins.set(auditorRole, access.get(auditorRole) as DatabaseAccess);
}

/** What clients of this installation are told. */
export function runFile(
  { deployment, secrets: stored }: Installation,
  at: { readonly bootstrap: string; url(plan: ServicePlan): string },
  plans: readonly ServicePlan[],
): RunFile {
  return {
    startedAt: new Date().toISOString(),
    kafka: { bootstrap: at.bootstrap, mechanism: 'scram-sha-256' },
    http: Object.fromEntries(plans.map((plan) => [plan.name, at.url(plan)])),
    person: stored.person,
    permitKeys: stored.permitKeys,
    deployment,
    recordKey: stored.recordKey,
  };
}

/** The credential of each client, by the file that contains it: one file for each principal, with nothing of another. */
export function credentialFiles(
  { users, secrets: stored }: Installation,
  auditor: DatabaseAccess | undefined,
): ReadonlyMap<string, CredentialOf<CredentialKind>> {
  const { consoleToken: token, sandboxToken, readToken } = stored;
  return new Map<string, CredentialOf<CredentialKind>>([
    ...users.map(({ name, password }) => [credentialFile.broker(name), { username: name, password }] as const),
    ...Object.entries(stored.apiKeys).map(([name, apiKey]) => [credentialFile.source(name), { apiKey }] as const),
    [credentialFile.person(stored.person), { token, sandboxToken }],
    [credentialFile.reader(), { readToken }],
    ...(auditor ? [[credentialFile.auditor(), { databaseUrl: auditor.url }] as const] : []),
  ]);
}

/** Writes run.json and the credentials beside it. Removes the credential of a client that no longer exists. */
export function writeForClients(
  home: string,
  run: RunFile,
  credentials: ReturnType<typeof credentialFiles>,
  own: (path: string) => void = () => undefined,
): void {
  const folder = join(home, 'credentials');
  for (const sub of ['', ...new Set([...credentials.keys()].map((file) => dirname(file)))]) {
    mkdirSync(join(folder, sub), { recursive: true, mode: 0o700 });
    chmodSync(join(folder, sub), 0o700);
    own(join(folder, sub));
  }
  for (const [file, content] of credentials)
    writePrivate(join(folder, file), `${JSON.stringify(content, null, 2)}\n`, own);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.json') && !credentials.has(file)) rmSync(join(folder, file));
  writePrivate(join(home, 'run.json'), `${JSON.stringify(run, null, 2)}\n`, own);
}

/** Removes what `writeForClients` wrote. */
export function removeForClients(home: string): void {
  rmSync(join(home, 'run.json'), { force: true });
  rmSync(join(home, 'credentials'), { recursive: true, force: true });
}

/** Writes a file of mode 0600. A reader sees the complete old text or the complete new one. */
export function writePrivate(file: string, text: string, own: (file: string) => void = () => undefined): void {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode: 0o600 });
  own(fresh);
  renameSync(fresh, file);
}

import { type Deployment, DeploymentFile, servicePorts } from '@countersign/contracts';
import { Misused } from './edit.js';

/** `.countersign/run.json`, which `npm start` writes: how to reach everything it started. It holds no credential. */
export interface RunFile {
  readonly kafka?: { readonly bootstrap: string; readonly mechanism: string };
  readonly http?: Readonly<Record<string, string>>;
  /** The sources, agents and executors with which it was started. */
  readonly deployment?: unknown;
  /** The person whose tokens the command line uses. */
  readonly person?: string;
  /** A JWKS. */
  readonly permitKeys?: unknown;
  /** The record's verifier key, as text. */
  readonly recordKey?: string;
}

/** Where everything is: from the environment first, then run.json, then the default ports of this machine. */
export interface Installation {
  readonly urls: Readonly<Record<string, string>>;
  /** From the environment. */
  readonly token: string | undefined;
  /** From the environment. */
  readonly readToken: string | undefined;
  /** The folder with one credential file for each principal. */
  readonly credentials: string | undefined;
  readonly person: string | undefined;
  readonly kafka: RunFile['kafka'];
  readonly deployment: unknown;
  readonly permitKeys: unknown;
  readonly recordKey: string | undefined;
  /** Where run.json was found. */
  readonly from: string | undefined;
}

/** The services that this command line asks. */
const { console, 'audit-recorder': recorder, orchestrator } = servicePorts;
const clients = { console, 'audit-recorder': recorder, orchestrator };

/** Puts an installation together. Throws `Misused` if a URL of the environment is not valid. */
export function installation(
  env: Readonly<Record<string, string | undefined>>,
  found: { readonly path: string; readonly credentials?: string; readonly run: RunFile } | undefined,
): Installation {
  const run = found?.run ?? {};
  // run.json lists the services that were started. All services are expected only if nothing lists them.
  const local = Object.entries(run.http ? clients : servicePorts).map(
    ([service, port]) => [service, `http://127.0.0.1:${port}`] as const,
  );
  const urls = new Map<string, string>([...local, ...Object.entries(run.http ?? {})]);
  const named = {
    console: 'COUNTERSIGN_CONSOLE_URL',
    'audit-recorder': 'COUNTERSIGN_AUDIT_URL',
    orchestrator: 'COUNTERSIGN_ORCHESTRATOR_URL',
  };
  for (const [service, variable] of Object.entries(named)) {
    const given = env[variable];
    if (!given) continue;
    if (!URL.canParse(given)) throw new Misused(`${variable}: "${given}" is not a URL such as http://127.0.0.1:8088`);
    urls.set(service, given);
  }
  return {
    urls: Object.fromEntries([...urls].map(([service, url]) => [service, url.replace(/\/+$/, '')])),
    token: env.COUNTERSIGN_TOKEN || undefined,
    readToken: env.COUNTERSIGN_READ_TOKEN || undefined,
    credentials: env.COUNTERSIGN_CREDENTIALS || found?.credentials,
    person: run.person,
    kafka: run.kafka,
    deployment: run.deployment,
    permitKeys: run.permitKeys,
    recordKey: run.recordKey,
    from: found?.path,
  };
}

/** The sources, agents and executors in run.json; undefined if it does not list them, as in a file of an older version. */
export function deploymentOf({ deployment }: Pick<Installation, 'deployment'>): Deployment | undefined {
  const read = DeploymentFile.required().safeParse(deployment);
  return read.success ? read.data : undefined;
}

import { join } from 'node:path';
import {
  type Deployment,
  ourAgents,
  type Service,
  sandboxPort,
  servicePorts,
  servicesOf,
} from '@countersign/contracts';
import type { DatabaseAccess } from '@countersign/servers';

/** The programs to start: the services, and the sandbox systems, which represent outside systems and do not use the broker. */
export type Program = Service | 'sandbox-systems';

/** Where a program listens, and which secrets it receives. No program gets a key that it does not need. */
export interface ServicePlan {
  readonly name: Program;
  readonly port: number;
  /** The variable that changes the port. */
  readonly portVariable: string;
  readonly secrets: readonly string[];
}

const ports = { ...servicePorts, 'sandbox-systems': sandboxPort } as const satisfies Record<Program, number>;

const plan = (name: Program, ...secrets: string[]): ServicePlan => ({
  name,
  port: ports[name],
  portVariable: `${name.toUpperCase().replaceAll('-', '_')}_PORT`,
  // Any caller with the reading token may see the health of every service.
  secrets: [...secrets, 'READ_TOKEN_FILE'],
});

/** Every service in the order of the starts: the console first, because it publishes the policy for which others wait. */
export const servicePlans: readonly ServicePlan[] = [
  plan('console', 'CONSOLE_TOKENS_FILE', 'RECORD_KEY_FILE'),
  plan('signal-ingestion', 'API_KEYS_FILE', 'IDENTITY_KEY_FILE', 'CONTACT_POINTS_PUBLIC_KEY_FILE'),
  plan('orchestrator'),
  ...ourAgents.map((name) => plan(name)),
  plan('guardrail-validator', 'PERMIT_SIGNING_KEY_FILE'),
  plan('sandbox-systems', 'SANDBOX_TOKENS_FILE'),
  plan('action-executor', 'PERMIT_VERIFY_KEYS_FILE', 'CONTACT_POINTS_PRIVATE_KEY_FILE', 'SANDBOX_TOKEN_FILE'),
  plan('audit-recorder', 'CHECKPOINT_SIGNING_KEY_FILE', 'COMMITMENT_KEY_FILE', 'AUDIT_TOKENS_FILE'),
];

/** What an installation runs: its services, and the sandbox systems if it has the executor that uses them. */
export function programsOf(deployment: Deployment): readonly Program[] {
  const services = servicesOf(deployment);
  return services.includes('action-executor') ? [...services, 'sandbox-systems'] : services;
}

/** The plans of what an installation runs. */
export const plansOf = (deployment: Deployment, plans: readonly ServicePlan[]): readonly ServicePlan[] =>
  plans.filter(({ name }) => programsOf(deployment).includes(name));

/** The plans with ports from the environment. If variables hold no valid port, the error names each of them. */
export function plannedPorts(env: Readonly<Record<string, string | undefined>>): readonly ServicePlan[] {
  const wrong: string[] = [];
  const plans = servicePlans.map((p) => {
    const text = env[p.portVariable];
    if (text === undefined || text === '') return p;
    const port = Number(text);
    if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) wrong.push(p.portVariable);
    return { ...p, port };
  });
  if (wrong.length > 0) throw new Error(`${wrong.join(', ')}: a port number from 1 to 65535 is expected`);
  return plans;
}

/** The variables with our own prefix that `npm start`, its set-up and the command line read. */
const ours = new Set(
  [
    'HOME CACHE KAFKA_PORT KAFKA_CONTROLLER_PORT POSTGRES_PORT ADOPT PARENT',
    'CONSOLE_URL AUDIT_URL ORCHESTRATOR_URL TOKEN READ_TOKEN CREDENTIALS',
  ].flatMap((line) => line.split(' ').map((name) => `COUNTERSIGN_${name}`)),
);

/** Variables with our own prefix that nothing reads. */
export const unknownVariables = (env: Readonly<Record<string, string | undefined>>): readonly string[] =>
  Object.keys(env)
    .filter((name) => name.startsWith('COUNTERSIGN_') && !ours.has(name))
    .sort();

/** Where a service finds what it needs. */
export interface ServicePlace {
  readonly bootstrap: string;
  /** The address that it binds. */
  readonly host: string;
  /** The folder that operators edit. */
  readonly config: string;
  /** Where the executor reaches the sandbox systems. */
  readonly sandboxUrl: string;
  /** Where people's browsers reach the record, and the origins under which they reach the console. */
  readonly recordUrl: string;
  readonly consoleOrigins: readonly string[];
  /** The path of a secret's file, by its variable. */
  secretFile(variable: string): string;
}

/** A service's environment without its logins, so nothing in it is secret. */
export function serviceEnvironment(plan: ServicePlan, place: ServicePlace): Record<string, string> {
  return {
    NODE_ENV: 'production',
    NO_COLOR: '1',
    ...(plan.name !== 'sandbox-systems' && { KAFKA_BROKERS: place.bootstrap, KAFKA_USERNAME: plan.name }),
    HOST: place.host,
    PORT: String(plan.port),
    ...(plan.name !== 'sandbox-systems' && {
      SOURCES_FILE: join(place.config, 'sources.yaml'),
      CONFIG_DIR: place.config,
    }),
    ...(plan.name === 'console' && { RECORD_URL: place.recordUrl }),
    ...(plan.name === 'audit-recorder' && { RECORD_READERS: place.consoleOrigins.join(',') }),
    ...(plan.name === 'action-executor' && { SANDBOX_URL: place.sandboxUrl }),
    ...Object.fromEntries(plan.secrets.map((variable) => [variable, place.secretFile(variable)])),
  };
}

/** The sandbox systems' address on a host, by their plan. */
export const sandboxUrlOf = (plans: readonly ServicePlan[], host: string): string =>
  `http://${host}:${plans.find(({ name }) => name === 'sandbox-systems')?.port}`;

/** Where browsers on this machine reach the console and the record, by the ports of their plans; a port may be a text of compose's. */
export function browserPlaces(
  portOf: (name: 'console' | 'audit-recorder') => number | string,
): Pick<ServicePlace, 'recordUrl' | 'consoleOrigins'> {
  const origins = ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${portOf('console')}`);
  return { recordUrl: `http://127.0.0.1:${portOf('audit-recorder')}`, consoleOrigins: origins };
}

/** A program's logins: the secret part of its environment. */
export function serviceLogins(name: Program, password: string, database: DatabaseAccess): Record<string, string> {
  const broker = name === 'sandbox-systems' ? {} : { KAFKA_PASSWORD: password };
  return { ...broker, DATABASE_URL: database.url, DATABASE_MIGRATION_URL: database.migrationUrl };
}

/** The arguments that Node runs a service with; `root` is the project's. */
export function serviceArguments(name: Program, root: string): string[] {
  return [
    // kafkajs 2.2.4 computes a negative time-out under Node 24; harmless, but printed.
    '--disable-warning=TimeoutNegativeWarning',
    '--enable-source-maps',
    // The young generation. Up to 32 MB made services no faster, and each of them took 40 MB more (decision 0085).
    '--max-semi-space-size=8',
    join(root, 'apps', name, 'dist/main.js'),
  ];
}

import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditorRole, servicePorts, type Topic, wholeText } from '@countersign/contracts';
import type { KafkaConfig } from '@countersign/kafka';
import {
  assertPortFree,
  type Broker,
  type DatabaseAccess,
  freePort,
  PortTaken,
  type Postgres,
  type SupervisedProcess,
  superviseProcess,
  workspaceRoot,
} from '@countersign/servers';
import { startEngines } from './engines.js';
import {
  credentialFiles,
  deploymentIn,
  provisionInstallation,
  type RunFile,
  readInstallation,
  runFile,
  writeForClients,
} from './installation.js';
import { readable } from './log-lines.js';
import type { Secrets } from './secrets.js';
import {
  browserPlaces,
  type Program,
  plannedPorts,
  plansOf,
  type ServicePlan,
  sandboxUrlOf,
  serviceArguments,
  serviceEnvironment,
  serviceLogins,
} from './services.js';
import { supervise } from './supervise.js';

export interface StartOptions {
  /** Where state lives, e.g. `.countersign`. */
  readonly home: string;
  /** `free`: any free ports, for tests; otherwise the default ports and those of the environment. */
  readonly ports?: 'free';
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder that operators edit; otherwise `CONFIG_DIR`, otherwise `deploy/config`. */
  readonly config?: string;
  /** Environment of single services, e.g. a connector's file. */
  readonly more?: Partial<Record<Program, Readonly<Record<string, string>>>>;
  /** Starts faster and works more slowly: for tests. */
  readonly shortLived?: boolean;
  /** Restarts what ends by itself, and reports it. Without it, only `failed` reports a loss: for tests that kill. */
  readonly restarts?: boolean;
  /** Owners of a broker or database that this installation may replace, as a person confirmed. */
  readonly adopt?: readonly string[];
  readonly log?: (line: string) => void;
}

/** What is lost, with its last lines. Without an engine (broker or database), nothing else works. */
export interface Failure {
  readonly name: string;
  readonly lines: string[];
  readonly engine: boolean;
}

/** A whole installation on this machine. */
export interface Running {
  readonly run: RunFile;
  /** A superuser's URL of the database. It is in no file that a client reads. */
  readonly superuserUrl: string;
  /** The credentials of the person who started it: the person's tokens, and the keys of the sources. */
  readonly secrets: Pick<Secrets, 'consoleToken' | 'sandboxToken' | 'readToken' | 'apiKeys'>;
  readonly topics: readonly Topic[];
  /** The present broker and database, if they are started here. */
  readonly broker: Broker | undefined;
  readonly postgres: Postgres | undefined;
  readonly services: ReadonlyMap<Program, SupervisedProcess>;
  /** Services that came up and work, although their health page says that something is wrong. */
  readonly degraded: readonly string[];
  /** How to log in as a principal. */
  kafka(principal: string): Pick<KafkaConfig, 'brokers' | 'sasl'>;
  /**
   * Starts a service again, e.g. after a kill. `copy` starts another instance beside it on a free port. `more` is added to its
   * environment for this start alone.
   */
  restart(
    name: Program,
    copy?: { readonly instance: number },
    more?: Readonly<Record<string, string>>,
  ): Promise<SupervisedProcess>;
  /** Something that ended without being asked to. With `restarts`: something that was given up. */
  readonly failed: Promise<Failure>;
  /** The same for broker or database: nothing works any more. */
  readonly broken: Promise<Failure>;
  /** Drains the services, then stops what was started here. */
  stop(): Promise<void>;
}

/** Brings up broker, database and every service, each a process with its own Kafka principal and database role. */
export async function startEverything(options: StartOptions): Promise<Running> {
  const { home, env = process.env, log = () => undefined } = options;
  const config = options.config ?? resolve(env.CONFIG_DIR || join(workspaceRoot, 'deploy/config'));
  const plans = plansOf(deploymentIn(config), await portsOf(options, env));
  for (const { name, port, portVariable } of plans) await assertPortFree(port, name, portVariable);

  mkdirSync(home, { recursive: true });
  // Others may pass through it, but not list it: if root starts it, Postgres runs as `nobody`. Every secret has a mode of its own.
  chmodSync(home, 0o711);
  const installation = readInstallation(config, join(home, 'secrets'));
  const { topics, secrets } = installation;

  const stops: (() => Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    log('starting Kafka and Postgres');
    const engines = await startEngines(options, env);
    stops.push(() => engines.stop());
    const { broker, postgres } = engines.now();

    log('creating topics, permissions, schemas and roles');
    const bootstrap = broker?.bootstrap ?? (env.KAFKA_BROKERS as string);
    const admin = broker?.admin ?? {
      username: env.KAFKA_ADMIN_USERNAME || 'admin',
      password: env.KAFKA_ADMIN_PASSWORD ?? '',
    };
    const superuserUrl = postgres?.url ?? (env.DATABASE_URL as string);
    const databases = await provisionInstallation(installation, {
      bootstrap,
      admin,
      superuserUrl,
      adopt: options.adopt,
    });

    const run = runFile(installation, { bootstrap, url: ({ port }) => `http://127.0.0.1:${port}` }, plans);
    writeForClients(home, run, credentialFiles(installation, databases.get(auditorRole)));

    const services = new Map<Program, SupervisedProcess>();
    const stopping = { now: false };
    const { promise: failed, resolve: fail } = Promise.withResolvers<Failure>();
    const { promise: broken, resolve: break_ } = Promise.withResolvers<Failure>();
    const reportFailure = (failure: Failure): void => {
      fail(failure);
      if (failure.engine) break_(failure);
    };
    /** Services that work although something is wrong, when they came up. */
    const degraded = new Set<string>();
    const sandboxUrl = sandboxUrlOf(plans, '127.0.0.1');
    const browsers = browserPlaces((name) => plans.find((plan) => plan.name === name)?.port ?? servicePorts[name]);
    const secretFile = (variable: string): string => secrets.files[variable] as string;
    const launch = async (
      plan: ServicePlan,
      instance?: number,
      more: Readonly<Record<string, string>> = {},
    ): Promise<SupervisedProcess> => {
      const { name } = plan;
      const port = instance === undefined ? plan.port : await freePort();
      const label = instance === undefined ? name : `${name}-${instance}`;
      const service = await superviseProcess({
        name: label,
        command: process.execPath,
        args: serviceArguments(name, workspaceRoot),
        env: {
          ...inherited(env),
          ...serviceEnvironment(
            { ...plan, port },
            { bootstrap, host: '127.0.0.1', config, sandboxUrl, secretFile, ...browsers },
          ),
          ...serviceLogins(name, secrets.passwords[name] as string, databases.get(name) as DatabaseAccess),
          INSTALLATION_ID: secrets.installation,
          ...options.more?.[name],
          ...more,
        },
        cwd: workspaceRoot,
        logFile: join(home, 'logs', `${label}.log`),
        readable,
        pidFile: join(home, 'pids', `${label}.json`),
        probe: isUp(`http://127.0.0.1:${port}/health`, (well) => degraded[well ? 'delete' : 'add'](label)),
        readyMs: 90_000,
      });
      if (instance === undefined) services.set(name, service);
      void service.exited.then((exit) => {
        if (!options.restarts && !stopping.now && services.get(name) === service && exit.signal !== 'SIGKILL')
          reportFailure({ name: label, lines: service.lastLines(8), engine: false });
      });
      return service;
    };
    stops.push(async () => {
      stopping.now = true;
      await Promise.all([...services.values()].map((service) => service.stop(25_000)));
    });
    log('starting the services');
    const started = await Promise.all(plans.map((plan) => launch(plan)));
    let ready = 0;
    await Promise.all(
      started.map(async (service) => {
        await service.ready;
        ready++;
        const how = degraded.has(service.name) ? 'runs, but something is wrong' : 'is healthy';
        log(`${service.name} ${how} (${ready} of ${started.length})`);
      }),
    );
    const copies: SupervisedProcess[] = [];
    stops.push(async () => void (await Promise.all(copies.map((service) => service.stop(25_000)))));
    const supervisors = options.restarts ? [...engines.supervise(log, reportFailure)] : [];
    for (const plan of options.restarts ? plans : [])
      supervisors.push(
        supervise({
          name: plan.name,
          logFile: join(home, 'logs', `${plan.name}.log`),
          running: services.get(plan.name) as SupervisedProcess,
          start: () => launch(plan),
          ground: engines.ground,
          log,
          on: (what, lines) => what === 'given up' && reportFailure({ name: plan.name, lines, engine: false }),
        }),
      );
    return {
      run,
      superuserUrl,
      secrets,
      topics,
      degraded: [...degraded].sort(),
      get broker() {
        return engines.now().broker;
      },
      get postgres() {
        return engines.now().postgres;
      },
      services,
      failed,
      broken,
      kafka: (principal) => ({
        brokers: bootstrap.split(','),
        sasl: { mechanism: 'scram-sha-256', username: principal, password: secrets.passwords[principal] as string },
      }),
      restart: async (name, copy, more) => {
        const plan = plans.find((p) => p.name === name) as ServicePlan;
        const service = await launch(plan, copy?.instance, more);
        if (copy) copies.push(service);
        await service.ready;
        return service;
      },
      stop: async () => {
        stopping.now = true;
        await Promise.all(supervisors.map((supervisor) => supervisor.halt()));
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function portsOf(
  options: StartOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly ServicePlan[]> {
  const plans = plannedPorts(env);
  if (options.ports !== 'free') return plans;
  return Promise.all(plans.map(async (plan) => ({ ...plan, port: await freePort() })));
}

/** What a service needs of this process's environment: the paths of programs, and what the operator set for the service. */
export const inherited = (env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => passedOn.test(name)));

const passedOn = new RegExp(
  `^(${[
    'PATH|HOME|LANG|TZ|TMPDIR|NODE_EXTRA_CA_CERTS|KAFKA_SSL|CONNECTORS_FILE|(OTEL|OPENAI|MODEL|LOG)_.*',
    // Limits of the runtime and of single services.
    '[A-Z_]+_(MS|BYTES|TRIES)|BATCH_EVENTS|PARTITIONS_AT_ONCE|DATABASE_CONNECTIONS|MAX_EVENTS_IN_FLIGHT',
    'SIGNAL_FRESHNESS_DAYS|SIGNAL_MINIMUM_SCORE',
    // Of the console: where browsers reach it, and who signs people in.
    'PUBLIC_URL|TRUSTED_PROXIES|OIDC_[A-Z_]+',
    // What its pages show, and how long it keeps that.
    'AGENT_FIGURES_DAYS|PERSON_ACTIONS_DAYS|REQUESTS_DAYS|REVEALS_PER_HOUR|TRACE_URL',
  ].join('|')})$`,
);

/** Longer than a service needs to recover by itself after its start. */
const settledMs = 10_000;
/** Far larger than a health page. Another program may listen there. */
const pageBytes = 1024 * 1024;

/**
 * A probe of a health page: whether the service works. A service that stays degraded works: perhaps only a person can correct the
 * fault, such as a gap, and the service must run for that. `report` learns which of the two it is.
 */
export function isUp(url: string, report: (well: boolean) => void, settled = settledMs): () => Promise<boolean> {
  let since: number | undefined;
  return async () => {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      const { status } = JSON.parse(await wholeText(answer.body, pageBytes)) as { status?: string };
      if (status === 'degraded') since ??= performance.now();
      else since = undefined;
      const stays = since !== undefined && performance.now() - since >= settled;
      if (answer.ok || stays) report(answer.ok);
      return answer.ok || stays;
    } catch {
      since = undefined;
      await sleep(70);
      return false;
    }
  };
}

export { PortTaken };

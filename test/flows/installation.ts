import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  credentialFile,
  credentials,
  type DataOf,
  type EventType,
  eventSchemas,
  topology,
} from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { type Observed, observe, type Program, type RunFile, type Running, samplePorts } from '@countersign/local';
import type { Signal, Source } from '@countersign/sample';
import { type Broker, workspaceRoot } from '@countersign/servers';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's main process is asked for the installation, see global-setup.ts. */
    countersignInstallation: string;
  }
}

/** The participants that only the configuration adds to the shipped ones. */
export const added = { source: 'added-shop', agent: 'seo-agent', executor: 'ledger' } as const;

/** An installation that was started for tests. */
export interface Installed {
  readonly home: string;
  readonly run: RunFile;
  /** What only the process that started it has. */
  readonly superuserUrl: string;
  readonly brokerAdmin: Broker['admin'];
  readonly secrets: Pick<Running['secrets'], 'consoleToken' | 'sandboxToken' | 'readToken' | 'apiKeys'>;
}

/** What all files of a run of the flows share. */
export interface Shared extends Installed {
  readonly hook: { readonly url: string; readonly secret: string };
}

/** The run's installation. The first caller waits for its start. */
export const shared = (): Promise<Shared> => offered();

/** Where people use the pages. */
export interface Staffed extends Installed {
  /** Of marc, who reviews beside lea. */
  readonly colleagueToken: string;
  /** The identity provider, on another site than the console. */
  readonly providerUrl: string;
}

/** The same where people use the pages. */
export const staffed = (): Promise<Staffed> => offered();

/** The same where nothing but the installation is shared. */
export const installed = (): Promise<Installed> => offered();

/**
 * Kills a service of the run's installation, its broker or its database, as a crash does. The returned function starts it again,
 * and is fulfilled when all files can use it.
 */
export async function crash(name: Program | 'broker' | 'database'): Promise<() => Promise<void>> {
  await service(name, 'DELETE');
  return () => service(name, 'PUT');
}

async function service(name: Parameters<typeof crash>[0], method: 'DELETE' | 'PUT'): Promise<void> {
  const answer = await fetch(`${inject('countersignInstallation')}/${name}`, { method });
  if (!answer.ok) throw new Error(`${method} ${name}: ${await answer.text()}`);
}

async function offered<T extends Installed>(): Promise<T> {
  const answer = await fetch(inject('countersignInstallation'));
  if (!answer.ok) throw new Error(`the installation did not start: ${await answer.text()}`);
  return (await answer.json()) as T;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A person who has only the means of a test: everything uses the public interfaces. */
export interface Visitor {
  readonly run: RunFile;
  readonly superuserUrl: string;
  readonly secrets: Installed['secrets'];
  readonly home: string;
  /** Everything on the topics that the console reads, from their beginning. */
  readonly events: readonly Observed[];
  /** The data of a type's events that keep their contract, each event once, and of those that `pick` picks. */
  eventsOf<T extends EventType>(type: T, pick?: (data: DataOf<T>) => boolean): DataOf<T>[];
  /** Looks until `find` finds something. Fails after two minutes, with `what` in the message. */
  until<T>(
    what: string | (() => string),
    find: () => T | undefined | false | Promise<T | undefined | false>,
  ): Promise<T>;
  publish(source: Source, signals: readonly Signal[]): Promise<void>;
  /** Publishes, and waits until each signal is accepted. */
  accepted(source: Source, signals: readonly Signal[]): Promise<DataOf<'SignalAccepted'>[]>;
  /** Runs `countersign` with these words. */
  cli(...words: string[]): Promise<ProgramResult>;
  /** The same with `--json`, read. */
  answer<T>(...words: string[]): Promise<T>;
  sandbox<T>(path: string): Promise<T>;
  kafka(principal: string): kafkajs.Kafka;
  ports(): ReturnType<typeof samplePorts>;
  leave(): Promise<void>;
}

/** Far longer than anything takes, on a busy machine too. */
const patienceMs = 120_000;

/** The credential of a principal. An unknown person has only a name. */
const loginOf = (file: string, principal: string) =>
  existsSync(file)
    ? credentials.broker.parse(JSON.parse(readFileSync(file, 'utf8')))
    : { username: principal, password: '' };

/** Joins an installation. Call `leave` when the file is done. */
export async function visit({ home, run, superuserUrl, secrets }: Omit<Installed, 'brokerAdmin'>): Promise<Visitor> {
  const login = (principal: string) => ({
    brokers: run.kafka.bootstrap.split(','),
    sasl: {
      mechanism: run.kafka.mechanism,
      ...loginOf(join(home, 'credentials', credentialFile.broker(principal)), principal),
    } as const,
  });
  const topics = topology(run.deployment).filter((topic) => topic.readers.includes('console'));
  const watching = await observe(login('console'), `console.flows-${randomUUID()}`, topics);
  const ports = () => samplePorts({ run, secrets, kafka: login }, watching.events, () => undefined);
  const own = ports();

  const known = new WeakMap<Observed, boolean>();
  const isOfContract = (event: Observed): boolean => {
    const fits = known.get(event) ?? eventSchemas[event.type as EventType].safeParse(event.data).success;
    known.set(event, fits);
    return fits;
  };
  const eventsOf = <T extends EventType>(type: T, pick: (data: DataOf<T>) => boolean = () => true): DataOf<T>[] => {
    const found = new Map<string, DataOf<T>>();
    for (const event of watching.events) {
      if (event.type !== type) continue;
      // Other files share the installation. Events that they planted against the contract are ignored.
      if (!isOfContract(event)) continue;
      const data = event.data as DataOf<T>;
      if (pick(data)) found.set(`${event.source} ${event.id}`, data);
    }
    return [...found.values()];
  };
  const until: Visitor['until'] = async (what, find) => {
    for (const began = Date.now(); ; await sleep(50)) {
      const found = await find();
      if (found !== undefined && found !== false) return found;
      if (Date.now() - began > patienceMs)
        throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    }
  };
  const publish: Visitor['publish'] = async (source, signals) => {
    const refused = await own.publish(source, signals);
    if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
  };
  const cli = (...words: string[]): Promise<ProgramResult> =>
    runProgram(join(workspaceRoot, 'apps/cli/bin/countersign.mjs'), words, { COUNTERSIGN_HOME: home });

  return {
    run,
    superuserUrl,
    secrets,
    home,
    events: watching.events,
    eventsOf,
    until,
    publish,
    accepted: async (source, signals) => {
      await publish(source, signals);
      const ids = new Set(signals.map((s) => s.id));
      return until(`${ids.size} signals to be accepted`, () => {
        const accepted = eventsOf('SignalAccepted', (a) => ids.has(a.signalId));
        return accepted.length === ids.size && accepted;
      });
    },
    cli,
    async answer<T>(...words: string[]) {
      const result = await cli(...words, '--json');
      if (result.out === '') throw new Error(`countersign ${words.join(' ')}: status ${result.code}: ${result.err}`);
      return JSON.parse(result.out) as T;
    },
    sandbox: async <T>(path: string) =>
      (await (
        await fetch(`${run.http['sandbox-systems']}/${path}`, {
          headers: { authorization: `Bearer ${secrets.sandboxToken}` },
        })
      ).json()) as T,
    kafka: (principal) =>
      new kafkajs.Kafka({
        clientId: 'flows',
        ...login(principal),
        logLevel: kafkajs.logLevel.NOTHING,
        retry: { retries: 2 },
      }),
    ports,
    leave: async () => {
      await own.close();
      await watching.stop();
    },
  };
}

/** Runs a Node program to its end. */
export function runProgram(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

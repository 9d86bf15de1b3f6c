import type { KafkaConfig } from '@countersign/kafka';
import {
  type Broker,
  freePort,
  type KafkaUser,
  type KafkaWishes,
  provision,
  removeBroker,
  startBroker,
} from '@countersign/servers';
import { sharedServer } from './shared.js';
import { heldTogether, onFreePorts, temporaryDirectory } from './temporary.js';

/** How kafkajs reaches a broker. */
export type KafkaAccess = Pick<KafkaConfig, 'brokers' | 'sasl'>;

/** Topics, users and ACLs that a test wants to have. */
export type BrokerWishes = Pick<KafkaWishes, 'topics' | 'users' | 'acls'>;

export interface BrokerForTests {
  readonly bootstrap: string;
  readonly admin: { readonly username: string; readonly password: string };
  /** The access of one user, by default of the super user. */
  access(user?: KafkaUser): KafkaAccess;
  /** The same as variables that a service reads. */
  env(user?: KafkaUser): Record<'KAFKA_BROKERS' | 'KAFKA_USERNAME' | 'KAFKA_PASSWORD', string>;
  provision(wishes: BrokerWishes): Promise<void>;
}

/** A broker of one test's own. */
export interface TestBroker extends BrokerForTests {
  /** The present process. */
  pid(): number;
  /** Ends it as a crash would; its data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same ports with the same data, after `kill`. If it is running, it is stopped first. */
  restart(): Promise<void>;
  /** Stops it and removes its directory. */
  stop(): Promise<void>;
}

/** A share in the run's broker. */
export interface SharedBroker extends BrokerForTests {
  /** Gives the share back. */
  close(): Promise<void>;
}

/**
 * Starts a real broker on free ports, in a directory that `stop` removes. This takes about two seconds. It is for tests that kill
 * the broker or need the topics of the topology empty; other tests use `sharedBroker`.
 */
export async function startTestBroker(wishes: BrokerWishes = {}): Promise<TestBroker> {
  const dir = await temporaryDirectory('kafka', removeBroker);
  let ports = { client: 0, controller: 0 };
  let broker: Broker = await onFreePorts(async () => {
    ports = { client: await freePort(), controller: await freePort() };
    return startBroker({ dir, ports, shortLived: true });
  });
  const forTests = over(broker);
  await forTests.provision(wishes);
  return {
    ...forTests,
    pid: () => broker.pid,
    kill: () => broker.kill(),
    async restart() {
      await broker.stop();
      broker = await startBroker({ dir, ports, shortLived: true });
    },
    async stop() {
      await broker.stop();
      await removeBroker(dir);
    },
  };
}

const own = heldTogether(() => startTestBroker());

/**
 * The broker that all files of a test run share, otherwise one that this file starts. Topics and groups stay while other tests run,
 * so take names from `uniqueName`. ACLs of the users that are named here are replaced.
 */
export async function sharedBroker(wishes: BrokerWishes = {}): Promise<SharedBroker> {
  const shared = await sharedServer('broker');
  const forTests = over(shared ?? (await own.hold()));
  await forTests.provision(wishes);
  return { ...forTests, close: async () => void (shared || (await own.release())) };
}

function over({ bootstrap, admin }: Pick<Broker, 'bootstrap' | 'admin'>): BrokerForTests {
  const superUser: KafkaUser = { name: admin.username, password: admin.password };
  return {
    bootstrap,
    admin,
    access: (user = superUser) => ({
      brokers: [bootstrap],
      sasl: { mechanism: 'scram-sha-256', username: user.name, password: user.password },
    }),
    env: (user = superUser) => ({
      KAFKA_BROKERS: bootstrap,
      KAFKA_USERNAME: user.name,
      KAFKA_PASSWORD: user.password,
    }),
    provision: async (wishes) => void (await provision({ bootstrap, admin, ...wishes })),
  };
}

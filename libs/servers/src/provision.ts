import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, kafkajs, untilLed } from '@countersign/kafka';
import { createTopics } from './create-topics.js';
import {
  alterQuotas,
  describeQuotas,
  type KafkaLogin,
  type KafkaUser,
  upsertScramUsers,
  usersRefused,
} from './kafka-wire.js';

export {
  connectionsOf,
  type DatabaseAccess,
  type DatabaseRole,
  type DatabaseWishes,
  provisionDatabase,
} from './provision-database.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } = kafkajs;

export interface TopicWish {
  readonly name: string;
  readonly partitions: number;
  /** All settings of the topic itself. Other settings that it has are removed. */
  readonly config: Readonly<Record<string, string>>;
}

export interface AclWish {
  /** A user's name, without `User:`. */
  readonly principal: string;
  readonly resource: keyof typeof resourceTypes;
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operations: readonly (keyof typeof operationTypes)[];
}

/** What a user may use of the broker. Above it, the broker slows the user down. */
export interface QuotaWish {
  readonly principal: string;
  readonly producer_byte_rate: number;
  readonly consumer_byte_rate: number;
  readonly request_percentage: number;
}

export interface KafkaWishes {
  /** `host:port`, several separated by commas. */
  readonly bootstrap: string;
  /** A super user, or one that may alter the cluster. Logs in with SCRAM-SHA-256. */
  readonly admin: { readonly username: string; readonly password: string };
  readonly ssl?: boolean;
  readonly topics?: readonly TopicWish[];
  /** Everything that these principals, and `users`, may do. Their other ACLs are removed; the ACLs of other principals are left alone. */
  readonly acls?: readonly AclWish[];
  readonly users?: readonly KafkaUser[];
  /** All the quotas of these principals, and of `users`. Their other quotas are removed. */
  readonly quotas?: readonly QuotaWish[];
  /** Principals that may not do anything any more: all their ACLs are removed, so their login gives access to nothing. */
  readonly former?: readonly string[];
  /** Default 1, which a single broker can provide. */
  readonly replicationFactor?: number;
}

/** What had to be changed; all zero if nothing was missing. */
export interface Provisioned {
  readonly topicsCreated: number;
  readonly topicsChanged: number;
  readonly aclsCreated: number;
  readonly aclsRemoved: number;
  readonly usersChanged: number;
  /** Users whose quota was set or removed. */
  readonly quotasChanged: number;
}

/** Makes topics, SCRAM users, ACLs and quotas match what is asked for. It deletes no topic and removes no partition. */
export async function provision(wishes: KafkaWishes): Promise<Provisioned> {
  const { bootstrap, ssl = false, topics = [], users = [], former = [] } = wishes;
  const owners = [...users.map(({ name }) => name), ...former];
  const brokers = bootstrap.split(',').map((broker) => broker.trim());
  const sasl = { mechanism: 'scram-sha-256', ...wishes.admin } as const;
  const admin = new kafkajs.Kafka({
    clientId: 'countersign-provision',
    brokers,
    ssl,
    sasl,
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin();
  await admin.connect();
  try {
    const address = brokers[0] as string;
    const refused = await usersRefused(address, users, ssl);
    await upsertScramUsers(address, sasl, refused, { ssl });
    const topicCounts = await provisionTopics(admin, topics, wishes.replicationFactor ?? 1);
    const aclCounts = wishes.acls
      ? await provisionAcls(admin, wishes.acls, owners)
      : { aclsCreated: 0, aclsRemoved: 0 };
    const quotasChanged = wishes.quotas ? await provisionQuotas(address, sasl, wishes.quotas, owners, ssl) : 0;
    return { usersChanged: refused.length, quotasChanged, ...topicCounts, ...aclCounts };
  } finally {
    await admin.disconnect();
  }
}

async function provisionTopics(
  admin: Admin,
  topics: readonly TopicWish[],
  replicationFactor: number,
): Promise<Pick<Provisioned, 'topicsCreated' | 'topicsChanged'>> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic.name));
  const present = topics.filter((topic) => existing.has(topic.name));
  if (missing.length > 0) {
    await createTopics(
      admin,
      missing.map(({ name, partitions, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: entries(config),
      })),
    );
  }
  const changed = new Set<string>();
  if (present.length > 0) {
    const names = present.map(({ name }) => name);
    const { topics: described } = await untilLed(() => admin.fetchTopicMetadata({ topics: names }));
    const counts = new Map(described.map((topic) => [topic.name, topic.partitions.length]));
    const growing = present.filter((topic) => (counts.get(topic.name) ?? 0) < topic.partitions);
    if (growing.length > 0) {
      await admin.createPartitions({
        topicPartitions: growing.map(({ name, partitions }) => ({ topic: name, count: partitions })),
      });
    }
    const different = await differentConfigs(admin, present);
    if (different.length > 0) {
      await admin.alterConfigs({
        validateOnly: false,
        resources: different.map(({ name, config }) => ({
          type: ConfigResourceTypes.TOPIC,
          name,
          configEntries: entries(config),
        })),
      });
    }
    for (const topic of [...growing, ...different]) changed.add(topic.name);
  }
  return { topicsCreated: missing.length, topicsChanged: changed.size };
}

async function differentConfigs(admin: Admin, topics: readonly TopicWish[]): Promise<TopicWish[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  const own = new Map(
    resources.map((resource) => [
      resource.resourceName,
      // 1: set for this topic, not a default of the broker (KIP-226).
      resource.configEntries.filter((entry) => (entry.configSource as number) === 1),
    ]),
  );
  return topics.filter(({ name, config }) => {
    const set = own.get(name) ?? [];
    return set.length !== Object.keys(config).length || set.some((e) => config[e.configName] !== e.configValue);
  });
}

const resourceTypes = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
} as const;
const patternTypes = { literal: ResourcePatternTypes.LITERAL, prefixed: ResourcePatternTypes.PREFIXED } as const;
const operationTypes = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
  'describe-configs': AclOperationTypes.DESCRIBE_CONFIGS,
} as const;

/** How long the broker may need to show the ACLs that the controller has. */
const aclPatienceMs = 60_000;

async function provisionAcls(
  admin: Admin,
  wanted: readonly AclWish[],
  owners: readonly string[],
): Promise<Pick<Provisioned, 'aclsCreated' | 'aclsRemoved'>> {
  const rows = wanted.flatMap(({ principal, resource, name, pattern, operations }) =>
    operations.map((operation) => ({
      principal: `User:${principal}`,
      resourceType: resourceTypes[resource],
      resourceName: name,
      resourcePatternType: patternTypes[pattern],
      operation: operationTypes[operation],
      permissionType: AclPermissionTypes.ALLOW,
      host: '*',
    })),
  );
  type Row = (typeof rows)[number];
  const id = (row: { [K in keyof Row]: unknown }): string =>
    [
      row.principal,
      row.resourceType,
      row.resourceName,
      row.resourcePatternType,
      row.operation,
      row.permissionType,
      row.host,
    ].join(' ');
  const owned = new Set([...wanted.map((acl) => acl.principal), ...owners].map((name) => `User:${name}`));
  const describe = async () => {
    const { resources } = await admin.describeAcls({
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    });
    return resources
      .flatMap(({ acls, resourceType, resourceName, resourcePatternType }) =>
        acls.map((acl) => ({ ...acl, resourceType, resourceName, resourcePatternType })),
      )
      .filter((row) => owned.has(row.principal));
  };
  const found = await describe();
  const foundIds = new Set(found.map(id));
  const wantedIds = new Set(rows.map(id));
  const missing = rows.filter((row) => !foundIds.has(id(row)));
  const stale = found.filter((row) => !wantedIds.has(id(row)));
  if (missing.length > 0) await admin.createAcls({ acl: missing });
  if (stale.length > 0) await admin.deleteAcls({ filters: stale });
  // The broker applies them a moment after the controller has them, which takes a while on a busy machine.
  for (const end = Date.now() + aclPatienceMs; ; await sleep(30)) {
    const now = new Set((await describe()).map(id));
    if (now.size === wantedIds.size && rows.every((row) => now.has(id(row)))) break;
    if (Date.now() > end) {
      const absent = rows.filter((row) => !now.has(id(row))).length;
      throw new Error(`of ${rows.length} ACLs the broker still lacks ${absent}, and it shows ${now.size}`);
    }
  }
  return { aclsCreated: missing.length, aclsRemoved: stale.length };
}

async function provisionQuotas(
  address: string,
  admin: KafkaLogin,
  wanted: readonly QuotaWish[],
  owners: readonly string[],
  ssl: boolean,
): Promise<number> {
  const found = await describeQuotas(address, admin, ssl);
  const wishes = new Map(
    wanted.map(({ principal, ...values }) => [principal, values as Readonly<Record<string, number>>]),
  );
  const changes = new Map<string, Record<string, number | undefined>>();
  for (const user of new Set([...wishes.keys(), ...owners])) {
    const [current, wished] = [found.get(user) ?? {}, wishes.get(user) ?? {}];
    const names = [...new Set([...Object.keys(current), ...Object.keys(wished)])].filter(
      (name) => current[name] !== wished[name],
    );
    if (names.length > 0) changes.set(user, Object.fromEntries(names.map((name) => [name, wished[name]])));
  }
  await alterQuotas(address, admin, changes, ssl);
  return changes.size;
}

function entries(config: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

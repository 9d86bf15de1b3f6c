import { randomBytes } from 'node:crypto';
import { type BrokerLimits, brokerLimits, limitProperties } from './broker-limits.js';

/** A listener for clients: the address that it binds, and the host under which clients are told to connect. */
export interface ClientListener {
  readonly name: 'CLIENT' | 'HOST';
  readonly bind: string;
  readonly advertise: string;
  readonly port: number;
}

export interface BrokerSettings {
  /** The broker itself also uses the first listener. */
  readonly clients: readonly [ClientListener, ...ClientListener[]];
  readonly controller: { readonly bind: string; readonly port: number };
  /** Where the broker itself sees its data. */
  readonly data: string;
  readonly admin: { readonly username: string; readonly password: string };
  /** Default: the limits for the shipped heap. */
  readonly limits?: BrokerLimits;
  /** Starts faster and works more slowly afterwards: for tests. */
  readonly shortLived?: boolean;
}

/**
 * The `server.properties` of one broker that is its own controller: SCRAM for clients, StandardAuthorizer, and no topic is made by
 * use. The controller's listener has PLAIN, for the admin only: SCRAM credentials are stored in the log of the controller itself,
 * so it cannot log itself in with them.
 */
export function serverProperties(broker: BrokerSettings): string {
  const { clients, controller, data, admin, shortLived = false, limits = brokerLimits } = broker;
  const login = `username="${admin.username}" password="${admin.password}"`;
  const modules = 'org.apache.kafka.common.security';
  const names = [...clients.map((c) => c.name), 'CONTROLLER'];
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller.port}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [
      ...clients.map((c) => `${c.name}://${c.bind}:${c.port}`),
      `CONTROLLER://${controller.bind}:${controller.port}`,
    ].join(),
    'advertised.listeners': [
      ...clients.map((c) => `${c.name}://${c.advertise}:${c.port}`),
      `CONTROLLER://127.0.0.1:${controller.port}`,
    ].join(),
    'listener.security.protocol.map': names.map((name) => `${name}:SASL_PLAINTEXT`).join(),
    'inter.broker.listener.name': clients[0].name,
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-256',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    ...Object.fromEntries(
      clients.flatMap(({ name }) => {
        const prefix = `listener.name.${name.toLowerCase()}`;
        return [
          [`${prefix}.sasl.enabled.mechanisms`, 'SCRAM-SHA-256'],
          [`${prefix}.scram-sha-256.sasl.jaas.config`, `${modules}.scram.ScramLoginModule required ${login};`],
        ];
      }),
    ),
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': `${modules}.plain.PlainLoginModule required ${login} user_${admin.username}="${admin.password}";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${admin.username}`,
    'allow.everyone.if.no.acl.found': false,
    'auto.create.topics.enable': false,
    'log.dirs': data,
    // How long a restart after a crash waits until the controller gives up the previous broker process.
    'broker.session.timeout.ms': shortLived ? 2_000 : 6_000,
    'broker.heartbeat.interval.ms': shortLived ? 300 : 1_000,
    // Twice a second by default, which is a third of what an idle broker uses. Only the lag of other brokers is seen by them.
    'metadata.max.idle.interval.ms': 5_000,
    // A test of what retention deletes cannot wait five minutes for it.
    ...(shortLived && { 'log.retention.check.interval.ms': 1_000, 'log.initial.task.delay.ms': 1_000 }),
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    ...limitProperties(
      limits,
      clients.map((c) => c.name),
    ),
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** Kafka's form of a random id: 16 bytes in base64url, which must not begin with a dash. */
export function clusterId(): string {
  return `c${randomBytes(16).toString('base64url').slice(1)}`;
}

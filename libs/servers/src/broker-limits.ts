import type { ClientListener } from './broker-properties.js';

/** The broker's heap as shipped, in MiB. If you change it, change `brokerLimits` in proportion; docs/sre.md has the arithmetic. */
export const brokerHeapMiB = 512;

/** The heap as an option of the JVM. */
export const heapOption = `-Xmx${brokerHeapMiB}m`;

/** What clients may use of a broker. Sizes are in bytes, times in milliseconds. */
export interface BrokerLimits {
  /** One request. Its length is announced first, and the broker allocates memory for it at once. */
  readonly requestBytes: number;
  /** All requests of logged-in clients that are being received or handled. Further requests wait. One request may exceed the limit. */
  readonly queuedBytes: number;
  /** One message of a login. A client that has not logged in gets no more memory than this. */
  readonly loginBytes: number;
  /** Connections altogether. A new client waits until one of them ends. */
  readonly connections: number;
  /** Of these, connections to the listener for clients outside, where there is one of their own. */
  readonly outsideConnections: number;
  /** New connections a second to that listener. */
  readonly outsideRate: number;
  /** Connections to the controller: of the broker itself, and of the programs that make users. */
  readonly controllerConnections: number;
  /** A connection is closed if nothing arrives on it for this time. */
  readonly idleMs: number;
  /** How long a producer's id is remembered after its last batch. A client can use a new id for each batch. */
  readonly producerIdsMs: number;
}

const mib = 1_048_576;

/**
 * For the shipped heap of 512 MiB. In the worst case: requests 128 + 4, logins 1,050 × 16 KiB = 17, connections 1,050 × 32 KiB =
 * 33, LZ4 8 threads × 4 = 32, batches that are unpacked whole 8 × (8 + 3 for 20,000 records) = 88, and 130 that the broker uses by
 * itself: 432 MiB. Ids of producers are added to that: 200 bytes each, for 12 s.
 */
export const brokerLimits: BrokerLimits = {
  // A full batch of 1 MiB for each of four partitions.
  requestBytes: 4 * mib,
  queuedBytes: 128 * mib,
  // The largest message of SCRAM or of the handshake before it has a few hundred bytes.
  loginBytes: 16_384,
  connections: 1_000,
  outsideConnections: 250,
  outsideRate: 50,
  controllerConnections: 50,
  // Longer than any of our clients is silent. After this time, what an idle stranger holds is free again.
  idleMs: 120_000,
  // If a batch is sent again later than this, after a lost answer, it is stored twice. Readers recognise events by their ids.
  producerIdsMs: 10_000,
};

/** The broker's settings for these limits. `clients` are its listeners for clients, ours first. */
export function limitProperties(
  limits: BrokerLimits,
  clients: readonly ClientListener['name'][],
): Readonly<Record<string, string | number>> {
  return {
    'socket.request.max.bytes': limits.requestBytes,
    'queued.max.request.bytes': limits.queuedBytes,
    'sasl.server.max.receive.size': limits.loginBytes,
    'max.connections': limits.connections,
    'connections.max.idle.ms': limits.idleMs,
    'listener.name.controller.max.connections': limits.controllerConnections,
    ...(clients.includes('HOST') && {
      'listener.name.host.max.connections': limits.outsideConnections,
      'listener.name.host.max.connection.creation.rate': limits.outsideRate,
    }),
    // The largest batch that the broker accepts, before it looks into it. Topics have no limit of their own.
    'message.max.bytes': mib + 12,
    // A session stores every topic that its client names, even unknown ones. Our clients use no sessions, and others can do
    // without.
    'max.incremental.fetch.session.cache.slots': 0,
    // By default each id is remembered for a day, and a client may make thousands in a second.
    'producer.id.expiration.ms': limits.producerIdsMs,
    'producer.id.expiration.check.interval.ms': Math.ceil(limits.producerIdsMs / 5),
    // Each of them is stored as long as its group, for a week. Our clients write none.
    'offset.metadata.max.bytes': 256,
    // Members stay in memory as long as their session lasts.
    'group.max.session.timeout.ms': 300_000,
    'group.max.size': 200,
  };
}

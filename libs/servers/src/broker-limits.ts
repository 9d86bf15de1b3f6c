import type { ClientListener } from './broker-properties.js';

/** The broker's heap as shipped, in MiB. Whoever changes it changes `brokerLimits` in proportion: docs/sre.md has the arithmetic. */
export const brokerHeapMiB = 512;

/** The heap as an option of the JVM. */
export const heapOption = `-Xmx${brokerHeapMiB}m`;

/** What clients may take of a broker. Sizes are in bytes, times in milliseconds. */
export interface BrokerLimits {
  /** One request: its length is announced before it comes, and the broker makes room for it at once. */
  readonly requestBytes: number;
  /** All requests of logged-in clients that are being received or handled; more wait. It may be passed by one request. */
  readonly queuedBytes: number;
  /** One message of a login. Whoever has not logged in gets no more room than this. */
  readonly loginBytes: number;
  /** Connections altogether; whoever comes then waits until one ends. */
  readonly connections: number;
  /** Of these, connections to the listener for clients outside, where there is one of their own. */
  readonly outsideConnections: number;
  /** New connections a second to that listener. */
  readonly outsideRate: number;
  /** Connections to the controller: of the broker itself, and of who makes users. */
  readonly controllerConnections: number;
  /** A connection on which nothing came for so long is closed. */
  readonly idleMs: number;
  /** How long a producer's id is remembered after its last batch. A client takes a new one for each batch, if it likes. */
  readonly producerIdsMs: number;
}

const mib = 1_048_576;

/**
 * For the shipped heap of 512 MiB. At worst: requests 128 + 4, logins 1,050 × 16 KiB = 17, connections 1,050 × 32 KiB = 33, LZ4 8
 * threads × 4 = 32, batches that are unpacked whole 8
 * × (8 + 3 for 20,000 records) = 88, and 130 that the broker takes by itself: 432 MiB. Ids of producers come to that: 200 bytes each, for
 * 12 s.
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
  // Longer than any of our clients is still; what an idle stranger holds is free again after it.
  idleMs: 120_000,
  // A batch that is sent again later than this, after a lost answer, is there twice; readers know events by their ids.
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
    // What the broker takes of one batch, before it looks into it; topics have no other.
    'message.max.bytes': mib + 12,
    // A session keeps what its client names, known or not. Our clients use none, others do without.
    'max.incremental.fetch.session.cache.slots': 0,
    // Each id is remembered for a day by default, and a client may make thousands in a second.
    'producer.id.expiration.ms': limits.producerIdsMs,
    'producer.id.expiration.check.interval.ms': Math.ceil(limits.producerIdsMs / 5),
    // Each of them is kept for as long as its group is, for a week; ours write none.
    'offset.metadata.max.bytes': 256,
    // Members stay in memory for as long as their session lasts.
    'group.max.session.timeout.ms': 300_000,
    'group.max.size': 200,
  };
}

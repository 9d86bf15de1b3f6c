import type { Kafka } from 'kafkajs';

/*
 * Questions that the broker answers and kafkajs 2.2.4 does not ask: the ids of topics and the rights to them (Metadata from version
 * 10 on; kafkajs stops at 6), and where the logs of many topics begin, in one request to each broker. Both use kafkajs' own
 * connections, so its login, TLS and time-outs. This reaches into kafkajs. Its version is pinned, and the first use reports another
 * version.
 */

/** What the broker says about one topic to this principal. */
export interface TopicLook {
  /** A topic that is deleted and made again has another id. Undefined: the topic does not exist, or may not be described. */
  readonly id?: string;
  /**
   * The operations that are denied on it, as far as the broker says. If the principal may not describe the topic, it learns nothing
   * else about it.
   */
  readonly denied: ReadonlySet<'read' | 'write' | 'describe'>;
}

/** What the broker says about topics. */
export interface TopicFacts {
  /** The ids and the rights of topics, in one request. */
  look(topics: readonly string[]): Promise<ReadonlyMap<string, TopicLook>>;
  /** The id of each topic, by name. A topic that is deleted and made again has another id. No entry: the topic does not exist. */
  ids(topics: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * By `topic/partition`, the first offset that each partition still has, or the offset after its last one. Or the first offset of
   * a record that is not older than a time (milliseconds since 1970), -1 if there is none.
   */
  offsets(
    topics: readonly string[],
    which: 'first' | 'end' | ((topic: string) => number),
  ): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

interface Broker {
  readonly connectionPool: {
    send(message: {
      request: {
        apiKey: number;
        apiVersion: number;
        apiName: string;
        encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
      };
      response: { decode(raw: Buffer): Promise<Buffer>; parse(raw: Buffer): Promise<Buffer> };
    }): Promise<Buffer>;
  };
}
interface Cluster {
  readonly brokerPool: { findConnectedBroker(): Promise<Broker> };
  isConnected(): boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { partitionId: number }[];
  fetchTopicsOffset(
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number }[];
      fromBeginning?: boolean;
      fromTimestamp?: number;
    }[],
  ): Promise<readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]>;
}

/**
 * Uses a connection of its own, which is made at the first question. Throws the errors of kafkajs. After an error, the next
 * question makes a new connection.
 */
export function topicFacts(kafka: Kafka): TopicFacts {
  const cluster = clusterOf(kafka);
  let connecting: Promise<void> | undefined;
  const connected = async (): Promise<void> => {
    if (cluster.isConnected()) return;
    connecting ??= cluster.connect().finally(() => {
      connecting = undefined;
    });
    await connecting;
  };
  const look = async (topics: readonly string[]): Promise<ReadonlyMap<string, TopicLook>> => {
    await connected();
    const broker = await cluster.brokerPool.findConnectedBroker();
    const raw = (bytes: Buffer) => Promise.resolve(bytes);
    const buffer = metadataRequest(topics);
    const answer = await broker.connectionPool.send({
      request: {
        apiKey: 3,
        apiVersion: 10,
        apiName: 'Metadata',
        // kafkajs accepts any object that looks like its own encoder.
        encode: () => Promise.resolve({ buf: buffer, buffer }),
      },
      response: { decode: raw, parse: raw },
    });
    return readTopicLooks(answer);
  };
  return {
    look,
    ids: async (topics) =>
      new Map([...(await look(topics))].flatMap(([name, { id }]) => (id === undefined ? [] : [[name, id] as const]))),
    offsets: async (topics, which) => {
      await connected();
      try {
        await cluster.addMultipleTargetTopics(topics);
        // If one topic is deleted, this fails for all topics. The known data of the others is still useful.
        await cluster.refreshMetadataIfNecessary().catch(() => undefined);
        const found = await cluster.fetchTopicsOffset(
          topics.map((topic) => ({
            topic,
            partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId: partition }) => ({ partition })),
            ...(typeof which === 'function' ? { fromTimestamp: which(topic) } : { fromBeginning: which === 'first' }),
          })),
        );
        return new Map(
          found.flatMap(({ topic, partitions }) =>
            partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
          ),
        );
      } catch (error) {
        // Its leaders may have changed.
        await cluster.refreshMetadata().catch(() => undefined);
        throw error;
      }
    },
    close: () => cluster.disconnect(),
  };
}

function clusterOf(kafka: Kafka): Cluster {
  const make = Object.getOwnPropertySymbols(kafka).find((name) => name.description === 'private:Kafka:createCluster');
  if (!make) throw new Error('this is not kafkajs 2.2.4: the ids of topics cannot be asked for');
  const inside = kafka as unknown as Record<symbol, (options: object) => Cluster>;
  return (inside[make] as (options: object) => Cluster)({ allowAutoTopicCreation: false, metadataMaxAge: 300_000 });
}

/** Metadata, version 10, with the empty tags of the flexible request header before it. https://kafka.apache.org/protocol#The_Messages_Metadata */
function metadataRequest(topics: readonly string[]): Buffer {
  const named = topics.flatMap((topic) => [Buffer.alloc(16), compact(topic), Buffer.alloc(1)]);
  // No tags of the header; at the end: make no topic, no rights to the cluster, the rights to each topic, no tags.
  return Buffer.concat([Buffer.alloc(1), uvarint(topics.length + 1), ...named, Buffer.from([0, 0, 1, 0])]);
}

/** Kafka's numbers of operations: the bits of what is permitted. */
const bits = { read: 3, write: 4, describe: 8 } as const;
type Operation = keyof typeof bits;
const operations = Object.keys(bits) as Operation[];

/** A broker that says nothing about rights sends the smallest number. Then nothing is known to be denied. */
const deniedIn = (permitted: number): ReadonlySet<Operation> =>
  new Set(permitted === -(2 ** 31) ? [] : operations.filter((name) => (permitted & (1 << bits[name])) === 0));

/** The topics in an answer to Metadata, version 10, after its correlation id. Throws if the answer is of another form. */
export function readTopicLooks(answer: Buffer): ReadonlyMap<string, TopicLook> {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > answer.length) throw new Error('the broker answered with less than its protocol promises');
    at += length;
    return answer.subarray(at - length, at);
  };
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = take(1).readUInt8(0);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  const text = (): string => take(Math.max(0, number() - 1)).toString();
  const each = (read: () => void): void => {
    for (let left = number() - 1; left > 0; left--) read();
  };
  const tags = (): void => {
    for (let left = number(); left > 0; left--) {
      number();
      take(number());
    }
  };
  const looks = new Map<string, TopicLook>();
  tags();
  take(4);
  each(() => {
    take(4);
    text();
    take(4);
    text();
    tags();
  });
  text();
  take(4);
  each(() => {
    const error = take(2).readInt16BE(0);
    const name = text();
    const id = take(16).toString('base64url');
    take(1);
    each(() => {
      take(2 + 4 + 4 + 4);
      for (let list = 0; list < 3; list++) each(() => take(4));
      tags();
    });
    const denied = deniedIn(take(4).readInt32BE(0));
    tags();
    // 5: no leader at this moment. The topic exists all the same.
    if (error === 0 || error === 5) looks.set(name, { id, denied });
    else if (error === notPermitted) looks.set(name, { denied: new Set(operations) });
    else if (error === 3) looks.set(name, { denied: new Set() });
    else throw Object.assign(new Error(`${name}: Kafka's error ${error}`), { retriable: true });
  });
  return looks;
}

function uvarint(n: number): Buffer {
  const bytes: number[] = [];
  for (let left = n; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}

/** Kafka's TOPIC_AUTHORIZATION_FAILED. */
const notPermitted = 29;

const compact = (text: string): Buffer => Buffer.concat([uvarint(Buffer.byteLength(text) + 1), Buffer.from(text)]);

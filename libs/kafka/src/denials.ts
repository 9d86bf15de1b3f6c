import { createRequire } from 'node:module';
import { deniedBy } from './denied.js';

/** Kafka's TOPIC_AUTHORIZATION_FAILED. */
const notPermitted = 29;

interface Metadata {
  topicMetadata: readonly { readonly topic: string; readonly topicErrorCode: number }[];
  /** Added here: topics that were asked for and that this principal may not describe. */
  denied?: ReadonlySet<string>;
}
interface MetadataResponse {
  parse(data: Metadata): Promise<Metadata>;
}
interface Cluster {
  readonly brokerPool: { readonly metadata?: Metadata | null };
  findTopicPartitionMetadata(topic: string): readonly unknown[];
}

interface BrokerPool {
  withBroker<R>(callback: (broker: unknown) => Promise<R>): Promise<R | null>;
}

/**
 * Corrects how kafkajs 2.2.4 handles a right that the broker refuses. kafkajs asks for the partitions of all topics that a client
 * has ever used at once, and rejects the whole answer if one of them may not be described. With this correction, only the user of
 * that topic gets the error, and kafkajs asks again, so that it notices when the right is restored. If a group is refused, kafkajs
 * says that no coordinator was found. With this correction, it says what the broker said.
 */
export function reportDenials(): void {
  const load = createRequire(import.meta.url);
  topicsApart(load);
  groupDenials(load);
}

function groupDenials(load: NodeJS.Require): void {
  const { prototype } = load('kafkajs/src/cluster/brokerPool.js') as { prototype: BrokerPool };
  const ask = prototype.withBroker;
  prototype.withBroker = async function <R>(this: BrokerPool, callback: (broker: unknown) => Promise<R>) {
    let refusal: unknown;
    const answer = await ask.call(this, async (broker) => {
      try {
        return await callback(broker);
      } catch (error) {
        if (deniedBy(error)) refusal = error;
        throw error;
      }
    });
    if (answer === null && refusal) throw refusal;
    return answer as R | null;
  };
}

function topicsApart(load: NodeJS.Require): void {
  const { createErrorFromCode } = load('kafkajs/src/protocol/error.js') as { createErrorFromCode(code: number): Error };
  // 6 is the last version that kafkajs speaks.
  for (let version = 0; version <= 6; version++) {
    const response = load(`kafkajs/src/protocol/requests/metadata/v${version}/response.js`) as MetadataResponse;
    const parse = response.parse;
    response.parse = async (data) => {
      const denied = data.topicMetadata.filter(({ topicErrorCode }) => topicErrorCode === notPermitted);
      if (denied.length === 0) return parse(data);
      const topicMetadata = data.topicMetadata.filter(({ topicErrorCode }) => topicErrorCode !== notPermitted);
      return parse({ ...data, topicMetadata, denied: new Set(denied.map(({ topic }) => topic)) });
    };
  }
  const { prototype } = load('kafkajs/src/cluster/index.js') as { prototype: Cluster };
  const find = prototype.findTopicPartitionMetadata;
  prototype.findTopicPartitionMetadata = function (this: Cluster, topic) {
    if (this.brokerPool.metadata?.denied?.has(topic)) throw createErrorFromCode(notPermitted);
    return find.call(this, topic);
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ITopicConfig } from '@countersign/kafka';

/** How long a broker may take until it knows a topic that its controller has made, in milliseconds. */
const patienceMs = 30_000;
const lookEveryMs = 100;
/** What a broker says of a topic that its controller has made and that has not reached it yet, or has no leader yet. */
const notYet = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/**
 * Makes topics and waits until the broker knows them and their leaders. kafkajs' own wait takes a broker that does not know a topic
 * yet for a failure, though the topic was made. Throws what the broker refuses; one that is there already is left as it is.
 */
export async function createTopics(admin: Pick<Admin, 'createTopics' | 'fetchTopicMetadata'>, topics: ITopicConfig[]) {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  for (const began = performance.now(); ; await sleep(lookEveryMs)) {
    try {
      await admin.fetchTopicMetadata({ topics: names });
      return;
    } catch (error) {
      const { type } = error as { readonly type?: string };
      if (type === undefined || !notYet.has(type) || performance.now() - began > patienceMs) throw error;
    }
  }
}

import { type Admin, askAgain, type ITopicConfig } from '@countersign/kafka';

/** The errors of a broker for a topic that its controller has made, if the broker does not know it yet or it has no leader yet. */
const notYet: ReadonlySet<unknown> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/**
 * Makes topics and waits until the broker knows them and their leaders. If a broker does not know a topic yet, the wait of kafkajs
 * itself treats this as a failure, although the topic was made. Throws what the broker refuses. A topic that already exists is left
 * unchanged.
 */
export async function createTopics(admin: Pick<Admin, 'createTopics' | 'fetchTopicMetadata'>, topics: ITopicConfig[]) {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  const known = (): Promise<unknown> => admin.fetchTopicMetadata({ topics: names });
  await askAgain(known, (error) => notYet.has((error as { readonly type?: unknown }).type), 100);
}

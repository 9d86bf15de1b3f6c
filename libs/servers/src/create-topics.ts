import { type Admin, askAgain, type ITopicConfig } from '@countersign/kafka';

/** What a broker says of a topic that its controller has made and that has not reached it yet, or has no leader yet. */
const notYet: ReadonlySet<unknown> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/**
 * Makes topics and waits until the broker knows them and their leaders. kafkajs' own wait takes a broker that does not know a topic
 * yet for a failure, though the topic was made. Throws what the broker refuses; one that is there already is left as it is.
 */
export async function createTopics(admin: Pick<Admin, 'createTopics' | 'fetchTopicMetadata'>, topics: ITopicConfig[]) {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  const known = (): Promise<unknown> => admin.fetchTopicMetadata({ topics: names });
  await askAgain(known, (error) => notYet.has((error as { readonly type?: unknown }).type), 100);
}

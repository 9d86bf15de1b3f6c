import type { Admin } from '@countersign/kafka';
import type { KafkaWishes } from '@countersign/servers';
import { expect, vi } from 'vitest';

const patience = { timeout: 60_000, interval: 100 };

/** Deletes a topic and makes it again with the same settings; the broker gives it another id. Resolves when it can be read. */
export async function makeTopicAgain(
  admin: Admin,
  { name, partitions, config = {} }: NonNullable<KafkaWishes['topics']>[number],
): Promise<void> {
  await admin.deleteTopics({ topics: [name] });
  await vi.waitFor(async () => expect(await admin.listTopics()).not.toContain(name), patience);
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  const again = { topic: name, numPartitions: partitions, replicationFactor: 1, configEntries };
  // The broker may refuse the name while it is still deleting the topic.
  await vi.waitFor(() => admin.createTopics({ topics: [again], waitForLeaders: false }), patience);
  await vi.waitFor(async () => expect(await admin.fetchTopicOffsets(name)).toHaveLength(partitions), patience);
}

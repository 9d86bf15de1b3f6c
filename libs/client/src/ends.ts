import type { Topic } from '@countersign/contracts';
import type { Kafka } from '@countersign/kafka';

/** Where each partition of the topics ends now. */
export async function endsOf(
  kafka: Pick<Kafka, 'admin'>,
  topics: readonly Pick<Topic, 'name'>[],
): Promise<{ topic: string; partition: number; offset: string }[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const found = await Promise.all(
      topics.map(async ({ name }) => {
        const partitions = await admin.fetchTopicOffsets(name);
        return partitions.map(({ partition, high }) => ({ topic: name, partition, offset: high }));
      }),
    );
    return found.flat();
  } finally {
    await admin.disconnect();
  }
}

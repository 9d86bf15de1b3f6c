#!/usr/bin/env bash
# kafkajs resumes a paused partition only with its next fetch. If the other partitions have no news, the fetch under way first waits
# for its whole maxWaitTimeInMs (5 seconds by default), although records of the resumed partition are ready.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null || exit 2
cat >finding.cjs <<'JS'
const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup');
const { version } = require('kafkajs/package.json');
// kafkajs' own consumer group over a broker that answers as Kafka does: at once if a partition that is asked for has a record, and
// otherwise after the time that the request allows. Partition 0 has a record, partition 1 has none. So no broker is needed.
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const logger = { namespace: () => logger, info() {}, debug() {}, warn() {}, error() {} };
const waitMs = 1_000;
const record = { offset: '0', key: null, value: Buffer.from('ready') };
const group = new ConsumerGroup({
  logger,
  topics: ['events'],
  topicConfigurations: { events: { fromBeginning: true } },
  groupId: 'readers',
  maxWaitTimeInMs: waitMs,
  cluster: {
    refreshMetadataIfNecessary: async () => undefined,
    findLeaderForPartitions: (_topic, partitions) => ({ 1: partitions }),
    findTopicPartitionMetadata: () => [0, 1].map((partitionId) => ({ partitionId, leader: 1 })),
    findBroker: async () => ({
      fetch: async ({ maxWaitTime, topics }) => {
        const asked = topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition));
        if (!asked.includes(0)) await sleep(maxWaitTime);
        const partitions = asked.map((partition) => ({
          partition,
          highWatermark: partition === 0 ? '1' : '0',
          messages: partition === 0 ? [record] : [],
        }));
        return { responses: [{ topicName: 'events', partitions }] };
      },
    }),
  },
});
group.subscriptionState.assign([{ topic: 'events', partitions: [0, 1] }]);
group.offsetManager = {
  committedOffsets: () => ({ events: { 0: '0', 1: '0' } }),
  nextOffset: () => '0',
  resolveOffsets: async () => undefined,
};
(async () => {
  const readMs = async (began) => {
    for (;;) {
      const batches = await group.fetch(1);
      if (batches.some(({ messages }) => messages.length > 0)) return performance.now() - began;
    }
  };
  const unpaused = await readMs(performance.now());
  group.pause([{ topic: 'events', partitions: [0] }]);
  const reading = readMs(performance.now());
  await sleep(100);
  const resumedAt = performance.now();
  group.resume([{ topic: 'events', partitions: [0] }]);
  await reading;
  const resumed = performance.now() - resumedAt;
  console.log(`kafkajs ${version}, maxWaitTimeInMs ${waitMs}, one record ready.`);
  console.log(`Read from a partition that was not paused: ${unpaused < 100 ? 'at once' : `after ${Math.round(unpaused)} ms`}.`);
  console.log(`Read after resume(): ${resumed < 100 ? 'at once' : 'when the fetch under way had waited for its whole time'}.`);
  const still = unpaused < 100 && resumed > waitMs / 2;
  console.log(
    still
      ? 'Still so: resume() takes effect with the next fetch, so it is delayed by up to maxWaitTimeInMs.'
      : 'Changed: a resumed partition is fetched at once.',
  );
  process.exit(still ? 0 : 1);
})().catch((error) => {
  console.error(error);
  process.exit(2);
});
JS
node finding.cjs

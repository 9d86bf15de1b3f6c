#!/usr/bin/env bash
# kafkajs 2.2.4, read committed (its default), hands over records of aborted transactions. Needs Node, npm, Java 17 and Maven.
# Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
broker=
finish() {
  if [ -n "$broker" ]; then kill "$broker" 2>/dev/null || true; wait "$broker" 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 2' INT TERM
cd "$dir"

cat >pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
POM
npm init -y >/dev/null && npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null || exit 2
mvn -q -B dependency:copy-dependencies -DoutputDirectory="$dir/jars" >mvn.log 2>&1 || { tail -5 mvn.log; exit 2; }

read -r port controller < <(node -e '
  const net = require("node:net");
  const a = net.createServer().listen(0, () => { const b = net.createServer().listen(0, () => {
    console.log(a.address().port, b.address().port); a.close(); b.close(); }); });')
cat >server.properties <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
log.dirs=$dir/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
kafka() { exec java -Xmx384m -XX:TieredStopAtLevel=1 -cp "$dir/jars/*" "$@"; }
(kafka kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c server.properties) >format.log 2>&1 || { tail -5 format.log; exit 2; }
(kafka kafka.Kafka server.properties) >broker.log 2>&1 &
broker=$!

cat >finding.cjs <<'JS'
const kafkajs = require('kafkajs');
const { version } = require('kafkajs/package.json');
const kafka = new kafkajs.Kafka({
  brokers: [process.argv[2]],
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { retries: 60, initialRetryTime: 300, maxRetryTime: 1000 },
});
const admin = kafka.admin();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const end = async (topic) => Number((await admin.fetchTopicOffsets(topic))[0].high);

async function open(topic, name) {
  const producer = kafka.producer({ transactionalId: `${topic}-${name}`, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  return {
    send: (value, key = 'k') => transaction.send({ topic, messages: [{ partition: 0, key, value }] }),
    abort: async () => {
      await transaction.abort();
      await producer.disconnect();
      // The answer comes before the marker is on the partition.
      await sleep(1000);
    },
  };
}
/** Everything that a consumer is given of a topic, read committed, from an offset on. */
async function given(topic, from) {
  const until = await end(topic);
  const consumer = kafka.consumer({ groupId: topic, readUncommitted: false });
  const values = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve) => {
    consumer.on('consumer.end_batch_process', ({ payload }) => Number(payload.lastOffset) + 1 >= until && resolve());
    consumer.run({ autoCommit: false, eachMessage: async ({ message }) => void values.push(String(message.value)) });
    consumer.seek({ topic, partition: 0, offset: String(from) });
  });
  await consumer.disconnect();
  return values;
}

(async () => {
  await admin.connect();
  const topics = ['overlapping', 'from-the-middle', 'zero-key'];
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })) });
  console.log(`kafkajs ${version}, Kafka 4.3.1, readUncommitted: false. Every transaction below is aborted, so no record should be handed over.`);

  const [a, b] = [await open(topics[0], 'a'), await open(topics[0], 'b')];
  await a.send('a1');
  await b.send('b1');
  await b.abort();
  await a.send('a2');
  await a.abort();
  const overlapping = await given(topics[0], 0);
  console.log(`1. a began before b and ended after it. Handed over: ${overlapping.join(', ') || 'nothing'}`);

  const [c, d] = [await open(topics[1], 'c'), await open(topics[1], 'd')];
  await c.send('c1');
  await d.send('d1');
  await d.send('d2');
  await c.abort();
  await d.abort();
  const middle = await given(topics[1], 2);
  console.log(`2. two overlap, and the reader begins at offset 2. Handed over: ${middle.join(', ') || 'nothing'}`);

  const e = await open(topics[2], 'e');
  await e.send('e1');
  await e.send('e2', Buffer.alloc(4));
  await e.send('e3');
  await e.abort();
  const zero = await given(topics[2], 0);
  console.log(`3. the second of three records has a key of four zero bytes. Handed over: ${zero.join(', ') || 'nothing'}`);

  await admin.disconnect();
  const still = [overlapping, middle, zero].every((values) => values.length > 0);
  console.log(
    still
      ? 'Still so: what was aborted reaches the handler. filterAbortedMessages takes the list of aborted transactions, which the broker gives by their ends, as one by their beginnings; begins one transaction a record at most; and takes any key of four zero bytes for an abort marker.'
      : 'Changed: at least one of the three hands over nothing that was aborted.',
  );
  process.exit(still ? 0 : 1);
})().catch((error) => {
  console.error(error);
  process.exit(2);
});
JS
timeout 180 node --no-warnings finding.cjs "127.0.0.1:$port"

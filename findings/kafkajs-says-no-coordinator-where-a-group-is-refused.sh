#!/usr/bin/env bash
# kafkajs 2.2.4: a consumer whose login has no right to its group is told that no group coordinator was found, after all its retries. The
# broker had answered GROUP_AUTHORIZATION_FAILED to the first question. Needs Node, npm, Java 17 and Maven.
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
plain='org.apache.kafka.common.security.plain.PlainLoginModule'
cat >server.properties <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=CLIENTS://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
inter.broker.listener.name=CLIENTS
listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.clients.plain.sasl.jaas.config=$plain required username="admin" password="a" user_admin="a" user_reader="r";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
log.dirs=$dir/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
PROPERTIES
kafka() { exec java -Xmx384m -XX:TieredStopAtLevel=1 -cp "$dir/jars/*" "$@"; }
(kafka kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c server.properties) >format.log 2>&1 || { tail -5 format.log; exit 2; }
(kafka kafka.Kafka server.properties) >broker.log 2>&1 &
broker=$!

cat >finding.cjs <<'JS'
const kafkajs = require('kafkajs');
const { version } = require('kafkajs/package.json');
const as = (username, password, retries) =>
  new kafkajs.Kafka({
    brokers: [process.argv[2]],
    sasl: { mechanism: 'plain', username, password },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 500 },
  });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

(async () => {
  const admin = as('admin', 'a', 60).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 1, replicationFactor: 1 }] });
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;
  const right = (resourceType, resourceName) => ({
    resourceType,
    resourceName,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:reader',
    host: '*',
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW,
  });
  await admin.createAcls({ acl: [right(AclResourceTypes.TOPIC, 't'), right(AclResourceTypes.GROUP, 'given')] });
  await admin.disconnect();

  const errorOf = async (groupId) => {
    const consumer = as('reader', 'r', 3).consumer({ groupId, retry: { retries: 3, restartOnFailure: async () => false } });
    let tell;
    const told = new Promise((resolve) => { tell = resolve; });
    consumer.on(consumer.events.GROUP_JOIN, () => tell('joined'));
    consumer.on(consumer.events.CRASH, ({ payload }) => tell(`${payload.error.name}: ${payload.error.message}`));
    await consumer.connect();
    await consumer.subscribe({ topics: ['t'] });
    await consumer.run({ eachMessage: async () => undefined });
    const what = await Promise.race([told, sleep(60_000).then(() => 'nothing within a minute')]);
    await consumer.disconnect().catch(() => undefined);
    return what;
  };
  // A coordinator is there: somebody who may use the group joins it.
  const given = await errorOf('given');
  const refused = await errorOf('refused');
  console.log(`kafkajs ${version}`);
  console.log(`a group that the login may use:     ${given}`);
  console.log(`a group that the login may not use: ${refused}`);
  if (given !== 'joined') process.exit(2);
  const same = refused.startsWith('KafkaJSGroupCoordinatorNotFound') && !/authoriz/i.test(refused);
  console.log(same ? 'The refusal is reported as a missing coordinator.' : 'This has changed.');
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(error); process.exit(2); });
JS
node finding.cjs "127.0.0.1:$port"

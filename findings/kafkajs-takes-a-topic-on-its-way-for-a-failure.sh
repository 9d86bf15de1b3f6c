#!/usr/bin/env bash
# createTopics of kafkajs waits for the leaders of new topics, but a broker that does not know the topic yet ends the wait with an
# error, although the topic was made. Brokers with KRaft learn of a topic from their controller, and may be a moment late.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null || exit 2
cat >finding.cjs <<'JS'
const createAdmin = require('kafkajs/src/admin');
const { createErrorFromCode } = require('kafkajs/src/protocol/error');
const { version } = require('kafkajs/package.json');
// A cluster whose controller makes the topic; its broker answers the first question for it with this code, and then knows it.
const logger = { namespace: () => logger, info() {}, debug() {}, warn() {}, error() {} };
async function made(code) {
  let made = false;
  let asked = 0;
  const broker = {
    createTopics: async () => void (made = true),
    metadata: async () => {
      if (asked++ === 0) throw createErrorFromCode(code);
      return { topicMetadata: [] };
    },
  };
  const cluster = { connect: async () => {}, refreshMetadata: async () => {}, findControllerBroker: async () => broker };
  const admin = createAdmin({ logger, cluster, retry: { retries: 5 }, instrumentationEmitter: { emit() {} } });
  const told = await admin.createTopics({ topics: [{ topic: 'events' }] }).then(String, (error) => error.type);
  return { made, told };
}
(async () => {
  const [late, electing] = [await made(3), await made(5)];
  console.log(`kafkajs ${version}, a new topic that the broker does not know yet: made ${late.made}, createTopics says ${late.told}.`);
  console.log(`One that has no leader yet: made ${electing.made}, createTopics says ${electing.told}.`);
  const still = late.made && late.told === 'UNKNOWN_TOPIC_OR_PARTITION' && electing.told === 'true';
  console.log(
    still
      ? 'Still so: the one is waited for, the other is reported as a failure. Make topics with waitForLeaders: false, and ask for their metadata until it is there.'
      : 'Changed: both are waited for.',
  );
  process.exit(still ? 0 : 1);
})();
JS
node finding.cjs

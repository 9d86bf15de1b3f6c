#!/usr/bin/env bash
# kafkajs measures the time between heartbeats by the wall clock: after a step back it sends none for as long as the step.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null || exit 2
cat >finding.cjs <<'JS'
const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup');
const { version } = require('kafkajs/package.json');
// One group member as its runner drives it: asked for a heartbeat every 2 s, it may send one every 1.5 s. Its coordinator only counts.
let wall = Date.parse('2026-11-21T10:00:00Z');
Date.now = () => wall;
let sent = 0;
const logger = { namespace: () => logger, info() {}, debug() {}, warn() {}, error() {} };
const group = new ConsumerGroup({ retry: {}, topics: [], groupId: 'g', logger, instrumentationEmitter: { emit() {} } });
group.memberId = 'm';
group.coordinator = { heartbeat: async () => void sent++ };
async function twentySeconds() {
  const before = sent;
  for (let n = 0; n < 10; n++) {
    wall += 2_000;
    await group.heartbeat({ interval: 1_500 });
  }
  return sent - before;
}
(async () => {
  const steady = await twentySeconds();
  wall -= 60_000;
  const after = [await twentySeconds(), await twentySeconds(), await twentySeconds(), await twentySeconds()];
  console.log(`kafkajs ${version}, heartbeats in 20 s: ${steady}.`);
  console.log(`After the wall clock was set back by 60 s, in each 20 s: ${after.join(', ')}.`);
  const still = steady === 10 && after[0] === 0 && after[1] === 0 && after[3] === 10;
  console.log(
    still
      ? 'Still so: for a minute the broker hears nothing, and after the session gives the partitions to others, while this consumer goes on fetching.'
      : 'Changed: heartbeats go on after a step back.',
  );
  process.exit(still ? 0 : 1);
})();
JS
node finding.cjs

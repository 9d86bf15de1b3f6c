#!/usr/bin/env bash
# kafkajs fetches from a broker again only when every batch of the last fetch was handled: with partitionsConsumedConcurrently, one
# slow partition still holds up all partitions of that broker, and those that have nothing to do with it.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null || exit 2
cat >finding.cjs <<'JS'
const createFetchManager = require('kafkajs/src/consumer/fetchManager');
const { version } = require('kafkajs/package.json');
// One broker that always has a next batch of each of two partitions; its answers are a list, so no broker is needed.
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const logger = { namespace: () => logger, info() {}, debug() {}, warn() {}, error() {} };
let free;
const slow = new Promise((resolve) => (free = resolve));
const handled = [0, 0];
let answers = 0;
const manager = createFetchManager({
  logger,
  concurrency: 16,
  getNodeIds: () => [1],
  fetch: async () => {
    await sleep(5);
    answers += 1;
    return [0, 1].map((partition) => ({ topic: 'events', partition }));
  },
  handler: async ({ partition }) => {
    handled[partition] += 1;
    if (partition === 0) await slow;
  },
});
(async () => {
  const done = manager.start();
  await sleep(1_000);
  const during = { answers, quick: handled[1] };
  free();
  await sleep(1_000);
  const after = { answers, quick: handled[1] };
  await manager.stop();
  await done;
  console.log(`kafkajs ${version}, 16 partitions at once.`);
  console.log(`While partition 0 is handled for a second: ${during.answers} fetch, ${during.quick} batch of partition 1.`);
  console.log(`In the second after it: ${after.answers - during.answers > 10 ? 'many' : after.answers - during.answers} fetches.`);
  const still = during.answers === 1 && during.quick === 1 && after.quick > 10;
  console.log(
    still
      ? 'Still so: a free worker gets nothing to do until the slowest batch of the last fetch has ended.'
      : 'Changed: other partitions are fetched while one is slow.',
  );
  process.exit(still ? 0 : 1);
})();
JS
node finding.cjs

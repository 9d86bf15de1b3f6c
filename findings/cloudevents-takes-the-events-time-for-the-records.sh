#!/usr/bin/env bash
# The CloudEvents SDK for JavaScript gives a Kafka record the time of its event, from which Kafka counts the record's age.
# Needs Node and npm. Exits 0 while it is so, 1 where it no longer is, 2 where it could not be tried.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund cloudevents@10.0.0 >/dev/null || exit 2
cat >finding.cjs <<'JS'
const { CloudEvent, Kafka } = require('cloudevents');
const { version } = require('cloudevents/package.json');
const time = '2020-01-01T00:00:00.000Z';
const event = new CloudEvent({ id: '1', source: '/s', type: 't', time, data: { a: 1 } });
const stamps = [Kafka.binary(event), Kafka.structured(event)].map((message) => message.timestamp);
console.log(`cloudevents ${version}, an event of ${time}.`);
for (const [n, mode] of ['binary', 'structured'].entries())
  console.log(`Kafka.${mode}(event).timestamp: ${stamps[n]} (${stamps[n] === undefined ? 'not set' : new Date(Number(stamps[n])).toISOString()})`);
const still = stamps.every((stamp) => stamp === String(Date.parse(time)));
console.log(
  still
    ? 'Still so: on a topic with message.timestamp.type=CreateTime, the default, retention deletes such a record as if it had been written then, and the broker refuses one that is more than an hour ahead.'
    : 'Changed: the record no longer bears the time of its event.',
);
process.exit(still ? 0 : 1);
JS
node finding.cjs

#!/bin/sh
# Starts the broker of the image apache/kafka on the settings that the setup handed over. The image's own start cannot format
# a log with a SCRAM user, and without one nobody could log in to make the others.
set -eu
own="${KAFKA_SETTINGS:-/run/countersign}"
bin="${KAFKA_BIN:-/opt/kafka/bin}"
"$bin/kafka-storage.sh" format --ignore-formatted --cluster-id "$(cat "$own/cluster-id")" \
  --config "$own/server.properties" --add-scram "$(cat "$own/scram")"
exec "$bin/kafka-server-start.sh" "$own/server.properties"

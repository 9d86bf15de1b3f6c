#!/bin/sh
# Starts the broker of the image apache/kafka on the settings that the setup handed over. The image's own start cannot format
# a log with a SCRAM user, and without one nobody could log in to make the others.
set -eu
own="${KAFKA_SETTINGS:-/run/countersign}"
image="${KAFKA_HOME:-/opt/kafka}"
bounds="${KAFKA_BOUNDS:-/etc/countersign/bounds.jar}"
[ -f "$bounds" ] || { echo "kafka.sh: there is no $bounds, which bounds compressed batches: mount deploy/kafka/bounds" >&2; exit 1; }
# The same programs, with what bounds compressed batches before Kafka's own jars, and without the jar of Snappy: its reader makes
# a buffer of whatever size a batch names, up to 512 MB, as large as the broker's heap. Without it a batch in Snappy is refused.
here="${KAFKA_BOUNDED:-/tmp/kafka}"
mkdir -p "$here/bin" "$here/libs"
ln -sf "$image"/bin/* "$here/bin/"
ln -sfn "$image/config" "$here/config"
for jar in "$image"/libs/*; do
  case "$jar" in */snappy-java-*.jar) ;; *) ln -sf "$jar" "$here/libs/" ;; esac
done
ln -sf "$bounds" "$here/libs/0-bounds.jar"
"$here/bin/kafka-storage.sh" format --ignore-formatted --cluster-id "$(cat "$own/cluster-id")" \
  --config "$own/server.properties" --add-scram "$(cat "$own/scram")"
exec "$here/bin/kafka-server-start.sh" "$own/server.properties"

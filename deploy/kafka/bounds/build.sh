#!/bin/sh
# Compiles what bounds compressed batches into countersign-bounds.jar, which is committed: where the broker runs there may be no
# compiler. Call it as `build.sh FOLDER`, the folder with Kafka's jars; needs a JDK of 17 or later.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
source=org/apache/kafka/common/utils/ChunkedBytesStream.java
javac --release 17 -cp "$1/*" -d "$made/classes" "$here/src/$source"
printf 'Source-SHA-256: %s\n' "$(openssl dgst -sha256 -binary "$here/src/$source" | base64)" > "$made/manifest"
jar --create --no-compress --date=2026-11-28T00:00:00Z --file "$here/countersign-bounds.jar" --manifest "$made/manifest" -C "$made/classes" .

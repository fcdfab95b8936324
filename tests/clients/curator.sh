#!/usr/bin/env bash
# Runs the Java client with Apache Curator 2.7.1, as Metron used it: curator.sh CONNECT VERB [ARGUMENT…].
# Jars and classes are made once and kept in the cache; curator.sh --prepare does only that.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../scripts/lib.sh
. "$here/../../scripts/lib.sh"
jars=$MAAS_CACHE/curator-2.7.1
maven_jars "$jars" <<'JARS'
org.apache.curator:curator-recipes:2.7.1
org.apache.curator:curator-x-discovery:2.7.1
JARS
sources=$(find "$here/java" -name '*.java' | LC_ALL=C sort)
# shellcheck disable=SC2086
classes=$MAAS_CACHE/curator-client-$(cat $sources | sha256sum | cut -c1-12)
if [ ! -d "$classes" ]; then
  need javac default-jdk-headless
  {
    flock 8
    if [ ! -d "$classes" ]; then
      tmp=$(mktemp -d "$classes.XXXXXX")
      # shellcheck disable=SC2086
      javac -nowarn -cp "$jars/*" -d "$tmp" $sources >&2
      mv "$tmp" "$classes"
    fi
  } 8>"$classes.lock"
fi
[ "${1:-}" != --prepare ] || exit 0
exec java -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$classes:$jars/*" maas.CuratorClient "$@"

#!/usr/bin/env bash
# A real Kafka 4.3.1 for tests and examples, from registry artefacts: one broker that is its own controller, on 127.0.0.1.
#
#   kafka.sh start  [--dir DIR] [--port P]   prints KEY=VALUE lines to eval: MAAS_KAFKA, KAFKA_LIB, KAFKA_PID, KAFKA_DIR
#   kafka.sh status [--dir DIR]              the same lines; exit 4 unless it runs
#   kafka.sh stop   [--dir DIR] [--purge]    leaves no process; --purge also drops the data
#   kafka.sh kill9  [--dir DIR]              as a crash would; start brings it back on its port, with its data
#   kafka.sh tool CLASS [ARG…]               runs one of Kafka's own tools, such as
#                                            org.apache.kafka.tools.ConsoleProducer --bootstrap-server $MAAS_KAFKA --topic squid
#
# DIR defaults to $MAAS_CACHE/run/kafka; in it are server.properties, data, log, pid and ports.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=server.sh
. "$here/server.sh"

server=kafka ports='broker controller' keeps='data server.properties log4j2.properties tools.properties'
lib=$MAAS_CACHE/kafka-4.3.1
jvm=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1)

prepare() {
  need_java
  maven_jars "$lib" <<'JARS'
org.apache.kafka:kafka_2.13:4.3.1
org.apache.kafka:kafka-tools:4.3.1 -org.apache.kafka:connect-runtime
org.apache.logging.log4j:log4j-slf4j-impl:2.25.4
JARS
}

# The logger that says "started" is kept; the others' lists of settings are not.
configure() {
  mkdir -p "$dir/data"
  cat >"$dir/log4j2.properties" <<'LOG'
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
LOG
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$(port_of controller)
listeners=PLAINTEXT://127.0.0.1:$(port_of broker),CONTROLLER://127.0.0.1:$(port_of controller)
advertised.listeners=PLAINTEXT://127.0.0.1:$(port_of broker)
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$dir/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
background.threads=2
# A broker that was killed is back in seconds: it waits until its old session has ended.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
PROPERTIES
  [ -f "$dir/data/meta.properties" ] || format
}

# Sixteen random bytes in base64url without padding, not beginning with a dash.
format() {
  local id
  id=A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=' | cut -c2-)
  "${jvm[@]}" -Xmx64m -Dlog4j2.configurationFile="$dir/log4j2.properties" -cp "$lib/*" kafka.tools.StorageTool \
    format -t "$id" -c "$dir/server.properties" >>"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; die 6 "$dir/data could not be formatted"; }
}

launch() {
  in_background "${jvm[@]}" -Xms64m -Xmx256m -Dlog4j2.configurationFile="$dir/log4j2.properties" \
    -cp "$lib/*" kafka.Kafka "$dir/server.properties"
}

is_it() { case $1 in *" kafka.Kafka $dir/server.properties "*) ;; *) return 1 ;; esac; }

# ApiVersions v0, as number 1 from a client without a name: the answer begins with that number and no error.
serves() {
  local answer=
  { exec 7<>"/dev/tcp/127.0.0.1/$(port_of broker)"; } 2>/dev/null || return 1
  printf '\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff' >&7 2>/dev/null &&
    answer=$(timeout 2 head -c 10 <&7 2>/dev/null | od -An -tx1 -j4 | tr -d ' \n') || true
  exec 7>&- 7<&-
  [ "$answer" = 000000010000 ] && grep -q 'Kafka Server started' "$dir/log"
}

option() { return 1; }

lines() {
  printf 'MAAS_KAFKA=127.0.0.1:%s\nKAFKA_LIB=%q\n' "$(port_of broker)" "$lib"
  printf 'KAFKA_PID=%q\nKAFKA_DIR=%q\n' "$(pid_of || true)" "$dir"
}

if [ "${1:-}" = tool ]; then
  shift
  [ $# -gt 0 ] || die 2 "tool needs a class; see --help"
  prepare
  exec "${jvm[@]}" -Xmx64m -cp "$lib/*" "$@"
fi
server_main "$@"

#!/usr/bin/env bash
# A real Kafka 4.3.1 for tests and examples, from registry artefacts: one broker that is its own controller, on 127.0.0.1.
#
#   kafka.sh start  [--dir DIR] [--port P]   prints KEY=VALUE lines to eval: MAAS_KAFKA, KAFKA_LIB, KAFKA_PID, KAFKA_DIR
#                   [--listeners all]        besides, listens with TLS and with TLS and passwords: MAAS_KAFKA_SSL, MAAS_KAFKA_SASL; certificates
#                                            and settings of clients are made in DIR/tls: ca.pem, ssl.properties, plain.properties, scram.properties
#   kafka.sh status [--dir DIR]              the same lines; exit 4 unless it runs
#   kafka.sh stop   [--dir DIR] [--purge]    leaves no process; --purge also drops the data
#   kafka.sh kill9  [--dir DIR]              as a crash would; start brings it back on its port, with its data
#   kafka.sh tool CLASS [ARG…]               runs one of Kafka's own tools, such as
#                                            org.apache.kafka.tools.ConsoleProducer --bootstrap-server $MAAS_KAFKA --topic squid
#
# DIR defaults to $MAAS_CACHE/run/kafka; in it are server.properties, data, log, pid and ports, and tls where it was asked for.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=server.sh
. "$here/server.sh"

server=kafka ports='broker controller ssl sasl' keeps='data server.properties log4j2.properties tools.properties tls'
listeners=
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
  [ "$listeners" != all ] || certify
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
  # The file may hold a password.
  (umask 077 && : >"$dir/server.properties")
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$(port_of controller)
listeners=CONTROLLER://127.0.0.1:$(port_of controller),$(open_listeners)
advertised.listeners=$(open_listeners)
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
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
  [ ! -d "$dir/tls" ] || cat >>"$dir/server.properties" <<SECURITY
ssl.keystore.type=PEM
ssl.keystore.location=$dir/tls/broker.pem
ssl.client.auth=none
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="$(password)";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
SECURITY
  [ -f "$dir/data/meta.properties" ] || format
}

open_listeners() {
  printf 'PLAINTEXT://127.0.0.1:%s' "$(port_of broker)"
  [ ! -d "$dir/tls" ] || printf ',SSL://127.0.0.1:%s,SASL_SSL://127.0.0.1:%s' "$(port_of ssl)" "$(port_of sasl)"
}

password() { cat "$dir/tls/password"; }

# An authority of its own, what it says of the broker, a user with a password, and settings that clients take as they are.
certify() (
  [ ! -d "$dir/tls" ] || exit 0
  need openssl openssl
  umask 077
  rm -rf "$dir/tls.new"
  mkdir "$dir/tls.new"
  cd "$dir/tls.new"
  key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  {
    openssl req -x509 "${key[@]}" -days 3650 -subj /CN=maas-test-authority -keyout ca.key -out ca.pem
    openssl req "${key[@]}" -subj /CN=127.0.0.1 -keyout broker.key -out broker.csr
    openssl x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out broker.crt \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  } >>"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; die 6 "openssl could not make certificates in $dir/tls.new"; }
  cat broker.key broker.crt >broker.pem
  head -c 18 /dev/urandom | base64 | tr '+/' 'ab' >password
  printf '%s\n' security.protocol=ssl "ssl.ca.location=$dir/tls/ca.pem" >ssl.properties
  for mechanism in PLAIN SCRAM-SHA-256; do
    name=${mechanism%%-*}
    printf '%s\n' security.protocol=sasl_ssl "ssl.ca.location=$dir/tls/ca.pem" "sasl.mechanism=$mechanism" sasl.username=alice \
      "sasl.password=$(cat password)" >"${name,,}.properties"
  done
  mv "$dir/tls.new" "$dir/tls"
)

# Sixteen random bytes in base64url without padding, not beginning with a dash.
format() {
  local id users=()
  id=A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=' | cut -c2-)
  [ ! -d "$dir/tls" ] || users=(--add-scram "SCRAM-SHA-256=[name=alice,password=$(password)]")
  "${jvm[@]}" -Xmx64m -Dlog4j2.configurationFile="$dir/log4j2.properties" -cp "$lib/*" kafka.tools.StorageTool \
    format -t "$id" -c "$dir/server.properties" "${users[@]}" >>"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; die 6 "$dir/data could not be formatted"; }
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

option() {
  case $1:$2 in
    --listeners:all) listeners=all ;;
    --listeners:*) die 2 "--listeners $2: all is what there is beside none" ;;
    *) return 1 ;;
  esac
}

# Users are made when the data is.
agrees() {
  if [ "$listeners" = all ] && [ -f "$dir/data/meta.properties" ] && [ ! -d "$dir/tls" ]; then
    die 8 "the broker in $dir listens without TLS only; stop --purge it, or choose another --dir"
  fi
}

lines() {
  printf 'MAAS_KAFKA=127.0.0.1:%s\nKAFKA_LIB=%q\n' "$(port_of broker)" "$lib"
  [ ! -d "$dir/tls" ] ||
    printf 'MAAS_KAFKA_SSL=127.0.0.1:%s\nMAAS_KAFKA_SASL=127.0.0.1:%s\n' "$(port_of ssl)" "$(port_of sasl)"
  printf 'KAFKA_PID=%q\nKAFKA_DIR=%q\n' "$(pid_of || true)" "$dir"
}

if [ "${1:-}" = tool ]; then
  shift
  [ $# -gt 0 ] || die 2 "tool needs a class; see --help"
  prepare
  exec "${jvm[@]}" -Xmx64m -cp "$lib/*" "$@"
fi
server_main "$@"

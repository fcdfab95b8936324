#!/usr/bin/env bash
# Starts the pipelines of sensors, detached, with Metron's options: start_parser_topology.sh -k HOST:PORT -z HOSTS -s SENSOR[,SENSOR…]
#
#   -k, --kafka HOST:PORT      Kafka's brokers
#   -z, --zk HOSTS             ZooKeeper, which holds the sensors' configurations (zk_load_configs.sh puts them there)
#   -s, --sensor A[,B…]        the sensors; each reads the topic that its configuration names
#   -ot, --output_topic TOPIC  where documents go, in Kafka; else to the search server: $MAAS_SINK, or es.ip of global.json
#   -ksp, --kafka_security_protocol P   plaintext, ssl, sasl_ssl …; MAAS_KAFKA_CONFIG names a file with more settings
#
#   -spp, --spout_p N  -pp, --parser_p N  threads that share out the topic's partitions: the larger of the two, else what the
#                              configuration says; order within a partition is kept
#
# Returns when all of them run. maas_enrich status shows them, maas_enrich stop ends them. Their logs lie in
# ~/.local/state/maas/enrich (MAAS_STATE moves it). The other sizes of Storm's topologies are accepted, and that is said.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=lib.sh
[ ! -f "$here/lib.sh" ] || . "$here/lib.sh"
if ! declare -F say >/dev/null; then
  say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
  die() { local code=$1; shift; say "$*"; exit "$code"; }
fi

kafka='' zookeeper=${MAAS_ZK:-} sensors='' output='' protocol='' workers='' unused=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -t | --test) unused="$unused $1"; shift 2; continue ;;
  esac
  [ $# -ge 2 ] || die 2 "$1 needs a value; see --help"
  case $1 in
    -k | --kafka) kafka=$2 ;;
    -z | --zk | -zq | --zk_quorum | --zookeeper) zookeeper=$2 ;;
    -s | --sensor) sensors=$2 ;;
    -ot | --output_topic) output=$2 ;;
    -ksp | --kafka_security_protocol) protocol=$(tr '[:upper:]' '[:lower:]' <<<"$2") ;;
    -spp | --spout_p | -pp | --parser_p)
      case $2 in '' | *[!0-9]* | 0* | ????*) die 2 "$1 $2: a number from 1" ;; esac
      [ "${workers:-0}" -ge "$2" ] || workers=$2
      [ "$workers" -le 64 ] || workers=64
      ;;
    -spnt | --spout_num_tasks | -pnt | --parser_num_tasks | -ewp | --error_writer_p | \
      -ewnt | --error_writer_num_tasks | -nw | --num_workers | -na | --num_ackers | -mtt | --message_timeout | \
      -mtp | --max_task_parallelism | -e | --extra_topology_options | -esc | --extra_kafka_spout_config) unused="$unused $1" ;;
    *) die 2 "$1: no such option; see --help" ;;
  esac
  shift 2
done
[ -n "$kafka" ] || die 2 "where is Kafka? give -k HOST:PORT"
[ -n "$zookeeper" ] || die 2 "where is ZooKeeper? give -z HOST:PORT"
[ -n "$sensors" ] || die 2 "which sensors? give -s SENSOR[,SENSOR…]"
IFS=, read -ra names <<<"$sensors"
for name in "${names[@]}"; do
  case $name in '' | .* | *[!A-Za-z0-9._-]*) die 2 "-s $name: no name of a sensor; letters, digits, . _ - only" ;; esac
done
[ -z "$unused" ] || say "accepted for compatibility, without use here:$unused"

bin=$here
[ -x "$bin/maas_enrich" ] || bin=$(pipeline_programs)
logs=${MAAS_STATE:-$HOME/.local/state/maas}/enrich
mkdir -p "$logs"
settings=${MAAS_KAFKA_CONFIG:-}
if [ -n "$protocol" ]; then
  # Beside the given settings, readable for nobody else: they may hold secrets.
  (umask 077; { [ -z "$settings" ] || cat "$settings"; echo "security.protocol=$protocol"; } >"$logs/kafka.properties")
  settings=$logs/kafka.properties
fi

failed=
for name in "${names[@]}"; do
  options=(run -s "$name" -z "$zookeeper" --source "kafka://$kafka" --http 127.0.0.1:0 --json)
  [ -z "$output" ] || options+=(--sink "kafka://$kafka/$output")
  [ -z "$settings" ] || options+=(--kafka-config "$settings")
  [ -z "$workers" ] || options+=(--workers "$workers")
  : >"$logs/$name.events"
  setsid "$bin/maas_enrich" "${options[@]}" </dev/null >>"$logs/$name.events" 2>>"$logs/$name.log" &
  pid=$!
  for i in $(seq 600); do
    ! grep -q '"event":"ready"' "$logs/$name.events" || break
    if [ "$i" = 600 ] || ! kill -0 "$pid" 2>/dev/null; then
      tail -n 5 "$logs/$name.events" "$logs/$name.log" >&2
      say "$name did not start; $logs/$name.log says why"
      failed=1
      kill "$pid" 2>/dev/null || true
      continue 2
    fi
    sleep 0.1
  done
  say "$name runs (process $pid, $logs/$name.log)"
done
[ -z "$failed" ] || exit 6

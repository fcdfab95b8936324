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
#
# Exit codes: those of maas_enrich run, of the first sensor that did not start (4 no such sensor, 2 no sink is known, 9 not
# permitted …); 5 when one is not ready after a minute; 8 when it runs already on this machine.
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

# The reason that a run gave: its error document as people read it, and what it logged.
show_reason() {
  sed -n 's/^{"error":{"code":"[^"]*","message":"\(.*\)","causes":\[\(.*\)\]}}$/error: \1\n\2/p' "$1" |
    sed '2{/^$/d; s/^"/  caused by: /; s/"$//; s/","/\n  caused by: /g}; s/\\"/"/g; s/\\n/ /g; s/\\\\/\\/g' >&2
  tail -n 5 "$2" >&2
}

# Starts one sensor's pipeline and waits until it is ready. Gives the exit code of one that isn't.
start_sensor() {
  local name=$1 events=$logs/$1.events log=$logs/$1.log options logged pid code
  options=(run -s "$name" -z "$zookeeper" --source "kafka://$kafka" --http 127.0.0.1:0 --json)
  [ -z "$output" ] || options+=(--sink "kafka://$kafka/$output")
  [ -z "$settings" ] || options+=(--kafka-config "$settings")
  [ -z "$workers" ] || options+=(--workers "$workers")
  # The pipeline holds the lock for as long as it lives.
  exec 7>>"$logs/$name.lock"
  # One that was just stopped may not be quite gone.
  if ! flock -w 3 7; then
    exec 7>&-
    say "$name runs here already (process $(cat "$logs/$name.pid" 2>/dev/null || echo unknown), $log); end it with maas_enrich stop -s $name -z $zookeeper, or give another one a place of its own with MAAS_STATE"
    return 8
  fi
  : >"$events"
  touch "$log"
  logged=$(wc -c <"$log")
  setsid "$bin/maas_enrich" "${options[@]}" </dev/null >>"$events" 2>>"$log" &
  pid=$!
  exec 7>&-
  echo "$pid" >"$logs/$name.pid"
  for _ in $(seq 600); do
    if grep -q '"event":"ready"' "$events"; then
      say "$name runs (process $pid, $log)"
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  if kill "$pid" 2>/dev/null; then
    code=5
    wait "$pid" || true
  else
    code=0
    wait "$pid" || code=$?
    [ "$code" != 0 ] || code=1
  fi
  show_reason "$events" <(tail -c +$((logged + 1)) "$log")
  say "$name did not start: exit code $code; its logs are $events and $log"
  return "$code"
}

result=0
for name in "${names[@]}"; do
  code=0
  start_sensor "$name" || code=$?
  [ "$result" != 0 ] || result=$code
done
exit "$result"

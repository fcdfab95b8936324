#!/usr/bin/env bash
# A real ZooKeeper 3.9.5 for tests and the quickstart, from registry artefacts: one server, or an ensemble of three.
#
#   zookeeper.sh start  [--dir DIR] [--servers 1|3] [--port P]   prints KEY=VALUE lines to eval: MAAS_ZK, ZK_PID, ZK_DIR
#   zookeeper.sh status [--dir DIR]                              the same lines; exit 4 unless all its servers run
#   zookeeper.sh stop   [--dir DIR] [--purge]                    leaves no process; --purge also drops the data
#   zookeeper.sh kill9  [--dir DIR] [--server N]                 as a crash would; start brings it back on its port, with its data
#
# DIR defaults to $MAAS_CACHE/run/zookeeper. Server N keeps everything in DIR/N: zoo.cfg, data, log, pid, port.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"

usage() { help_text >&2; exit 2; }

verb=${1:-}
[ $# -gt 0 ] && shift
asked_for_help "$verb"
dir=$MAAS_CACHE/run/zookeeper
servers='' port='' only='' purge=''
while [ $# -gt 0 ]; do
  case $1 in
    --dir) value_of "$1" $# "${2:-}"; dir=$2; shift 2 ;;
    --servers) value_of "$1" $# "${2:-}"; servers=$2; shift 2 ;;
    --port) value_of "$1" $# "${2:-}"; port=$2; shift 2 ;;
    --server) value_of "$1" $# "${2:-}"; only=$2; shift 2 ;;
    --purge) purge=1; shift ;;
    -h | --help) asked_for_help "$1" ;;
    *) say "$1: no such option"; usage ;;
  esac
done
case $servers in '' | 1 | 3) ;; *) die 2 "--servers $servers: 1 or 3" ;; esac
case $port in '') ;; *[!0-9]* | ??????*) die 2 "--port $port: a number from 1 to 65535" ;; esac
if [ -n "$port" ] && { [ "$port" -lt 1 ] || [ $((port + ${servers:-1} - 1)) -gt 65535 ]; }; then die 2 "--port $port: a number from 1 to 65535"; fi
case $only in '' | 1 | 2 | 3) ;; *) die 2 "--server $only: 1, 2 or 3" ;; esac
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
lib=$MAAS_CACHE/zookeeper-3.9.5

numbers() { for n in 1 2 3; do [ -f "$dir/$n/port" ] && echo "$n"; done; true; }
port_of() { cat "$dir/$1/port"; }

# The pid of server N while it lives: a recycled pid is not taken for it.
pid_of() {
  local pid
  pid=$(cat "$dir/$1/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$dir/$1/zoo.cfg" && echo "$pid"
}

# "Mode: …" is only said by a server that serves; "imok" comes as soon as the port is bound.
serves() {
  local answer=
  { exec 7<>"/dev/tcp/127.0.0.1/$(port_of "$1")"; } 2>/dev/null || return 1
  printf srvr >&7 2>/dev/null && answer=$(timeout 2 cat <&7 2>/dev/null) || true
  exec 7>&- 7<&-
  [[ $answer == *Mode:* ]]
}

print_lines() {
  local n hosts='' pids='' pid
  for n in $(numbers); do
    hosts=$hosts${hosts:+,}127.0.0.1:$(port_of "$n")
    pid=$(pid_of "$n") && pids=$pids${pids:+ }$pid
  done
  printf 'MAAS_ZK=%s\n' "$hosts"
  printf 'ZK_PID=%q\nZK_DIR=%q\n' "$pids" "$dir"
}

configure() {
  local n=$1 home=$dir/$1 k
  printf '%s\n' tickTime=500 minSessionTimeout=1000 maxSessionTimeout=120000 "dataDir=$home/data" \
    "clientPort=$(port_of "$n")" clientPortAddress=127.0.0.1 admin.enableServer=false '4lw.commands.whitelist=*' \
    maxClientCnxns=0 extendedTypesEnabled=true >"$home/zoo.cfg"
  if [ -f "$home/peers" ]; then
    printf 'initLimit=40\nsyncLimit=20\n' >>"$home/zoo.cfg"
    for k in $(numbers); do printf 'server.%s=127.0.0.1:%s\n' "$k" "$(cat "$dir/$k/peers")" >>"$home/zoo.cfg"; done
    echo "$n" >"$home/data/myid"
  fi
}

launch() {
  local home=$dir/$1
  setsid java -Xms32m -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dzookeeper.preAllocSize=1024 \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$lib/*" \
    org.apache.zookeeper.server.quorum.QuorumPeerMain "$home/zoo.cfg" </dev/null >>"$home/log" 2>&1 9>&- &
  echo $! >"$home/pid"
}

start() {
  local n known deadline failed
  mkdir -p "$dir"
  exec 9>"$dir/.lock"
  flock 9
  known=$(numbers | wc -l)
  if [ "$known" != 0 ]; then
    [ -z "$servers" ] || [ "$servers" = "$known" ] || die 8 "$dir holds $known server(s), not $servers; stop --purge it, or choose another --dir"
    [ -z "$port" ] || [ "$port" = "$(port_of 1)" ] || die 8 "$dir has port $(port_of 1), not $port; stop --purge it, or choose another --dir"
    local missing=
    for n in $(numbers); do { pid_of "$n" >/dev/null && serves "$n"; } || missing=1; done
    if [ -z "$missing" ]; then
      say "runs already in $dir"
      print_lines
      return
    fi
  fi
  need_java
  maven_jars "$lib" <<'JARS'
org.apache.zookeeper:zookeeper:3.9.5
io.dropwizard.metrics:metrics-core:4.1.12.1
org.xerial.snappy:snappy-java:1.1.10.5
org.slf4j:slf4j-simple:2.0.13
commons-cli:commons-cli:1.5.0
JARS
  for try in 1 2 3; do
    if [ "$known" = 0 ]; then
      for n in $(seq "${servers:-1}"); do
        mkdir -p "$dir/$n/data"
        if [ "${servers:-1}" = 3 ]; then echo "$(free_port):$(free_port)" >"$dir/$n/peers"; fi
        if [ -n "$port" ]; then echo $((port + n - 1)) >"$dir/$n/port"; else free_port >"$dir/$n/port"; fi
      done
    fi
    for n in $(numbers); do
      mkdir -p "$dir/$n/data"
      configure "$n"
      pid_of "$n" >/dev/null || launch "$n"
    done
    deadline=$((SECONDS + 40)) failed=
    for n in $(numbers); do
      until serves "$n"; do
        if ! kill -0 "$(cat "$dir/$n/pid")" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then failed=$n; break; fi
        sleep 0.05
      done
    done
    if [ -z "$failed" ]; then
      print_lines
      return
    fi
    # A port that somebody took between choosing and binding is chosen anew; one that was asked for, or holds data, is not.
    if [ "$known" != 0 ] || [ -n "$port" ] || [ "$try" = 3 ]; then break; fi
    grep -q 'Address already in use' "$dir/$failed/log" || break
    stop_all
    rm -rf "${dir:?}"/[123]
  done
  tail -n 20 "$dir/$failed/log" >&2
  stop_all
  [ "$known" != 0 ] || rm -rf "${dir:?}"/[123]
  die 6 "server $failed in $dir did not start; its last lines are above"
}

stop_all() {
  local n pid
  for n in $(numbers); do if pid=$(pid_of "$n"); then kill "$pid" 2>/dev/null || true; fi; done
  for n in $(numbers); do
    for i in $(seq 200); do
      pid=$(pid_of "$n") || break
      [ "$i" -lt 150 ] || kill -9 "$pid" 2>/dev/null || true
      sleep 0.05
    done
    rm -f "$dir/$n/pid"
  done
}

case $verb in
  start) start ;;
  status)
    [ -n "$(numbers)" ] || die 4 "none in $dir; start makes one"
    print_lines
    for n in $(numbers); do { pid_of "$n" >/dev/null && serves "$n"; } || die 4 "server $n in $dir does not serve; start brings it back"; done
    ;;
  stop)
    [ -d "$dir" ] || { say "nothing in $dir"; exit 0; }
    exec 9>"$dir/.lock"
    flock 9
    stop_all
    [ -z "$purge" ] || rm -rf "${dir:?}"/[123] "$dir/.lock"
    say "stopped"
    ;;
  kill9)
    for n in ${only:-$(numbers)}; do
      pid=$(pid_of "$n") || { say "server $n does not run"; continue; }
      kill -9 "$pid"
      while [ -d "/proc/$pid" ] && ! grep -q $'^State:\tZ' "/proc/$pid/status" 2>/dev/null; do sleep 0.01; done
    done
    ;;
  '') usage ;;
  *) say "$verb: no such verb"; usage ;;
esac

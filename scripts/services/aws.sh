#!/usr/bin/env bash
# A local stand-in for AWS (moto) for tests, from PyPI: S3 among others, in memory, on 127.0.0.1. Keys are not checked.
#
#   aws.sh start  [--dir DIR] [--port P]   prints KEY=VALUE lines to eval: MAAS_AWS, AWS_ENDPOINT_URL and keys, AWS_PID, AWS_DIR
#   aws.sh status [--dir DIR]              the same lines; exit 4 unless it runs
#   aws.sh stop   [--dir DIR] [--purge]    leaves no process, and no data: it keeps none; --purge also drops its log
#
# DIR defaults to $MAAS_CACHE/run/aws; in it are log, pid, port.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"

usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

verb=${1:-}
[ $# -gt 0 ] && shift
dir=$MAAS_CACHE/run/aws port= purge=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=${2:?"--dir needs a folder"}; shift 2 ;;
    --port) port=${2:?"--port needs a number"}; shift 2 ;;
    --purge) purge=1; shift ;;
    *) usage ;;
  esac
done
case $port in '') ;; *[!0-9]*) die 2 "--port $port: not a number" ;; esac
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac

# The pid while it lives: a recycled pid is not taken for it.
pid_of() {
  local pid words
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && words=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  case $words in *moto_server*"-p $(cat "$dir/port") "*) echo "$pid" ;; *) return 1 ;; esac
}

serves() {
  local answer=
  { exec 7<>"/dev/tcp/127.0.0.1/$(cat "$dir/port")"; } 2>/dev/null || return 1
  printf 'GET /moto-api/ HTTP/1.0\r\n\r\n' >&7 2>/dev/null && answer=$(timeout 2 head -n 1 <&7 2>/dev/null) || true
  exec 7>&- 7<&-
  [[ $answer == *" 200 "* ]]
}

print_lines() {
  local url
  url=http://127.0.0.1:$(cat "$dir/port")
  printf 'MAAS_AWS=%s\nAWS_ENDPOINT_URL=%s\n' "$url" "$url"
  printf 'AWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY=test\nAWS_REGION=us-east-1\n'
  printf 'AWS_PID=%q\nAWS_DIR=%q\n' "$(pid_of || true)" "$dir"
}

start() {
  local tools deadline
  mkdir -p "$dir"
  exec 9>"$dir/.lock"
  flock 9
  if pid_of >/dev/null && serves; then
    [ -z "$port" ] || [ "$port" = "$(cat "$dir/port")" ] || die 8 "$dir has port $(cat "$dir/port"), not $port; stop it, or choose another --dir"
    say "runs already in $dir"
    print_lines
    return
  fi
  # What moto's S3, EC2 and IAM need of its extra "server".
  tools=$(python_tools moto==5.2.5 flask==3.1.3 flask-cors==6.0.5)
  for try in 1 2 3; do
    stop_it
    if [ -n "$port" ]; then echo "$port" >"$dir/port"; else free_port >"$dir/port"; fi
    setsid "$tools/bin/moto_server" -H 127.0.0.1 -p "$(cat "$dir/port")" </dev/null >>"$dir/log" 2>&1 9>&- &
    echo $! >"$dir/pid"
    deadline=$((SECONDS + 40))
    until serves; do
      kill -0 "$(cat "$dir/pid")" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ] || break
      sleep 0.05
    done
    # A port that somebody took between choosing and binding answers too: it must be ours.
    if pid_of >/dev/null && serves; then
      print_lines
      return
    fi
    [ -z "$port" ] && [ "$try" != 3 ] || break
  done
  tail -n 20 "$dir/log" >&2
  stop_it
  die 6 "moto in $dir did not start; its last lines are above"
}

stop_it() {
  local pid
  for i in $(seq 200); do
    pid=$(pid_of) || break
    if [ "$i" -lt 150 ]; then kill "$pid" 2>/dev/null || true; else kill -9 "$pid" 2>/dev/null || true; fi
    sleep 0.05
  done
  rm -f "$dir/pid"
}

case $verb in
  start) start ;;
  status)
    [ -f "$dir/port" ] || die 4 "none in $dir; start makes one"
    print_lines
    pid_of >/dev/null && serves || die 4 "moto in $dir does not serve; start brings it back, empty"
    ;;
  stop)
    [ -d "$dir" ] || { say "nothing in $dir"; exit 0; }
    exec 9>"$dir/.lock"
    flock 9
    stop_it
    [ -z "$purge" ] || rm -rf "${dir:?}"/{log,port,.lock}
    say "stopped"
    ;;
  *) usage ;;
esac

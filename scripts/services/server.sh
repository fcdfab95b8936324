# One server in one folder on 127.0.0.1: what aws.sh, kafka.sh and search.sh share. Sourced after lib.sh, never run.
# shellcheck shell=bash
#
# A script that sources this sets
#   server     its name: of the default folder, and in messages
#   ports      names of the ports it needs, the public one first
#   keeps      what it leaves in its folder beside log, pid and ports, and --purge drops
# and defines
#   prepare    installs what it runs on
#   configure  writes its settings; `port_of NAME` tells a port
#   launch     starts it with `in_background PROGRAM…`
#   is_it      whether a command line, given as one text, is this server's
#   serves     whether it answers as it does when it is ready
#   lines      prints KEY=VALUE lines to eval
#   agrees     dies when what is asked for is not what the folder holds; may be left out
#   option     takes an option of its own, with its value: option FLAG VALUE; returns 1 for what it does not know
# and then calls `server_main "$@"`. Ports are chosen once and kept with the folder, so that a server which was killed
# comes back where its clients look for it.

dir='' port='' purge=''
agrees() { :; }

port_of() { cat "$dir/port.$1"; }
public_port() { port_of "${ports%% *}"; }

# The pid while it lives: a recycled pid is not taken for it.
pid_of() {
  local pid words
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && words=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  is_it "$words" && echo "$pid"
}

in_background() {
  setsid "$@" </dev/null >>"$dir/log" 2>&1 9>&- &
  echo $! >"$dir/pid"
}

# The first line of the answer to GET PATH.
http_status() {
  local answer=
  { exec 7<>"/dev/tcp/127.0.0.1/$(public_port)"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&7 2>/dev/null && answer=$(timeout 25 head -n 1 <&7 2>/dev/null) || true
  exec 7>&- 7<&-
  printf '%s' "$answer"
}

# The public one's file says that all are chosen.
choose_ports() {
  local name public=${ports%% *}
  for name in $ports; do free_port >"$dir/port.$name.new"; done
  [ -z "$port" ] || echo "$port" >"$dir/port.$public.new"
  for name in ${ports#"$public"} "$public"; do mv "$dir/port.$name.new" "$dir/port.$name"; done
}

start() {
  local try deadline known=
  mkdir -p "$dir"
  exec 9>"$dir/.lock"
  flock 9
  agrees
  [ ! -f "$dir/port.${ports%% *}" ] || known=1
  if [ -n "$known" ]; then
    [ -z "$port" ] || [ "$port" = "$(public_port)" ] ||
      die 8 "$dir has port $(public_port), not $port; stop --purge it, or choose another --dir"
    if pid_of >/dev/null && serves; then
      say "runs already in $dir"
      lines
      return
    fi
  fi
  prepare
  for try in 1 2 3; do
    stop_it
    [ -n "$known" ] || choose_ports
    # The log is this start's alone; the one before it is kept beside it.
    [ ! -s "$dir/log" ] || mv "$dir/log" "$dir/log.before"
    configure
    launch
    deadline=$((SECONDS + 90))
    until serves; do
      kill -0 "$(cat "$dir/pid")" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ] || break
      sleep 0.05
    done
    # A port that somebody took between choosing and binding answers too: it must be ours.
    if pid_of >/dev/null && serves; then
      lines
      return
    fi
    # A port that was asked for, or that clients know, is not chosen anew.
    [ -z "$port$known" ] && [ "$try" != 3 ] || break
    grep -qi 'address already in use\|Failed to bind' "$dir/log" || break
  done
  tail -n 20 "$dir/log" >&2
  stop_it
  [ -n "$known" ] || drop_all
  die 6 "$server in $dir did not start; its last lines are above"
}

# SIGTERM, and SIGKILL to one that does not end within 15 s.
stop_it() {
  local pid i
  for i in $(seq 400); do
    pid=$(pid_of) || break
    if [ "$i" -lt 300 ]; then [ $((i % 20)) != 1 ] || kill "$pid" 2>/dev/null || true; else kill -9 "$pid" 2>/dev/null || true; fi
    sleep 0.05
  done
  rm -f "$dir/pid"
}

drop_all() {
  local name
  for name in log log.before .lock $keeps; do rm -rf "${dir:?}/$name"; done
  rm -f "${dir:?}"/port.*
}

server_main() {
  local verb=${1:-} pid
  [ $# -gt 0 ] && shift
  asked_for_help "$verb"
  dir=$MAAS_CACHE/run/$server
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) value_of "$1" $# "${2:-}"; dir=$2; shift 2 ;;
      --port) value_of "$1" $# "${2:-}"; port=$2; shift 2 ;;
      --purge) purge=1; shift ;;
      -h | --help) asked_for_help "$1" ;;
      *)
        if option "$1" "${2:-}"; then value_of "$1" $# "${2:-}"; shift 2; else
          say "$1: no such option"
          help_text >&2
          exit 2
        fi
        ;;
    esac
  done
  case $port in '') ;; *[!0-9]* | ??????*) die 2 "--port $port: a number from 1 to 65535" ;; esac
  if [ -n "$port" ] && { [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; }; then die 2 "--port $port: a number from 1 to 65535"; fi
  case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
  case $verb in
    start) start ;;
    status)
      [ -f "$dir/port.${ports%% *}" ] || die 4 "none in $dir; start makes one"
      lines
      pid_of >/dev/null && serves || die 4 "$server in $dir does not serve; start brings it back"
      ;;
    stop)
      [ -d "$dir" ] || { say "nothing in $dir"; exit 0; }
      exec 9>"$dir/.lock"
      flock 9
      stop_it
      [ -z "$purge" ] || drop_all
      say "stopped"
      ;;
    kill9)
      pid=$(pid_of) || { say "$server in $dir does not run"; exit 0; }
      kill -9 "$pid"
      while [ -d "/proc/$pid" ] && ! grep -q $'^State:\tZ' "/proc/$pid/status" 2>/dev/null; do sleep 0.01; done
      ;;
    '') help_text >&2; exit 2 ;;
    *)
      say "$verb: no such verb"
      help_text >&2
      exit 2
      ;;
  esac
}

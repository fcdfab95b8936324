#!/usr/bin/env bash
# From a bare machine to a model's answer: quickstart.sh [--stop]
#
# Starts a ZooKeeper and a master on this machine, publishes examples/mock_dga with two instances and asks it about two
# domains. Everything it makes lies in .quickstart/ of this clone; a second run says what runs already, --stop ends it all.
set -euo pipefail
# shellcheck source=lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"
place=$MAAS_TOP/.quickstart
zookeeper=$MAAS_TOP/scripts/services/zookeeper.sh

# Processes of this quickstart that still live: our programs and models' processes (they carry an instance's id) whose
# folder or command line lies in .quickstart/. A shell or an editor that happens to be there is nobody of ours.
left_over() {
  local proc
  for proc in /proc/[0-9]*; do
    case $(readlink "$proc/exe" 2>/dev/null) in
      */maas_service | */maas_runner | *'/maas_service (deleted)' | *'/maas_runner (deleted)') ;;
      *) tr '\0' '\n' 2>/dev/null <"$proc/environ" | grep -q '^MAAS_INSTANCE_ID=' || continue ;;
    esac
    case $(readlink "$proc/cwd" 2>/dev/null) in "$place" | "$place"/*) echo "${proc#/proc/}"; continue ;; esac
    if tr '\0' '\n' 2>/dev/null <"$proc/cmdline" | grep -qF "$place/"; then echo "${proc#/proc/}"; fi
  done
}

stop() {
  local bin pid i
  [ -d "$place" ] || { say "nothing runs"; return; }
  if [ -f "$place/env" ]; then
    # shellcheck disable=SC1091
    . "$place/env"
    bin=${MAAS_BIN:-}
    if [ -x "$bin/maas_service" ] && "$zookeeper" status --dir "$place/zookeeper" >/dev/null 2>&1; then
      timeout 60 "$bin/maas_service" stop --with-models -zq "$MAAS_ZK" >&2 || true
    fi
  fi
  "$zookeeper" stop --dir "$place/zookeeper" >&2
  for i in $(seq 100); do
    pid=$(left_over)
    [ -n "$pid" ] || break
    # shellcheck disable=SC2086
    case $i in 20) kill $pid 2>/dev/null || true ;; 70) kill -9 $pid 2>/dev/null || true ;; esac
    sleep 0.1
  done
  [ -z "$(left_over)" ] || die 1 "still there: $(left_over | tr '\n' ' ')"
  say "all that it started has ended; its state stays in $place (rm -r it to begin anew)"
}

asked_for_help "$@"
[ $# -le 1 ] || die 2 "$2: one option at most; see --help"
case ${1:-} in
  '') ;;
  --stop) stop; exit 0 ;;
  *) die 2 "$1: the only option is --stop" ;;
esac

mkdir -p "$place"
exec 9>"$place/.lock"
flock -n 9 || die 8 "another quickstart is at work in $place"
need python3 python3
bin=$(built_programs 9>&-)

lines=$("$zookeeper" start --dir "$place/zookeeper" 9>&-)
eval "$lines"
cat >"$place/env" <<LINES
export MAAS_ZK=$MAAS_ZK
export MAAS_BIN=$(printf %q "$bin")
case ":\$PATH:" in *:$(printf %q "$bin"):*) ;; *) export PATH=$(printf %q "$bin:$MAAS_TOP/scripts"):\$PATH ;; esac
LINES

# A running master holds its lock. What ZooKeeper says is not enough: it names a master that was killed until its session ends.
master_runs() { [ -f "$place/state/master.lock" ] && ! flock -n "$place/state/master.lock" true; }
master_leads() {
  "$bin/maas_service" status -zq "$MAAS_ZK" --json 2>/dev/null 9>&- |
    grep -q "\"leader\":{[^}]*\"pid\":$(cat "$place/state/master.lock")[,}]"
}
if master_runs; then
  say "the master runs already"
else
  "$bin/maas_service" -zq "$MAAS_ZK" --on local --state-dir "$place/state" --store "file://$place/store" --detach >&2 9>&-
fi
if ! master_leads; then
  say "waiting for it to lead; after a crash ZooKeeper holds the old master's place for up to 10 s"
  for i in $(seq 150); do
    if master_leads; then break; fi
    master_runs || die 1 "the master has ended; $place/state/master.log says why"
    [ "$i" != 150 ] || die 5 "it does not lead after 30 s; $place/state/master.log says why"
    sleep 0.2
  done
fi

deploy() { "$bin/maas_deploy" "$@" -zq "$MAAS_ZK" 9>&-; }
if deploy -mo STATUS -n dga -v 1.0 --check >/dev/null 2>&1; then
  say "dga 1.0 runs already"
else
  code=4
  if deploy -mo STATUS -n dga -v 1.0 --json 2>/dev/null | grep -q '"dga"'; then
    say "dga 1.0 is known already; waiting for its two instances"
    code=0
    deploy -mo SCALE -n dga -v 1.0 -ni 2 --wait 60 >&2 || code=$?
  fi
  # Never published, or its payload was purged.
  case $code in
    0) ;;
    4) deploy -mo ADD -n dga -v 1.0 -m 512 -ni 2 -lmp "$MAAS_TOP/examples/mock_dga" -hmp /user/root/models --wait 60 >&2 ;;
    *) exit "$code" ;;
  esac
fi

echo '$ maas_deploy -mo LIST'
deploy -mo LIST
for host in yahoo.com cnn.com; do
  expression="MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : '$host'})"
  echo "\$ stellar -e \"$expression\""
  answer=$("$bin/stellar" -z "$MAAS_ZK" -e "$expression" 9>&-)
  echo "$answer"
done
cat <<'END'

To go on, in this shell:
  . .quickstart/env
  maas_deploy status                 what runs, and why
  maas_deploy call -n dga host=…     ask the model
  stellar -e "…"                     ask it in an expression; stellar functions lists what there is
  maas_deploy scale -n dga -v 1.0 -ni 3 --wait
  scripts/quickstart.sh --stop       ends all that was started here
END

#!/usr/bin/env bash
# The whole way of a proxy's log lines to scored documents in a search index: run.sh [--stop]
#
# Starts a ZooKeeper, a Kafka, a search server, a master with the model dga, and the pipeline of the sensor squid; sends the
# two lines of access.log with Kafka's own producer; prints the two documents. Everything it makes lies in .squid/ of this
# clone. A second run uses what runs already. --stop ends it all.
set -euo pipefail
example=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../scripts/lib.sh
. "$example/../../scripts/lib.sh"
scripts=$MAAS_TOP/scripts place=$MAAS_TOP/.squid

stop() {
  [ -d "$place" ] || { say "nothing runs"; return; }
  if [ -f "$place/env" ]; then
    # shellcheck disable=SC1091
    . "$place/env"
    "$MAAS_PIPELINE/maas_enrich" stop -z "$MAAS_ZK" >&2 || true
    timeout 60 "$MAAS_BIN/maas_service" stop --with-models -zq "$MAAS_ZK" >&2 || true
  fi
  for server in kafka search zookeeper; do "$scripts/services/$server.sh" stop --dir "$place/$server" >&2; done
  say "all that it started has ended; its state stays in $place (rm -r it to begin anew)"
}

asked_for_help "$@"
case ${1:-} in
  '') ;;
  --stop) stop; exit 0 ;;
  *) die 2 "$1: the only option is --stop" ;;
esac

mkdir -p "$place"
need python3 python3
need curl curl
MAAS_BIN=$(built_programs)
MAAS_PIPELINE=$(pipeline_programs)
for server in zookeeper kafka search; do
  lines=$("$scripts/services/$server.sh" start --dir "$place/$server")
  eval "$lines"
done
export MAAS_ZK MAAS_SINK=es+$MAAS_SEARCH
printf 'MAAS_ZK=%q\nMAAS_BIN=%q\nMAAS_PIPELINE=%q\n' "$MAAS_ZK" "$MAAS_BIN" "$MAAS_PIPELINE" >"$place/env"

"$MAAS_BIN/maas_service" status -zq "$MAAS_ZK" >/dev/null 2>&1 ||
  "$MAAS_BIN/maas_service" -zq "$MAAS_ZK" --on local --state-dir "$place/state" --store "file://$place/store" --detach >&2
# What was wanted before --stop is wanted still: the master starts it again, and another ADD would be a second instance.
deploy() { "$MAAS_BIN/maas_deploy" -zq "$MAAS_ZK" "$@"; }
wanted() { deploy -mo STATUS -n dga -v 1.0 --json 2>/dev/null | python3 -c 'import json,sys; print(sum(version["desired"] for version in json.load(sys.stdin)))' 2>/dev/null || echo 0; }
if [ "$(wanted)" = 0 ]; then
  deploy -mo ADD -n dga -v 1.0 -m 512 -ni 1 -lmp "$MAAS_TOP/examples/mock_dga" -hmp /user/root/models --wait 60 >&2
fi
for _ in $(seq 300); do
  ! deploy -mo STATUS -n dga -v 1.0 --check >/dev/null 2>&1 || break
  sleep 0.2
done
deploy -mo STATUS -n dga -v 1.0 --check >&2 || die 7 "the model is not ready after a minute"

"$scripts/zk_load_configs.sh" -m PUSH -z "$MAAS_ZK" -i "$example/config"
"$scripts/services/kafka.sh" tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$MAAS_KAFKA" --create --if-not-exists --partitions 1 --topic squid >&2
"$MAAS_PIPELINE/maas_enrich" status -s squid -z "$MAAS_ZK" >/dev/null 2>&1 ||
  "$scripts/start_parser_topology.sh" -k "$MAAS_KAFKA" -z "$MAAS_ZK" -s squid
# The lines of this run come to stand from here on.
offset=$("$scripts/services/kafka.sh" tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$MAAS_KAFKA" --topic squid | sed -n 's/^squid:0:\([0-9]*\)$/\1/p')
[ -n "$offset" ] || die 6 "Kafka does not say where the topic squid ends"
"$scripts/services/kafka.sh" tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$MAAS_KAFKA" --topic squid <"$example/access.log" >&2

# A second run sends the lines anew: they are new lines of the topic, and so new documents. A document's id follows from where
# its line stands (docs/pipeline.md says how), so these two are asked for and no others.
query=$(python3 - "$offset" <<'END'
import json, sys, uuid
namespace, first = uuid.UUID("7d0c6c52-3b1e-5f8a-9a44-2f6bc1d8e903"), int(sys.argv[1])
ids = [str(uuid.uuid5(namespace, f"topic\0squid\0000\0{offset}\0")) for offset in (first, first + 1)]
print(json.dumps({"query": {"ids": {"values": ids}}, "sort": [{"timestamp": "asc"}]}))
END
)
found() { curl -s "$MAAS_SEARCH/squid_index*/_search" -H 'Content-Type: application/json' -d "$query"; }
count() { found | python3 -c 'import json,sys; print(len(json.load(sys.stdin).get("hits",{}).get("hits",[])))' 2>/dev/null || echo 0; }
for _ in $(seq 300); do
  [ "$(count)" != 2 ] || break
  sleep 0.2
done
[ "$(count)" = 2 ] || die 5 "the documents are not there after a minute; see ${MAAS_STATE:-$HOME/.local/state/maas}/enrich/squid.log"
found | python3 -c 'import json,sys
for hit in json.load(sys.stdin)["hits"]["hits"]: print(json.dumps(hit["_source"], indent=2, sort_keys=True))'
say "examples/squid/run.sh --stop ends all that was started here"

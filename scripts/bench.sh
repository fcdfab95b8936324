#!/usr/bin/env bash
# Speed and memory: bench.sh [NAME…], all benches without a name.
#
# Each line of its output: name measured baseline ratio goal ok|short. Baselines are measured in the same run. A bench is a
# bench target of any member; what it prints as a line beginning with "bench: " is a result, everything else goes to stderr.
set -euo pipefail
# shellcheck source=lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"
asked_for_help "$@"
cd "$MAAS_TOP"
need python3 python3
need_rust
need_target
known=$(cargo metadata --format-version 1 --no-deps | python3 -c '
import json, sys
for p in sorted(json.load(sys.stdin)["packages"], key=lambda p: p["name"]):
    for t in p["targets"]:
        if "bench" in t["kind"]:
            print(t["name"], p["name"], ",".join(t.get("required-features", [])))')
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cut -d' ' -f1 <<<"$known")
for name in "${names[@]}"; do
  grep -q "^$name " <<<"$known" || die 2 "no bench $name; benches: $(cut -d' ' -f1 <<<"$known" | tr '\n' ' ')"
done
zk_dir=$(mktemp -d) kafka_dir=$(mktemp -d) hadoop_dir=$(mktemp -d)
clean() {
  scripts/services/zookeeper.sh stop --dir "$zk_dir" --purge >/dev/null 2>&1 || true
  scripts/services/kafka.sh stop --dir "$kafka_dir" --purge >/dev/null 2>&1 || true
  scripts/services/hadoop.sh stop --dir "$hadoop_dir" --purge >/dev/null 2>&1 || true
  rm -rf "$zk_dir" "$kafka_dir" "$hadoop_dir"
}
trap clean EXIT
if [ -z "${MAAS_TEST_ZK:-}" ]; then
  lines=$(scripts/services/zookeeper.sh start --dir "$zk_dir")
  eval "$lines"
  export MAAS_TEST_ZK=$MAAS_ZK
  unset MAAS_ZK
fi
package_of() { awk -v n="$1" '$1 == n { print $2, $3; exit }' <<<"$known"; }
for name in "${names[@]}"; do
  case $(package_of "$name") in
    # Programs of its own, with what YARN needs: below.
    'integration-tests yarn') ;;
    integration-tests*)
      # Programs that benches start are measured as they are shipped.
      cargo build -q --release -p maas-master -p maas-deploy -p maas-runner -p integration-tests --bins >&2
      export MAAS_BENCH_PROGRAMS=$CARGO_TARGET_DIR/release
      ;;
    maas-enrich*)
      need_kafka_headers
      [ -n "${MAAS_TEST_KAFKA:-}" ] || MAAS_TEST_KAFKA=$(scripts/services/kafka.sh start --dir "$kafka_dir" | sed -n 's/^MAAS_KAFKA=//p')
      export MAAS_TEST_KAFKA
      ;;
  esac
done
printf '%-28s %14s %14s %8s %14s %s\n' name measured baseline ratio goal verdict
code=0
for name in "${names[@]}"; do
  read -r package features < <(package_of "$name")
  programs=${MAAS_BENCH_PROGRAMS:-}
  if [ "$name" = yarn ]; then
    programs=$hadoop_dir/programs
    yarn_programs release "$programs" >&2
    MAAS_TEST_HADOOP=$hadoop_dir
    export MAAS_TEST_HADOOP
    scripts/services/hadoop.sh start --dir "$hadoop_dir" >/dev/null
  fi
  MAAS_BENCH_PROGRAMS=$programs cargo bench -q -p "$package" ${features:+--features "$features"} --bench "$name" | while IFS= read -r line; do
    case $line in
      'bench: '*) read -r _ n m b r g v <<<"$line"; printf '%-28s %14s %14s %8s %14s %s\n' "$n" "$m" "$b" "$r" "$g" "$v" ;;
      *) printf '%s\n' "$line" >&2 ;;
    esac
  done || { say "$name failed"; code=1; }
done
exit "$code"

#!/usr/bin/env bash
# Everything a machine needs, then the checks and tests: test.sh [AREA…]
#
# No area: formatting, lints, unit tests, documentation, licences, spelling, and the system tests on a real ZooKeeper.
# stores: model stores behind a network: S3 on a local stand-in; HDFS where MAAS_TEST_HDFS=hdfs://HOST:PORT/DIR is set, and in the area yarn on its own.
# yarn: hadoop-yarn against Hadoop's own ResourceManager and NodeManager, under each protection of RPC, and models in containers.
# kerberos: hadoop-yarn with its feature kerberos, and models in containers, against Hadoop's own servers and a key distribution centre.
# enrich: the pipeline on a real Kafka and real search servers, alone and in the whole system, with what runs it killed.
# soak: the long fault runs, and Stellar fuzzed for 20 seconds a target.
# The last line is the sum over all tests, and the exit code is 1 when anything failed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"
asked_for_help "$@"
cd "$MAAS_TOP"
areas=(checks unit system)
known="checks unit system stores enrich yarn kerberos soak"
if [ $# -gt 0 ]; then areas=("$@"); fi
for area in "${areas[@]}"; do
  case " $known " in *" $area "*) ;; *) die 2 "no area $area; areas: $known (none: checks unit system)" ;; esac
done

need_rust
need_target
work=$(mktemp -d)
zk_dir=$work/zookeeper aws_dir=$work/aws hadoop_dir=$work/hadoop
# shellcheck disable=SC2317
clean() {
  scripts/services/zookeeper.sh stop --dir "$zk_dir" --purge >/dev/null 2>&1 || true
  scripts/services/aws.sh stop --dir "$aws_dir" >/dev/null 2>&1 || true
  scripts/services/kdc.sh stop --dir "$work/kdc" --purge >/dev/null 2>&1 || true
  for server in "$hadoop_dir" "$hadoop_dir-nodes" "$hadoop_dir-pair" "$hadoop_dir-kerberos"; do scripts/services/hadoop.sh stop --dir "$server" --purge >/dev/null 2>&1 || true; done
  for server in kafka:kafka search:opensearch-2.19 search:elasticsearch-5.6; do
    scripts/services/${server%%:*}.sh stop --dir "$work/${server#*:}" --purge >/dev/null 2>&1 || true
  done
  rm -rf "$work"
}
trap clean EXIT
# A clone that is made for one run never builds a second time, and what cargo keeps for that is gigabytes.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} RUST_BACKTRACE=1 RUST_LIB_BACKTRACE=0
failed=()

# Runs one step, shows and keeps its output, and goes on when it fails: one run tells all that is wrong. A step that is
# no collection of tests counts as one.
step() {
  local name=$1 before=$SECONDS verdict=passed
  shift
  say "== $name"
  "$@" 2>&1 | tee "$work/step" || verdict=failed
  cat "$work/step" >>"$work/log"
  if [ "$verdict" = passed ]; then say "== $name: ok, $((SECONDS - before)) s"; else
    failed+=("$name")
    say "== $name: FAILED, $((SECONDS - before)) s"
  fi
  # A program that does not compile, or a run that was cut off, fails without any test that failed.
  case $verdict in
    passed) grep -q '^test result: ' "$work/step" || echo 'test result: ok. 1 passed;' >>"$work/log" ;;
    failed) grep -q '^test result: FAILED' "$work/step" || echo 'test result: FAILED. 1 failed;' >>"$work/log" ;;
  esac
}

need_deny() {
  local tools=$MAAS_CACHE/tools
  PATH=$PATH:$tools/bin
  command -v cargo-deny >/dev/null 2>&1 && return
  say "installing cargo-deny (once, about 3 minutes; kept in $tools)"
  {
    flock 8
    [ -x "$tools/bin/cargo-deny" ] ||
      CARGO_TARGET_DIR=$work/deny cargo install -q --locked --root "$tools" cargo-deny@0.20.2 >&2 || die 6 "cargo-deny could not be installed"
  } 8>"$MAAS_CACHE/.deny.lock"
}

checks() {
  local tools
  need_deny
  tools=$(python_tools typos==1.52.0)
  step format cargo fmt --all --check
  step lints cargo clippy -q --workspace --all-targets -- -D warnings
  step documentation env RUSTDOCFLAGS="-D warnings" cargo doc -q --workspace --no-deps --document-private-items
  step licences cargo deny --log-level error check --hide-inclusion-graph bans licenses sources
  step spelling "$tools/bin/typos" --config .typos.toml
}

# One ZooKeeper for the whole run; each test keeps to a root of its own.
zookeeper() {
  local lines
  [ -z "${MAAS_TEST_ZK:-}" ] || return 0
  lines=$(scripts/services/zookeeper.sh start --dir "$zk_dir")
  eval "$lines"
  export MAAS_TEST_ZK=$MAAS_ZK
  unset MAAS_ZK
}

unit() {
  zookeeper
  step "unit tests" cargo test -q --workspace --exclude integration-tests --no-fail-fast
}

programs() {
  need python3 python3
  # Lets a test turn a wall clock.
  need faketime faketime
  # The foreign clients fetch what they need here, not within a test's time.
  tests/clients/kazoo.sh --prepare
  tests/clients/curator.sh --prepare
  step programs cargo build -q "${main_job[@]}" --bins
  # The same build, kept for the quickstart.
  built_programs >/dev/null
}

system() {
  zookeeper
  programs
  step "system tests" cargo test -q -p integration-tests --no-fail-fast
}

stores() {
  local lines features=(-p maas-store --features "s3,hdfs") hdfs=()
  if [ -z "${MAAS_TEST_AWS:-}" ]; then
    lines=$(scripts/services/aws.sh start --dir "$aws_dir")
    MAAS_TEST_AWS=$(sed -n 's/^MAAS_AWS=//p' <<<"$lines")
    export MAAS_TEST_AWS
  fi
  if [ -z "${MAAS_TEST_HDFS:-}" ]; then
    say "the contract on HDFS is left out: set MAAS_TEST_HDFS=hdfs://HOST:PORT/DIR, DIR one that you may write to"
    hdfs=(--skip "on_hdfs::")
  fi
  step "lints of the stores" cargo clippy -q "${features[@]}" --all-targets -- -D warnings
  step "documentation of the stores" env RUSTDOCFLAGS="-D warnings" cargo doc -q "${features[@]}" --no-deps --document-private-items
  step "tests of the stores" cargo test -q "${features[@]}" --no-fail-fast -- "${hdfs[@]}"
}

# Three Hadoops beside each other: one that scenarios share, one of two nodes whose daemons are killed, and one of two ResourceManagers.
# On two more what a seal could break under the other protections. The long expiries bear with a busy machine.
yarn() {
  need curl curl
  need python3 python3
  local server protection tests hdfs long=(--set yarn.am.liveness-monitor.expiry-interval-ms=60000)
  zookeeper
  step "lints of what YARN needs" cargo clippy -q -p maas-master --features yarn --all-targets -- -D warnings
  step "lints of YARN's system tests" cargo clippy -q -p integration-tests --features yarn --all-targets -- -D warnings
  step "lints of YARN with the timeline" cargo clippy -q -p hadoop-yarn --features timeline,daemons --all-targets -- -D warnings
  step "the timeline's own tests" cargo test -q -p hadoop-yarn --features timeline --lib timeline
  step "the master's own tests with YARN" cargo test -q -p maas-master --features yarn --lib yarn
  step "lints of logs from YARN" cargo clippy -q -p maas-deploy --features yarn --all-targets -- -D warnings
  step "maas_deploy's own tests with YARN" cargo test -q -p maas-deploy --features yarn --lib logs
  step "documentation of YARN" env RUSTDOCFLAGS="-D warnings" \
    cargo doc -q -p hadoop-yarn -p maas-master -p maas-deploy --features hadoop-yarn/timeline,maas-master/yarn,maas-deploy/yarn --no-deps --document-private-items
  step "examples of YARN" cargo build -q -p hadoop-yarn --features timeline --examples
  step "programs for YARN" yarn_programs debug "$work/programs"
  step "Stellar, to call models on YARN" cargo build -q -p stellar-fns --bins
  cp --reflink=auto "$CARGO_TARGET_DIR/debug/stellar" "$work/programs/"
  step "three Hadoops" all \
    "scripts/services/hadoop.sh start --dir $hadoop_dir ${long[*]} --set yarn.nm.liveness-monitor.expiry-interval-ms=60000" \
    "scripts/services/hadoop.sh start --dir $hadoop_dir-nodes --nodes 2 --gpus 2 ${long[*]} \
      --set yarn.nodemanager.resource.memory-mb=4096 --set nm2:yarn.nodemanager.recovery.enabled=false \
      --set yarn.nm.liveness-monitor.expiry-interval-ms=60000 --set yarn.scheduler.include-port-in-node-name=true" \
    "scripts/services/hadoop.sh start --dir $hadoop_dir-pair --second-rm $MAAS_TEST_ZK ${long[*]} \
      --set yarn.nodemanager.resource.memory-mb=1536 --set yarn.nm.liveness-monitor.expiry-interval-ms=60000"
  step "models on YARN" env MAAS_TEST_HADOOP="$hadoop_dir" MAAS_TEST_HADOOP_NODES="$hadoop_dir-nodes" \
    MAAS_TEST_HADOOP_PAIR="$hadoop_dir-pair" MAAS_BENCH_PROGRAMS="$work/programs" \
    cargo test -q -p integration-tests --features yarn --no-fail-fast --test yarn -- --test-threads=4
  for server in nodes pair; do scripts/services/hadoop.sh stop --dir "$hadoop_dir-$server" --purge; done
  hdfs=$(scripts/services/hadoop.sh status --dir "$hadoop_dir" | sed -n 's/^HADOOP_FS=//p')
  step "the stores' contract on HDFS" env MAAS_TEST_HDFS="$hdfs/contract" \
    cargo test -q -p maas-store --features hdfs --no-fail-fast -- on_hdfs::
  for protection in authentication integrity privacy; do
    tests=()
    if [ "$protection" != authentication ]; then
      tests=(whole:: containers::)
      scripts/services/hadoop.sh start --dir "$hadoop_dir" --no-hdfs --set hadoop.rpc.protection="$protection" \
        "${long[@]}" --set yarn.nm.liveness-monitor.expiry-interval-ms=60000 >/dev/null
    fi
    step "tests on YARN, $protection" env MAAS_TEST_HADOOP="$hadoop_dir" \
      cargo test -q -p hadoop-yarn --features timeline,daemons --no-fail-fast --test daemons -- --include-ignored --test-threads=1 "${tests[@]}"
    scripts/services/hadoop.sh stop --dir "$hadoop_dir" --purge
  done
}

# Commands at once; fails when one does.
all() {
  local command pid pids=() verdict=0
  for command in "$@"; do
    $command >/dev/null &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || verdict=1; done
  return "$verdict"
}

# Servers that take nobody's word, each with its key. The tests of hadoop-yarn start Hadoop's themselves.
kerberos() {
  local lines
  need_gssapi_headers
  need python3 python3
  zookeeper
  step "lints of YARN with Kerberos" cargo clippy -q -p hadoop-yarn --features kerberos,daemons --all-targets -- -D warnings
  step "documentation of YARN with Kerberos" env RUSTDOCFLAGS="-D warnings" \
    cargo doc -q -p hadoop-yarn -p maas-master --features hadoop-yarn/kerberos,maas-master/kerberos --no-deps --document-private-items
  step "lints of the programs with Kerberos" cargo clippy -q -p maas-master -p maas-deploy --all-targets \
    --features maas-master/kerberos,maas-deploy/kerberos -- -D warnings
  step "lints of the system test with Kerberos" cargo clippy -q -p integration-tests --features kerberos --all-targets -- -D warnings
  step "programs with Kerberos" yarn_programs debug "$work/programs-kerberos" kerberos
  lines=$(scripts/services/hadoop.sh jars)
  lines+=$'\n'$(scripts/services/kdc.sh start --dir "$work/kdc")
  eval "$lines"
  export KRB5_CONFIG KRB5CCNAME KDC_KEYTAB KDC_REALM
  step "tests on YARN with Kerberos" env MAAS_TEST_HADOOP_LIB="$HADOOP_LIB" \
    cargo test -q -p hadoop-yarn --features kerberos,daemons --no-fail-fast --test daemons -- --include-ignored --test-threads=1 kerberos::
  step "a Hadoop with Kerberos" scripts/services/hadoop.sh start --dir "$hadoop_dir-kerberos" --kerberos \
    --set yarn.am.liveness-monitor.expiry-interval-ms=60000
  step "models on YARN with Kerberos" env MAAS_TEST_HADOOP_KERBEROS="$hadoop_dir-kerberos" MAAS_BENCH_PROGRAMS="$work/programs-kerberos" \
    cargo test -q -p integration-tests --features kerberos --no-fail-fast --test yarn -- kerberos::
  scripts/services/hadoop.sh stop --dir "$hadoop_dir-kerberos" --purge
  unset KRB5_CONFIG KRB5CCNAME KDC_KEYTAB KDC_REALM
  scripts/services/kdc.sh stop --dir "$work/kdc" --purge
}

# The pipeline on its real servers; the search server of Metron's own time after the default one.
enrich() {
  local lines engine
  need_kafka_headers
  zookeeper
  programs
  step "lints of the pipeline with Kafka" cargo clippy -q -p maas-enrich --features kafka --all-targets -- -D warnings
  step "lints of the pipeline's system tests" cargo clippy -q -p integration-tests --features enrich --all-targets -- -D warnings
  lines=$(scripts/services/kafka.sh start --dir "$work/kafka" --listeners all)
  MAAS_TEST_KAFKA=$(sed -n 's/^MAAS_KAFKA=//p' <<<"$lines")
  export MAAS_TEST_KAFKA MAAS_TEST_KAFKA_DIR=$work/kafka
  for engine in opensearch-2.19 elasticsearch-5.6; do
    lines=$(scripts/services/search.sh start --dir "$work/$engine" --engine "$engine")
    MAAS_TEST_SEARCH=$(sed -n 's/^MAAS_SEARCH=//p' <<<"$lines")
    export MAAS_TEST_SEARCH
    step "tests of the pipeline on $engine" cargo test -q -p maas-enrich --features kafka --test servers --no-fail-fast
    scripts/services/search.sh stop --dir "$work/$engine" --purge
  done
  scripts/services/kafka.sh stop --dir "$work/kafka" --purge
  step "programs of the pipeline" cargo build -q -p maas-enrich --features kafka --bins
  step "system tests of the pipeline" cargo test -q -p integration-tests --features enrich --test enrich --no-fail-fast
}

soak() {
  zookeeper
  programs
  need_kafka_headers
  step "programs of the pipeline" cargo build -q -p maas-enrich --features kafka --bins
  step "fuzzing of Stellar" scripts/fuzz.sh 20
  step soak env MAAS_SOAK=1 cargo test -q -p integration-tests --features enrich --no-fail-fast soak -- --ignored --nocapture
}

for area in "${areas[@]}"; do "$area"; done
touch "$work/log"
[ ${#failed[@]} -eq 0 ] || say "failed: ${failed[*]}"
awk '/^test result: / { for (i = 3; i < NF; i++) { if ($(i + 1) ~ /^passed/) p += $i; if ($(i + 1) ~ /^failed/) f += $i; if ($(i + 1) ~ /^ignored/) s += $i } }
  END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$work/log"
[ ${#failed[@]} -eq 0 ]

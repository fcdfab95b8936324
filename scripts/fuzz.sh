#!/usr/bin/env bash
# Feeds Stellar with what nobody would write: fuzz.sh [SECONDS [TARGET…]]
#
# Targets: parse evaluate dates format regex (all of them without any); each runs for that many seconds by the clock (20),
# beginning with the public conformance cases where they lie in ../shared/stellar, or in $MAAS_SHARED/stellar. One line a target says what came of it; the
# exit code is 1 when one crashed, hung or used too much memory, and the input that did it is kept beside the corpus.
set -euo pipefail
# shellcheck source=lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"
asked_for_help "$@"
seconds=${1:-20}
[[ $seconds =~ ^[0-9]+$ ]] || die 2 "$seconds is no number of seconds; see --help"
shift || true
targets=("$@")
[ $# -gt 0 ] || targets=(parse evaluate dates format regex)
cd "$MAAS_TOP/stellar-fns/fuzz"
need_rust
need g++ g++
need python3 python3

# libFuzzer's counters, from the stable compiler; no sanitizer, since there is no unsafe code of ours.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$MAAS_CACHE/target}/fuzz
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
export RUSTFLAGS
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build -q --locked --release --target "$host" --bins
programs=$CARGO_TARGET_DIR/$host/release

# Expressions for parse and evaluate; for the others the texts that stand in calls of their functions, pattern first.
seed() {
  python3 - "$1" "$2" "${MAAS_SHARED:-$MAAS_TOP/../shared}/stellar/cases.public.jsonl" <<'PYTHON'
import hashlib, json, os, re, sys
target, folder, cases = sys.argv[1:]
# What the cases lack: large, long and deep variables, which the target evaluate has.
large = ["REDUCE(many, (a, x) -> SET_ADD(a, x), null)", "deep == deep", "deep in set", "MAP_GET(deep, map)", "MAP(many, x -> long)",
         "MAP(texts, x -> TO_UPPER(x))", "REGEXP_MATCH(long, '(?:.(?!.*z))*y')", "MAP_MERGE([map, {long : deep}])", "TO_STRING(deep)", "SET_MERGE([set, many])"]
calls = {"dates": ("DATE", "TO_EPOCH"), "format": ("FORMAT",), "regex": ("REGEXP",)}.get(target)
for text in large if target == "evaluate" else []:
    with open(os.path.join(folder, hashlib.sha1(text.encode()).hexdigest()), "w") as out:
        out.write(text)
if os.path.exists(cases):
    for line in open(cases, encoding="utf-8"):
        case = json.loads(line)
        data = case["expr"]
        if calls:
            if not any(call in data for call in calls):
                continue
            texts = re.findall(r"'((?:[^'\\]|\\.)*)'", data) + [v for v in case.get("vars", {}).values() if isinstance(v, str)]
            data = "\0".join(texts[:2])
        data = data.encode()
        with open(os.path.join(folder, hashlib.sha1(data).hexdigest()), "wb") as out:
            out.write(data)
PYTHON
}

failed=()
for target in "${targets[@]}"; do
  corpus=$CARGO_TARGET_DIR/corpus/$target
  mkdir -p "$corpus" "$CARGO_TARGET_DIR/found"
  seed "$target" "$corpus"
  log=$CARGO_TARGET_DIR/$target.log
  # The clock ends the run; the limit on processor time is for a target that no longer looks at it.
  if (ulimit -t "$((seconds + 30))"
    "$programs/$target" "$corpus" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=2048 -print_final_stats=1 \
      -artifact_prefix="$CARGO_TARGET_DIR/found/$target-") >"$log" 2>&1; then
    say "$target: ok, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, $(grep -o 'cov: [0-9]*' "$log" | tail -1)"
  else
    failed+=("$target")
    say "$target: FAILED: $(grep -m1 -E 'panicked|ERROR|SUMMARY' "$log" || tail -1 "$log"); all of it in $log"
  fi
done
[ ${#failed[@]} -eq 0 ]

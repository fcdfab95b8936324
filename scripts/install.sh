#!/usr/bin/env bash
# Installs the programs, optimised and stripped: install.sh --prefix DIR
#
# DIR/bin gets maas_service, maas_master, maas_runner, maas_deploy, stellar, maas_enrich, zk_load_configs and the scripts with
# Metron's names, so that METRON_HOME=DIR works; DIR/lib/systemd/system/maas.service is a unit made for DIR. maas_enrich needs
# libssl and zlib where it runs.
set -euo pipefail
# shellcheck source=lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

asked_for_help "$@"
prefix=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) value_of "$1" $# "${2:-}"; prefix=$2; shift 2 ;;
    *) die 2 "$1: the only option is --prefix DIR" ;;
  esac
done
[ -n "$prefix" ] || die 2 "where to? give --prefix DIR"
mkdir -p "$prefix/bin" "$prefix/lib/systemd/system" || die 9 "$prefix can't be written; choose another --prefix, or become who may"
prefix=$(cd "$prefix" && pwd)
need_rust
need_kafka_headers
need_target
say "building in the dist profile (5 to 10 minutes when nothing is cached)"
cd "$MAAS_TOP"
# Apart from the others: built with them it would get the features of maas-client that only they need.
cargo build --profile dist -p maas-runner --bins
cargo build --profile dist -p maas-master -p maas-deploy --bins
cargo build --profile dist -p stellar-fns --bin stellar
cargo build --profile dist -p maas-enrich --features kafka,tls --bins
# The runner is shipped to every node; what made it this large is to be found before it is installed anywhere.
runner_size=$(stat -c %s "$CARGO_TARGET_DIR/dist/maas_runner")
[ "$runner_size" -le $((8 << 20)) ] || die 1 "maas_runner has $runner_size bytes, more than 8 MiB; nothing is installed"
for program in maas_service maas_master maas_runner maas_deploy stellar maas_enrich zk_load_configs; do
  # A running program can't be written over, but it can be replaced.
  install -m 755 "$CARGO_TARGET_DIR/dist/$program" "$prefix/bin/.$program.new"
  mv -f "$prefix/bin/.$program.new" "$prefix/bin/$program"
done
for script in maas_service maas_deploy zk_load_configs start_parser_topology; do
  install -m 755 "$MAAS_TOP/scripts/$script.sh" "$prefix/bin/"
done
sed "s|@PREFIX@|$prefix|g" "$MAAS_TOP/scripts/maas.service" >"$prefix/lib/systemd/system/maas.service"
say "installed in $prefix (maas_runner: $((runner_size >> 10)) KiB); go on with: export METRON_HOME=$prefix PATH=$prefix/bin:\$PATH"

#!/usr/bin/env bash
# Metron's name for loading configurations: zk_load_configs.sh -m PUSH|PULL|DUMP|PATCH -z HOSTS […]. The same as zk_load_configs.
# Installed, the program lies beside this script; in a clone it is built when missing.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
bin=$here
if [ ! -x "$bin/zk_load_configs" ]; then
  # shellcheck source=lib.sh
  . "$here/lib.sh"
  bin=$(pipeline_programs)
fi
exec "$bin/zk_load_configs" "$@"

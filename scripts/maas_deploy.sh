#!/usr/bin/env bash
# Metron's name for publishing models: maas_deploy.sh -zq HOSTS -mo ADD […]. The same as maas_deploy.
# Installed, the program lies beside this script; in a clone it is built when missing.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
bin=$here
if [ ! -x "$bin/maas_deploy" ]; then
  # shellcheck source=lib.sh
  . "$here/lib.sh"
  bin=$(built_programs)
fi
exec "$bin/maas_deploy" "$@"

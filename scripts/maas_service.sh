#!/usr/bin/env bash
# Metron's name for starting the master: maas_service.sh -zq HOSTS […]. Returns when the master is ready, which runs on.
# Installed, the program lies beside this script; in a clone it is built when missing.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
bin=$here
if [ ! -x "$bin/maas_service" ]; then
  # shellcheck source=lib.sh
  . "$here/lib.sh"
  bin=$(built_programs)
fi
case " ${*:-} " in
  *' status '* | *' stop '* | *' --detach '* | *' --attach '* | *' --help '* | *' -h '* | *' --program-version '* | *' -V '* | *' completions '*) exec "$bin/maas_service" "$@" ;;
  *) exec "$bin/maas_service" "$@" --detach ;;
esac

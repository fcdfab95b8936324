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
detach=(--detach)
for argument in "$@"; do
  case $argument in
    status | stop | completions | help | --help | -h | --program-version | -V | --detach | --attach) detach=() ;;
  esac
done
exec "$bin/maas_service" "$@" "${detach[@]}"

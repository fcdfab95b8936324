#!/usr/bin/env bash
# Runs kazoo_client.py with kazoo from PyPI: kazoo.sh CONNECT VERB [ARGUMENT…]; kazoo.sh --prepare only installs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../scripts/lib.sh
. "$here/../../scripts/lib.sh"
python=$(python_tools kazoo==2.11.0)/bin/python3
[ "${1:-}" != --prepare ] || exit 0
exec "$python" "$here/kazoo_client.py" "$@"

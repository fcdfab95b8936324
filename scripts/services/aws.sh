#!/usr/bin/env bash
# A local stand-in for AWS (moto) for tests, from PyPI: S3 among others, in memory, on 127.0.0.1. Keys are not checked.
#
#   aws.sh start  [--dir DIR] [--port P]   prints KEY=VALUE lines to eval: MAAS_AWS, AWS_ENDPOINT_URL and keys, AWS_PID, AWS_DIR
#   aws.sh status [--dir DIR]              the same lines; exit 4 unless it runs
#   aws.sh stop   [--dir DIR] [--purge]    leaves no process, and no data: it keeps none; --purge also drops its log
#   aws.sh kill9  [--dir DIR]              as a crash would; start brings it back on its port, empty
#
# DIR defaults to $MAAS_CACHE/run/aws; in it are log, pid and port.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=server.sh
. "$here/server.sh"

server=aws ports=http keeps=

# What moto's S3, EC2 and IAM need of its extra "server".
prepare() { tools=$(python_tools moto==5.2.5 flask==3.1.3 flask-cors==6.0.5); }
configure() { :; }
launch() { in_background "$tools/bin/moto_server" -H 127.0.0.1 -p "$(public_port)"; }
is_it() { case $1 in *moto_server*"-p $(public_port) "*) ;; *) return 1 ;; esac; }
serves() { [[ $(http_status /moto-api/) == *" 200 "* ]]; }
option() { return 1; }

lines() {
  local url
  url=http://127.0.0.1:$(public_port)
  printf 'MAAS_AWS=%s\nAWS_ENDPOINT_URL=%s\n' "$url" "$url"
  printf 'AWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY=test\nAWS_REGION=us-east-1\n'
  printf 'AWS_PID=%q\nAWS_DIR=%q\n' "$(pid_of || true)" "$dir"
}

server_main "$@"

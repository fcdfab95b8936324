#!/usr/bin/env bash
# A Kerberos key distribution centre (MIT) for tests, from Debian's packages: realm EXAMPLE.COM on 127.0.0.1, by TCP alone.
#
#   kdc.sh start  [--dir DIR] [--port P]   prints KEY=VALUE lines to eval: KRB5_CONFIG, KRB5CCNAME, KDC_KEYTAB, KDC_REALM, KDC_PID, KDC_DIR
#   kdc.sh status [--dir DIR]              the same lines; exit 4 unless it runs
#   kdc.sh stop   [--dir DIR] [--purge]    leaves no process; --purge also drops its database
#   kdc.sh kill9  [--dir DIR]              as a crash would; start brings it back on its port, with its database
#
# DIR defaults to $MAAS_CACHE/run/kdc. The keytab holds the keys of alice and of rm, nm, nn, dn and HTTP on localhost; KRB5CCNAME has a
# ticket of alice's, renewed at each start.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=server.sh
. "$here/server.sh"

server=kdc ports=kdc keeps="krb5.conf kdc.conf db keytab tickets"
realm=EXAMPLE.COM
principals='alice rm/localhost nm/localhost nn/localhost dn/localhost HTTP/localhost'

prepare() {
  PATH=$PATH:/usr/sbin:/sbin
  need krb5kdc krb5-kdc
  need kadmin.local krb5-admin-server
  need kinit krb5-user
}

in_realm() { KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf "$@"; }

configure() {
  local principal held
  cat >"$dir/krb5.conf" <<CONF
[libdefaults]
  default_realm = $realm
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  $realm = {
    kdc = 127.0.0.1:$(public_port)
  }
[domain_realm]
  localhost = $realm
CONF
  cat >"$dir/kdc.conf" <<CONF
[kdcdefaults]
  kdc_listen = ""
  kdc_tcp_listen = 127.0.0.1:$(public_port)
[realms]
  $realm = {
    database_name = $dir/db/principal
    key_stash_file = $dir/db/stash
    max_life = 1d
    max_renewable_life = 7d
  }
CONF
  # One that was stopped before it was whole is made anew.
  [ ! -f "$dir/db/whole" ] || return 0
  rm -rf "${dir:?}/db" "${dir:?}/keytab"
  mkdir -p "$dir/db"
  # The master password stays in no list of processes; nobody needs it again.
  head -c 24 /dev/urandom | base64 | { read -r password; printf '%s\n%s\n' "$password" "$password"; } |
    in_realm kdb5_util create -s -r "$realm" >>"$dir/log" 2>&1 || die 6 "the database of $realm could not be made; see $dir/log"
  for principal in $principals; do
    printf 'addprinc -randkey %s\nktadd -norandkey -k %s %s\n' "$principal" "$dir/keytab" "$principal"
  done | in_realm kadmin.local -r "$realm" >>"$dir/log" 2>&1
  # kadmin.local ends with 0 whatever became of its commands.
  held=$(klist -k "$dir/keytab" 2>>"$dir/log") || true
  for principal in $principals; do [[ $held == *" $principal@$realm"* ]] || die 6 "$principal has no key; see $dir/log"; done
  touch "$dir/db/whole"
}

launch() { in_realm in_background krb5kdc -n -r "$realm"; }
is_it() { case $1 in *"krb5kdc -n -r $realm "*) grep -qzxF "KRB5_CONFIG=$dir/krb5.conf" "/proc/$(cat "$dir/pid")/environ" ;; *) return 1 ;; esac; }
# A ticket of alice's is what shows that it serves.
serves() { in_realm kinit -k -t "$dir/keytab" -c "FILE:$dir/tickets" alice 2>/dev/null; }
option() { return 1; }

lines() {
  printf 'KRB5_CONFIG=%q\nKRB5CCNAME=%q\nKDC_KEYTAB=%q\nKDC_REALM=%s\n' "$dir/krb5.conf" "FILE:$dir/tickets" "$dir/keytab" "$realm"
  printf 'KDC_PID=%q\nKDC_DIR=%q\n' "$(pid_of || true)" "$dir"
}

server_main "$@"

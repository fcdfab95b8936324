# Shared by the scripts beside it: messages, the cache outside the clone, and what a bare machine lacks.
# Sourced, never run. Everything said goes to stderr, so that a script's stdout stays data.
# shellcheck shell=bash

MAAS_CACHE=${MAAS_CACHE:-$HOME/.cache/maas}
export MAAS_CACHE

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { local code=$1; shift; say "$*"; exit "$code"; }

# Installs Debian packages when a program is missing: need PROGRAM PACKAGE…
need() {
  local program=$1; shift
  command -v "$program" >/dev/null 2>&1 && return 0
  command -v apt-get >/dev/null 2>&1 || die 6 "$program is missing and this machine has no apt-get; install it and run again"
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  mkdir -p "$MAAS_CACHE"
  say "$program is missing: installing $* with apt-get"
  {
    flock 8
    if ! command -v "$program" >/dev/null 2>&1; then
      "${sudo[@]}" apt-get update -q >&2 &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 ||
        die 6 "apt-get could not install $*; install $program by hand and run again"
    fi
  } 8>"$MAAS_CACHE/.apt.lock"
}

need_java() {
  need java default-jdk-headless
  need mvn maven
}

# Resolves a pom's runtime dependencies into a folder, once for all clones: maven_jars FOLDER < pom-dependencies
# (lines GROUP:ARTEFACT:VERSION, a trailing " -GROUP:ARTEFACT" leaves a transitive one out).
maven_jars() {
  local folder=$1 name tmp line coordinates rest exclusion
  name=$(basename "$folder")
  [ -d "$folder" ] && return 0
  need_java
  mkdir -p "$(dirname "$folder")"
  {
    flock 8
    if [ ! -d "$folder" ]; then
      say "resolving $name with Maven (once; kept in $folder)"
      tmp=$(mktemp -d "$folder.XXXXXX")
      {
        printf '<project><modelVersion>4.0.0</modelVersion><groupId>maas</groupId><artifactId>%s</artifactId>' "$name"
        printf '<version>1</version><packaging>pom</packaging><dependencies>\n'
        while read -r coordinates rest; do
          [ -n "$coordinates" ] || continue
          IFS=: read -r group artefact version <<<"$coordinates"
          printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><exclusions>' \
            "$group" "$artefact" "$version"
          for exclusion in $rest; do
            exclusion=${exclusion#-}
            printf '<exclusion><groupId>%s</groupId><artifactId>%s</artifactId></exclusion>' "${exclusion%%:*}" "${exclusion#*:}"
          done
          printf '</exclusions></dependency>\n'
        done
        printf '</dependencies></project>\n'
      } >"$tmp/pom.xml"
      for try in 1 2; do
        if mvn -B -q -U -f "$tmp/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
          -DoutputDirectory="$tmp/lib" </dev/null >"$tmp/maven.log" 2>&1; then
          break
        elif [ "$try" = 2 ]; then
          tail -n 20 "$tmp/maven.log" >&2
          rm -rf "$tmp"
          die 6 "Maven could not resolve $name; see the lines above, and check the network and ~/.m2/settings.xml"
        fi
      done
      mv "$tmp/lib" "$folder"
      rm -rf "$tmp"
    fi
  } 8>"$folder.lock"
}

# A port that nobody listens on, below the range that outgoing connections take theirs from: a server that is killed
# and started again then finds its port free.
free_port() {
  local port low
  read -r low _ </proc/sys/net/ipv4/ip_local_port_range
  [ "$low" -gt 12000 ] || low=32768
  for _ in $(seq 200); do
    port=$((10240 + (RANDOM * 32768 + RANDOM) % (low - 10240)))
    grep -qi ":$(printf '%04X' "$port") [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null || { echo "$port"; return; }
  done
  die 6 "no free port found between 10240 and $low"
}

# Shared by the scripts beside it: messages, the cache outside the clone, and what a bare machine lacks.
# Sourced, never run. Everything said goes to stderr, so that a script's stdout stays data.
# shellcheck shell=bash

MAAS_CACHE=${MAAS_CACHE:-$HOME/.cache/maas}
export MAAS_CACHE
MAAS_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { local code=$1; shift; say "$*"; exit "$code"; }

# The comment that opens a script is its help: on stdout where it was asked for, on stderr with exit 2 where it is needed.
help_text() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }
asked_for_help() { case ${1:-} in -h | --help) help_text; exit 0 ;; esac; }
# The value of an option, or exit 2: value_of OPTION COUNT-OF-ARGUMENTS-LEFT VALUE
value_of() { [ "$2" -ge 2 ] && [ -n "$3" ] || die 2 "$1 needs a value; see --help"; }

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
      { "${sudo[@]}" apt-get update -q &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >&2 ||
        die 6 "apt-get could not install $*; install $program by hand and run again"
    fi
  } 8>"$MAAS_CACHE/.apt.lock"
}

need_java() {
  need java default-jdk-headless
  need mvn maven
}

# Resolves a pom's runtime dependencies into a folder, once for all clones: maven_jars FOLDER < pom-dependencies
# (lines GROUP:ARTEFACT:VERSION, with @zip for what is no jar; a trailing " -GROUP:ARTEFACT" leaves a transitive one out).
maven_jars() {
  local folder=$1 name tmp coordinates rest exclusion group artefact version type try
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
          type=jar
          case $coordinates in *@*) type=${coordinates##*@} coordinates=${coordinates%@*} ;; esac
          IFS=: read -r group artefact version <<<"$coordinates"
          printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><type>%s</type><exclusions>' \
            "$group" "$artefact" "$version" "$type"
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

# What builds the programs: a C compiler for what is C among our dependencies, and rustup, which reads rust-toolchain.toml.
need_rust() {
  local programs=${CARGO_HOME:-$HOME/.cargo}/bin
  need cc build-essential
  case :$PATH: in *":$programs:"*) ;; *) PATH=$PATH:$programs ;; esac
  if ! command -v cargo >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]'; then
      need rustup rustup
    else
      install_rustup
    fi
  fi
  (cd "$MAAS_TOP" && cargo --version >/dev/null) ||
    die 6 "the toolchain named in rust-toolchain.toml is not there; run: rustup toolchain install in $MAAS_TOP"
}

# rustup as its makers hand it out, where the distribution has none.
install_rustup() {
  local installer
  need curl curl ca-certificates
  say "cargo is missing: installing rustup from rustup.rs into ${CARGO_HOME:-$HOME/.cargo}"
  installer=$(mktemp)
  if ! curl --proto '=https' --tlsv1.2 -sSf --max-time 120 -o "$installer" https://sh.rustup.rs ||
    ! sh "$installer" -y -q --no-modify-path --profile minimal --default-toolchain none >&2; then
    rm -f "$installer"
    die 6 "rustup could not be installed; install it by hand (your distribution's package, or rustup.rs) and run again"
  fi
  rm -f "$installer"
}

# Where cargo builds: outside the clone, so that the next clone finds it warm.
need_target() {
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$MAAS_CACHE/target}
}

# A virtual environment in the cache with exactly these PyPI packages; prints its folder.
python_tools() {
  local folder
  folder=$MAAS_CACHE/python-$(printf '%s\n' "$@" | sha256sum | cut -c1-12)
  if [ ! -x "$folder/bin/python3" ]; then
    need python3 python3 python3-venv
    mkdir -p "$MAAS_CACHE"
    {
      flock 8
      if [ ! -x "$folder/bin/python3" ]; then
        say "installing $* from PyPI (once; kept in $folder)"
        rm -rf "$folder.new"
        # Debian's python3 has the module and lacks what it needs until python3-venv is there.
        python3 -m venv "$folder.new" >/dev/null 2>&1 ||
          { (need a-working-venv python3-venv) || true; rm -rf "$folder.new"; python3 -m venv "$folder.new" >&2; } ||
          die 6 "python3 -m venv does not work; install python3-venv and run again"
        "$folder.new/bin/python3" -m pip install -q --disable-pip-version-check "$@" >&2 ||
          die 6 "pip could not install $*; check the network and pip's settings"
        # A virtual environment knows its own place: made under a passing name, it is renamed and told its new one.
        grep -rlI "$folder.new" "$folder.new/bin" "$folder.new/pyvenv.cfg" | xargs -r sed -i "s|$folder.new|$folder|g"
        mv "$folder.new" "$folder"
      fi
    } 8>"$folder.lock"
  fi
  echo "$folder"
}

# The crates of the main job: their programs are what the quickstart runs. The tests build the same set, and so with the
# same features of what they stand on: one build serves both. The pipeline and YARN are built where they are needed.
main_job=(-p maas-master -p maas-deploy -p maas-runner -p stellar-fns -p integration-tests)

# The programs of this clone, built when these sources have not been built before; prints their folder. They are kept by
# the digest of what they are made from, so another clone of the same sources needs no build, and what a running master
# starts its runners from stays as it is while somebody edits.
built_programs() {
  local digest folder program kept quiet=(-q)
  digest=$(cd "$MAAS_TOP" && find Cargo.toml Cargo.lock rust-toolchain.toml {maas-{cli,client,deploy,master,runner,store},stellar-fns}/{Cargo.toml,src} -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
  kept=$MAAS_CACHE/programs
  folder=$kept/$digest
  if [ ! -d "$folder" ]; then
    need_rust
    need_target
    [ ! -t 2 ] || quiet=()
    mkdir -p "$kept"
    {
      flock 8
      if [ ! -d "$folder" ]; then
        say "building the programs in $CARGO_TARGET_DIR (some minutes when nothing is cached)"
        (cd "$MAAS_TOP" && cargo build "${quiet[@]}" "${main_job[@]}" --bins) >&2 8>&- || die 1 "the build failed; see above"
        drop_old_programs "$kept"
        rm -rf "$folder.new"
        mkdir "$folder.new"
        for program in maas_service maas_deploy maas_runner stellar; do
          cp --reflink=auto "$CARGO_TARGET_DIR/debug/$program" "$folder.new/"
        done
        mv "$folder.new" "$folder"
      fi
    } 8>"$kept/.lock"
  fi
  touch "$folder"
  echo "$folder"
}

# Keeps the three that were asked for last, and those that some process runs from.
drop_old_programs() {
  local used old
  used=$(readlink /proc/[0-9]*/exe 2>/dev/null || true)
  find "$1" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d' ' -f2- |
    while IFS= read -r old; do
      grep -qF "$old/" <<<"$used" || rm -rf "$old"
    done
}

# What librdkafka, which is C, is built with.
need_kafka_headers() {
  need make make
  [ -f /usr/include/openssl/ssl.h ] && [ -f /usr/include/zlib.h ] || need openssl-headers libssl-dev zlib1g-dev
}

# What the bindings of the system's GSSAPI are made from: its headers, and libclang to read them.
need_gssapi_headers() {
  need pkg-config pkg-config
  [ -f /usr/include/gssapi/gssapi.h ] && compgen -G '/usr/lib/llvm-*/lib/libclang.so' >/dev/null || need gssapi-headers libkrb5-dev libclang-dev
}

# The pipeline's programs of this clone, built when they are not up to date; prints their folder.
pipeline_programs() {
  need_rust
  need_target
  need_kafka_headers
  [ -x "$CARGO_TARGET_DIR/debug/maas_enrich" ] || say "building the pipeline in $CARGO_TARGET_DIR (some minutes when nothing is cached)"
  (cd "$MAAS_TOP" && cargo build -q -p maas-enrich --features kafka --bins) >&2 || die 1 "the build failed; see above"
  echo "$CARGO_TARGET_DIR/debug"
}

# The programs with what YARN needs, in this folder and without their symbols: they are sent to the cluster.
# yarn_programs debug|release FOLDER [kerberos]
yarn_programs() {
  local name flags=()
  [ "$1" = debug ] || flags=(--release)
  need strip binutils
  # Apart, so that no feature of the one is another's.
  (cd "$MAAS_TOP" &&
    cargo build -q "${flags[@]}" -p maas-master --features "${3:-yarn}" --bins &&
    cargo build -q "${flags[@]}" -p maas-deploy --features "${3:-yarn}" --bins &&
    cargo build -q "${flags[@]}" -p maas-runner --bins) || return 1
  mkdir -p "$2"
  for name in maas_service maas_master maas_deploy maas_runner; do
    strip -o "$2/$name" "$CARGO_TARGET_DIR/$1/$name" || return 1
  done
}

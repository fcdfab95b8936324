#!/usr/bin/env bash
# A real Hadoop 3.5.0 for tests, from Maven Central: one or two ResourceManagers and NodeManagers, NameNode and DataNode, each its own process on 127.0.0.1.
#
#   hadoop.sh start  [--dir DIR] [--nodes 1|2] [--gpus N] [--no-hdfs] [--second-rm ZK] [--kerberos] [--set KEY=VALUE]…
#                                                   prints KEY=VALUE lines to eval: HADOOP_CONF_DIR, HADOOP_FS, RM_WEB …
#   hadoop.sh status [--dir DIR]                    the same lines; exit 4 unless all its servers run
#   hadoop.sh stop   [--dir DIR] [--purge]          leaves no process, nor one of its containers; --purge also drops all data
#   hadoop.sh jars                                  only fetches Hadoop's jars, and prints HADOOP_LIB, their folder
#   hadoop.sh kill9  [--dir DIR] --daemon NAME      as a crash would; start brings it back on its ports, with its data
#
# NAME is rm, rm2, nm1, nm2, nn or dn. DIR defaults to $MAAS_CACHE/run/hadoop; it holds conf (conf-nm2, conf-rm and conf-rm2 where there are two),
# ports, and for each server log and pid. --gpus declares N GPUs on the first node. --set adds a setting to core-site.xml and yarn-site.xml;
# nm2:KEY=VALUE is one of the second node alone. Settings last as long as DIR.
# --second-rm starts two ResourceManagers, rm and rm2, of which one leads: their state and the election between them are in this ZooKeeper
# (HOST:PORT), below a name of the folder's own. RM_WEB is then that of the one that leads.
# --kerberos starts servers that take nobody's word. It needs the lines of kdc.sh start in the environment; HDFS has a folder for alice.
# Four servers take about 1 GB, a second ResourceManager 0.3 GB more; --no-hdfs halves it, and HADOOP_FS is then the local file system.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=hadoop-conf.sh
. "$here/hadoop-conf.sh"

usage() { help_text >&2; exit 2; }

verb=${1:-}
[ $# -gt 0 ] && shift
asked_for_help "$verb"
dir=$MAAS_CACHE/run/hadoop
nodes='' gpus='' hdfs='' zk='' kerberos='' daemon='' purge='' extra=()
while [ $# -gt 0 ]; do
  case $1 in
    --dir) value_of "$1" $# "${2:-}"; dir=$2; shift 2 ;;
    --nodes) value_of "$1" $# "${2:-}"; nodes=$2; shift 2 ;;
    --gpus) value_of "$1" $# "${2:-}"; gpus=$2; shift 2 ;;
    --no-hdfs) hdfs=no; shift ;;
    --second-rm) value_of "$1" $# "${2:-}"; zk=$2; shift 2 ;;
    --kerberos) kerberos=1; shift ;;
    --set) value_of "$1" $# "${2:-}"; extra+=("$2"); shift 2 ;;
    --daemon) value_of "$1" $# "${2:-}"; daemon=$2; shift 2 ;;
    --purge) purge=1; shift ;;
    -h | --help) asked_for_help "$1" ;;
    *) say "$1: no such option"; usage ;;
  esac
done
case $nodes in '' | 1 | 2) ;; *) die 2 "--nodes $nodes: 1 or 2" ;; esac
case $gpus in *[!0-9]* | ????*) die 2 "--gpus $gpus: a number from 0 to 999" ;; esac
case $zk in '' | ?*:[0-9]*) ;; *) die 2 "--second-rm $zk: a ZooKeeper as HOST:PORT" ;; esac
case $daemon in '' | rm | rm2 | nm1 | nm2 | nn | dn) ;; *) die 2 "--daemon $daemon: rm, rm2, nm1, nm2, nn or dn" ;; esac
for setting in "${extra[@]}"; do case $setting in ?*=*) ;; *) die 2 "--set $setting: KEY=VALUE" ;; esac; done
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
version=3.5.0
lib=$MAAS_CACHE/hadoop-$version

# What a folder was started with stays: its nodes, its file system, its settings.
daemons() { cat "$dir/daemons"; }
has() { grep -qwF "$1" "$dir/daemons"; }
has_kerberos() { [ -f "$dir/kerberos" ]; }
port_of() { cat "$dir/ports/$1"; }
ports_of() {
  case $1 in
    rm | rm2) echo "$1.client $1.scheduler $1.tracker $1.admin $1.web" ;;
    nm?) echo "$1.rpc $1.localizer $1.web" ;;
    nn) echo nn.rpc nn.web ;;
    dn) echo dn.data dn.web dn.ipc ;;
  esac
}

# The pid of a daemon while it lives: a recycled pid is not taken for it.
pid_of() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -e "-Dmaas.daemon=$dir/$1" && echo "$pid"
}

# The answer to GET PATH from a port of ours.
http_get() {
  local answer=
  { exec 7<>"/dev/tcp/127.0.0.1/$(port_of "$1")"; } 2>/dev/null || return 1
  printf '%s %s HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n' "${3:-GET}" "$2" >&7 2>/dev/null && answer=$(timeout 10 cat <&7 2>/dev/null) || true
  exec 7>&- 7<&-
  printf '%s' "$answer"
}

# The ResourceManager that leads.
leading() {
  local name
  for name in $(daemons); do
    case $name in rm | rm2) [[ $(http_get "$name.web" /ws/v1/cluster/info) != *'"haState":"ACTIVE"'* ]] || { echo "$name"; return; } ;; esac
  done
  return 1
}

# Ready is what serves, and is not the one that was killed a moment ago: a ResourceManager believes in a dead node for a while.
serves() {
  local started seen leader
  case $1 in
    nn) [[ $(http_get nn.web '/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus') == *'"State" : "active"'* ]] ;;
    dn)
      [[ $(http_get dn.web '/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo') == *NamenodeHaState*active* ]] &&
        [[ $(http_get nn.web '/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo') == *'"Safemode" : ""'* ]]
      ;;
    rm | rm2) [[ $(http_get "$1.web" /ws/v1/cluster/info) == *'"state":"STARTED"'* ]] ;;
    nm?)
      started=$(http_get "$1.web" /ws/v1/node/info | grep -o '"nmStartupTime":[0-9]*' | cut -d: -f2) || return 1
      leader=$(leading) || return 1
      seen=$(http_get "$leader.web" /ws/v1/cluster/nodes | tr '{' '\n' | grep -F ":$(port_of "$1.rpc")\"" | grep -F '"state":"RUNNING"' |
        grep -o '"lastHealthUpdate":[0-9]*' | cut -d: -f2) || return 1
      [ -n "$started" ] && [ -n "$seen" ] && [ "$seen" -ge "$started" ]
      ;;
  esac
}

# java_for NAME CONF HEAP CLASS ARGUMENT…: a JVM that is one of ours.
java_for() {
  local name=$1 conf=$2 heap=$3 realm=()
  shift 3
  [ ! -f "$dir/kerberos" ] || realm=("-Djava.security.krb5.conf=$KRB5_CONFIG")
  HADOOP_CONF_DIR=$conf exec env -u HADOOP_USER_NAME java "${realm[@]}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Xmx$heap" -Djava.net.preferIPv4Stack=true \
    -Djava.io.tmpdir="$dir/tmp" -Dhadoop.log.dir="$dir/tmp" -Dyarn.log.dir="$dir/tmp" "-Dmaas.daemon=$dir/$name" -cp "$conf:$dir/web:$lib/*" "$@"
}

launch() {
  local name=$1 conf=$dir/conf heap=256m class
  case $name in
    nn) class=org.apache.hadoop.hdfs.server.namenode.NameNode ;;
    dn) class=org.apache.hadoop.hdfs.server.datanode.DataNode ;;
    rm | rm2) class=org.apache.hadoop.yarn.server.resourcemanager.ResourceManager heap=384m ;;
    nm?) class=org.apache.hadoop.yarn.server.nodemanager.NodeManager ;;
  esac
  [ "$name" != nm2 ] || conf=$dir/conf-nm2
  case $name in rm | rm2) ! has rm2 || conf=$dir/conf-$name ;; esac
  [ ! -s "$dir/$name.log" ] || mv "$dir/$name.log" "$dir/$name.log.before"
  # A session of its own: what stops this script, or a terminal that closes, does not stop the server.
  export -f java_for
  dir=$dir lib=$lib setsid bash -c 'java_for "$@"' bash "$name" "$conf" "$heap" "$class" </dev/null >>"$dir/$name.log" 2>&1 9>&- &
  echo $! >"$dir/$name.pid"
}

# Waits for a daemon to serve; 1 when it ended or takes too long.
await() {
  local deadline=$((SECONDS + 90))
  until serves "$1"; do
    kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# The directories that everybody expects, by the user who started the NameNode.
make_directories() {
  [ ! -f "$dir/nn/directories" ] || return 0
  if has_kerberos; then make_directories_by_ticket; else make_directories_by_name; fi
  touch "$dir/nn/directories"
}

make_directories_by_name() {
  local path mode answer
  while read -r path mode; do
    answer=$(http_get nn.web "/webhdfs/v1$path?op=MKDIRS&permission=$mode&user.name=$(id -un)" PUT)
    [[ $answer == *true* ]] || die 6 "the NameNode did not make $path: ${answer##*$'\n'}"
    http_get nn.web "/webhdfs/v1$path?op=SETPERMISSION&permission=$mode&user.name=$(id -un)" PUT >/dev/null
  done <<<"/tmp 1777
/tmp/logs 1777
/user 755
/user/$(id -un) 755"
}

# Where no name is believed a JVM does it.
make_directories_by_ticket() {
  KRB5CCNAME=FILE:$dir/tmp/tickets kinit -k -t "$KDC_KEYTAB" nn/localhost
  shell() {
    (KRB5CCNAME=FILE:$dir/tmp/tickets java_for shell "$dir/conf" 128m org.apache.hadoop.fs.FsShell "$@") >"$dir/shell.log" 2>&1 </dev/null 9>&- ||
      { tail -n 5 "$dir/shell.log" >&2; die 6 "the NameNode does not do $*; see the lines above"; }
  }
  shell -mkdir -p /tmp/logs /user/alice
  shell -chmod 1777 /tmp /tmp/logs
  shell -chown alice /user/alice
}

lines() {
  local name pids='' pid web
  web=$(leading) || web=rm
  for name in $(daemons); do pid=$(pid_of "$name") && pids=$pids${pids:+ }$name:$pid; done
  printf 'HADOOP_CONF_DIR=%q\nHADOOP_DIR=%q\nHADOOP_LIB=%q\nHADOOP_PIDS=%q\n' "$dir/conf" "$dir" "$lib" "$pids"
  if has nn; then printf 'HADOOP_FS=hdfs://127.0.0.1:%s\n' "$(port_of nn.rpc)"; else printf 'HADOOP_FS=file:///\n'; fi
  printf 'RM_WEB=http://127.0.0.1:%s\n' "$(port_of "$web.web")"
}

# Writes down what a new folder is to be.
plan() {
  local name port names
  mkdir -p "$dir/ports" "$dir/tmp" "$dir/web/webapps/hdfs" "$dir/web/webapps/datanode"
  names='rm nm1'
  if [ -n "$zk" ]; then
    names='rm rm2 nm1'
    echo "$zk hadoop-$(head -c 6 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$dir/zookeeper"
  fi
  if [ -n "$kerberos" ]; then
    printf 'export KRB5_CONFIG=%q KDC_KEYTAB=%q KDC_REALM=%q\n' "$KRB5_CONFIG" "$KDC_KEYTAB" "$KDC_REALM" >"$dir/kerberos"
  fi
  [ "${nodes:-1}" = 1 ] || names="$names nm2"
  [ -n "$hdfs" ] || names="nn $names dn"
  echo "${gpus:-0}" >"$dir/gpus"
  printf '%s\n' "${extra[@]}" | grep . >"$dir/settings" || true
  for name in $names; do
    for port in $(ports_of "$name"); do
      until free_port >"$dir/ports/$port" && [ "$(grep -lxF "$(port_of "$port")" "$dir"/ports/* | wc -l)" = 1 ]; do :; done
    done
  done
  echo "$names" >"$dir/daemons"
}

agrees() {
  local names
  names=$(daemons)
  [ -z "$nodes" ] || [ "$nodes" = "$(grep -ow 'nm[12]' <<<"$names" | wc -l)" ] || die 8 "$dir has other nodes than --nodes $nodes; stop --purge it, or choose another --dir"
  [ -z "$hdfs" ] || ! has nn || die 8 "$dir has HDFS; stop --purge it, or choose another --dir"
  [ -z "$zk" ] || [ "$zk" = "$(cut -d' ' -f1 "$dir/zookeeper" 2>/dev/null)" ] || die 8 "$dir has no second ResourceManager on $zk; stop --purge it, or choose another --dir"
  [ -z "$kerberos" ] || has_kerberos || die 8 "$dir has no Kerberos; stop --purge it, or choose another --dir"
  [ -z "$gpus" ] || [ "$gpus" = "$(cat "$dir/gpus")" ] || die 8 "$dir has other GPUs than --gpus $gpus; stop --purge it, or choose another --dir"
  [ ${#extra[@]} = 0 ] || [ "$(printf '%s\n' "${extra[@]}")" = "$(cat "$dir/settings")" ] || die 8 "$dir has other settings; stop --purge it, or choose another --dir"
}

jars() {
  need_java
  maven_jars "$lib" <<JARS
org.apache.hadoop:hadoop-yarn-server-resourcemanager:$version
org.apache.hadoop:hadoop-yarn-server-nodemanager:$version
org.apache.hadoop:hadoop-hdfs:$version
org.apache.hadoop:hadoop-yarn-server-timelineservice:$version
org.apache.hadoop:hadoop-yarn-client:$version
org.slf4j:slf4j-reload4j:1.7.36
org.apache.hadoop:hadoop-yarn-applications-distributedshell:3.4.2 -*:*
com.sun.jersey:jersey-client:1.19.4 -*:*
JARS
}

start() {
  local name known='' failed try missing=''
  mkdir -p "$dir"
  exec 9>"$dir/.lock"
  flock 9
  if [ -f "$dir/daemons" ]; then
    known=1
    agrees
    for name in $(daemons); do { pid_of "$name" >/dev/null && serves "$name"; } || missing=1; done
    ! has nn || [ -f "$dir/nn/directories" ] || missing=1
    if [ -z "$missing" ]; then
      say "runs already in $dir"
      lines
      return
    fi
  fi
  jars
  if [ -n "$kerberos" ] && ! has_kerberos; then
    [ -n "${KRB5_CONFIG:-}" ] && [ -n "${KDC_KEYTAB:-}" ] && [ -n "${KDC_REALM:-}" ] || die 2 "--kerberos needs the lines of kdc.sh start in the environment"
    need kinit krb5-user
  fi
  # NodeManagers hand it on to containers.
  JAVA_HOME=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
  export JAVA_HOME
  for try in 1 2 3; do
    [ -n "$known" ] || plan
    # shellcheck disable=SC1091
    ! has_kerberos || . "$dir/kerberos"
    configure "$dir/conf" nm1
    ! has nm2 || configure "$dir/conf-nm2" nm2
    if has rm2; then for name in rm rm2; do configure "$dir/conf-$name" nm1 "$name"; done; fi
    failed=''
    start_missing || failed=${failed:-$name}
    if [ -z "$failed" ]; then
      lines
      return
    fi
    # A port that somebody took between choosing and binding is chosen anew, but not one that clients know.
    if [ -n "$known" ] || [ "$try" = 3 ] || ! grep -qi 'address already in use' "$dir"/*.log; then break; fi
    stop_all
    drop_all
    mkdir -p "$dir"
  done
  tail -n 20 "$dir/$failed.log" >&2
  stop_all
  [ -n "$known" ] || drop_all
  die 6 "$failed in $dir did not start; its last lines are above"
}

# Sets `failed` to the first that did not come up.
start_missing() {
  local name
  if has nn && [ ! -d "$dir/nn" ]; then
    (java_for format "$dir/conf" 256m org.apache.hadoop.hdfs.server.namenode.NameNode -format -force -nonInteractive) >"$dir/nn.log" 2>&1 </dev/null 9>&- ||
      { failed=nn; return 1; }
  fi
  for name in $(daemons); do
    # A DataNode that finds no NameNode sleeps for five seconds.
    [ "$name" != dn ] || await nn || { failed=nn; return 1; }
    pid_of "$name" >/dev/null || launch "$name"
  done
  for name in $(daemons); do await "$name" || { failed=$name; return 1; }; done
  ! has nn || make_directories
}

# NodeManagers first, so that they end their containers; then all others at once.
stop_all() {
  local name pid i part
  for part in 'nm1 nm2' 'rm rm2 dn nn'; do
    for name in $part; do if pid=$(pid_of "$name"); then kill "$pid" 2>/dev/null || true; fi; done
    for name in $part; do
      for i in $(seq 400); do
        pid=$(pid_of "$name") || break
        [ "$i" -lt 300 ] || kill -9 "$pid" 2>/dev/null || true
        sleep 0.05
      done
      rm -f "$dir/$name.pid"
    done
  done
  # What a container left behind, or a NodeManager that was killed: its environment names this folder.
  for pid in $(grep -lzs "^LOCAL_DIRS=$dir/" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); do kill -9 "$pid" 2>/dev/null || true; done
}

drop_all() { rm -rf "${dir:?}"/{conf,conf-nm2,conf-rm,conf-rm2,ports,tmp,web,nn,dn,nm1,nm2,logs,rm-state,rm-labels,daemons,gpus,settings,zookeeper,kerberos,.lock} "${dir:?}"/*.log "${dir:?}"/*.log.before; }

case $verb in
  start) start ;;
  jars)
    jars
    printf 'HADOOP_LIB=%q\n' "$lib"
    ;;
  status)
    [ -f "$dir/daemons" ] || die 4 "none in $dir; start makes one"
    lines
    for name in $(daemons); do { pid_of "$name" >/dev/null && serves "$name"; } || die 4 "$name in $dir does not serve; start brings it back"; done
    ;;
  stop)
    [ -d "$dir" ] || { say "nothing in $dir"; exit 0; }
    exec 9>"$dir/.lock"
    flock 9
    stop_all
    [ -z "$purge" ] || drop_all
    say "stopped"
    ;;
  kill9)
    [ -n "$daemon" ] || die 2 "kill9 needs --daemon; see --help"
    pid=$(pid_of "$daemon") || { say "$daemon in $dir does not run"; exit 0; }
    kill -9 "$pid"
    while [ -d "/proc/$pid" ] && ! grep -q $'^State:\tZ' "/proc/$pid/status" 2>/dev/null; do sleep 0.01; done
    ;;
  '') usage ;;
  *) say "$verb: no such verb"; usage ;;
esac

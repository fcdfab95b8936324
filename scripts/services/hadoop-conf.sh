# The settings that hadoop.sh writes for its servers. Sourced by it, never run.
# shellcheck shell=bash
#
# What is configured is what the folder `dir` was planned with: `has`, `has_kerberos` and `port_of` of the script say it.

# site FILE < lines KEY VALUE: a configuration file of them.
site() {
  {
    echo '<?xml version="1.0"?><configuration>'
    sed -e 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' -e 's|^\([^ ]*\) *\(.*\)$|<property><name>\1</name><value>\2</value></property>|'
    echo '</configuration>'
  } >"$1.new"
  # Daemons that run may be reading it: one that finds half a file gives up.
  mv "$1.new" "$1"
}

# settings nm1|nm2: what was set, for the one node as for all.
settings() { sed -n -e "s/^$1://" -e '/^nm[12]:/d' -e 's/=/ /p' "$dir/settings"; }

p() { echo "127.0.0.1:$(port_of "$1")"; }

# Where ResourceManagers listen: resource_manager NAME SUFFIX-OF-KEYS
resource_manager() {
  cat <<SITE
yarn.resourcemanager.hostname$2 127.0.0.1
yarn.resourcemanager.address$2 $(p "$1.client")
yarn.resourcemanager.scheduler.address$2 $(p "$1.scheduler")
yarn.resourcemanager.resource-tracker.address$2 $(p "$1.tracker")
yarn.resourcemanager.admin.address$2 $(p "$1.admin")
yarn.resourcemanager.webapp.address$2 $(p "$1.web")
SITE
}

# One keeps its state in a folder; of two the one that leads keeps it where the other finds it.
resource_managers() {
  local root server
  if ! has rm2; then
    resource_manager rm ''
    echo yarn.resourcemanager.store.class org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore
    echo "yarn.resourcemanager.fs.state-store.uri file://$dir/rm-state"
    return
  fi
  resource_manager rm .rm
  resource_manager rm2 .rm2
  read -r server root <"$dir/zookeeper"
  cat <<SITE
yarn.resourcemanager.ha.enabled true
yarn.resourcemanager.ha.rm-ids rm,rm2
yarn.resourcemanager.cluster-id $root
yarn.resourcemanager.store.class org.apache.hadoop.yarn.server.resourcemanager.recovery.ZKRMStateStore
yarn.resourcemanager.zk-address $server
hadoop.zk.address $server
hadoop.zk.timeout-ms 4000
yarn.resourcemanager.zk-state-store.parent-path /$root-state
yarn.resourcemanager.ha.automatic-failover.zk-base-path /$root-leader
SITE
}

# keys PREFIX NAME KEY-OF-THE-KEYTAB: whom a server is to be, and its key.
keys() { printf '%s %s/localhost@%s\n%s %s\n' "$1" "$2" "$KDC_REALM" "$3" "$KDC_KEYTAB"; }

# With Kerberos a NodeManager that aggregates logs ends: it opens them by Hadoop's native library, which is no artefact of Maven's.
yarn_site() {
  local nm=$1
  resource_managers
  # On one machine a ResourceManager can't tell by its address which of two it is.
  [ -z "$2" ] || echo "yarn.resourcemanager.ha.id $2"
  if has_kerberos; then
    keys yarn.resourcemanager.principal rm yarn.resourcemanager.keytab
    keys yarn.nodemanager.principal nm yarn.nodemanager.keytab
    echo yarn.resourcemanager.webapp.delegation-token-auth-filter.enabled false
  fi
  cat <<SITE
yarn.resourcemanager.bind-host 127.0.0.1
yarn.resourcemanager.nodemanagers.heartbeat-interval-ms 100
yarn.am.liveness-monitor.expiry-interval-ms 15000
yarn.nm.liveness-monitor.expiry-interval-ms 15000
yarn.resourcemanager.am.max-attempts 3
yarn.resourcemanager.recovery.enabled true
yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms 1000
yarn.resourcemanager.connect.retry-interval.ms 500
yarn.client.nodemanager-connect.retry-interval-ms 500
yarn.scheduler.minimum-allocation-mb 64
yarn.scheduler.maximum-allocation-mb 4096
yarn.scheduler.minimum-allocation-vcores 1
yarn.scheduler.maximum-allocation-vcores 8
yarn.node-labels.enabled true
yarn.node-labels.fs-store.root-dir file://$dir/rm-labels
yarn.nodemanager.hostname 127.0.0.1
yarn.nodemanager.bind-host 127.0.0.1
yarn.nodemanager.address $(p "$nm.rpc")
yarn.nodemanager.localizer.address $(p "$nm.localizer")
yarn.nodemanager.webapp.address $(p "$nm.web")
yarn.nodemanager.local-dirs $dir/$nm/local
yarn.nodemanager.log-dirs $dir/$nm/logs
yarn.nodemanager.recovery.enabled true
yarn.nodemanager.recovery.dir $dir/$nm/recovery
yarn.nodemanager.resource.memory-mb 8192
yarn.nodemanager.resource.cpu-vcores 8
yarn.nodemanager.resource.memory.enforced false
yarn.nodemanager.pmem-check-enabled true
yarn.nodemanager.vmem-check-enabled false
yarn.nodemanager.container-monitor.interval-ms 1000
yarn.nodemanager.disk-health-checker.enable false
yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage 100
yarn.nodemanager.delete.debug-delay-sec 600
yarn.nodemanager.container-executor.class org.apache.hadoop.yarn.server.nodemanager.DefaultContainerExecutor
yarn.log-aggregation-enable $(if has_kerberos; then echo false; else echo true; fi)
yarn.nodemanager.remote-app-log-dir $(if has nn; then echo /tmp/logs; else echo "$dir/logs"; fi)
yarn.application.classpath $dir/conf,$lib/*
yarn.timeline-service.enabled false
yarn.system-metrics-publisher.enabled false
$(settings "$nm")
SITE
}

# configure DIRECTORY nm1|nm2 [rm|rm2]: what a daemon reads, one node's and perhaps that of one of two ResourceManagers.
configure() {
  local conf=$1 nm=$2 rm=${3:-} queue prefix=yarn.scheduler.capacity
  mkdir -p "$conf"
  site "$conf/core-site.xml" <<SITE
fs.defaultFS $(if has nn; then echo "hdfs://127.0.0.1:$(port_of nn.rpc)"; else echo file:///; fi)
hadoop.tmp.dir $dir/tmp
hadoop.security.authentication $(if has_kerberos; then echo kerberos; else echo simple; fi)
hadoop.http.staticuser.user $(id -un)
ipc.client.connect.retry.interval 200
$(settings "$nm")
SITE
  yarn_site "$nm" "$rm" | site "$conf/yarn-site.xml"
  {
    echo "$prefix.root.queues default,models"
    echo "$prefix.maximum-am-resource-percent 1.0"
    echo "$prefix.node-locality-delay -1"
    echo "$prefix.resource-calculator org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"
    echo "$prefix.root.accessible-node-labels.gpu.capacity 100"
    for queue in default models; do
      printf "$prefix.root.$queue.%s\n" 'capacity 50' 'maximum-capacity 100' 'user-limit-factor 10' 'state RUNNING' \
        'accessible-node-labels *' 'accessible-node-labels.gpu.capacity 50' 'accessible-node-labels.gpu.maximum-capacity 100'
    done
  } | site "$conf/capacity-scheduler.xml"
  echo 'yarn.resource-types yarn.io/gpu' | site "$conf/resource-types.xml"
  if [ "$nm" = nm1 ]; then echo "yarn.nodemanager.resource-type.yarn.io/gpu $(cat "$dir/gpus")"; fi | site "$conf/node-resources.xml"
  printf '%s\n' log4j.rootLogger=INFO,console log4j.appender.console=org.apache.log4j.ConsoleAppender \
    log4j.appender.console.target=System.err log4j.appender.console.layout=org.apache.log4j.PatternLayout \
    'log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n' log4j.logger.http.requests=WARN >"$conf/log4j.properties"
  has nn || return 0
  hdfs_site | site "$conf/hdfs-site.xml"
}

# A DataNode that checks who asks would want ports that only root has, or TLS on its pages.
hdfs_site() {
  if has_kerberos; then
    keys dfs.namenode.kerberos.principal nn dfs.namenode.keytab.file
    keys dfs.datanode.kerberos.principal dn dfs.datanode.keytab.file
    keys dfs.web.authentication.kerberos.principal HTTP dfs.web.authentication.kerberos.keytab
    echo dfs.block.access.token.enable true
    echo ignore.secure.ports.for.testing true
  fi
  cat <<SITE
dfs.replication 1
dfs.namenode.name.dir file://$dir/nn
dfs.datanode.data.dir file://$dir/dn
dfs.namenode.rpc-address 127.0.0.1:$(port_of nn.rpc)
dfs.namenode.http-address 127.0.0.1:$(port_of nn.web)
dfs.namenode.rpc-bind-host 127.0.0.1
dfs.namenode.http-bind-host 127.0.0.1
dfs.datanode.address 127.0.0.1:$(port_of dn.data)
dfs.datanode.http.address 127.0.0.1:$(port_of dn.web)
dfs.datanode.ipc.address 127.0.0.1:$(port_of dn.ipc)
dfs.datanode.hostname localhost
dfs.namenode.datanode.registration.ip-hostname-check false
dfs.namenode.safemode.extension 0
dfs.namenode.resource.du.reserved 1048576
dfs.datanode.du.reserved 0
dfs.permissions.enabled true
SITE
}

#!/usr/bin/env bash
# A real Apache Kafka of one node (KRaft) without Docker: jars from Maven Central (44 MB), Java 17 or newer.
#   kafka.sh install | start | stop | kill9 | status | topics [ARGUMENTS] | groups [ARGUMENTS] | configs ARGUMENTS | wipe
# KAFKA_EXTRA_CONF names a file of properties that are added to its own. KAFKA_BROKER_DIR is where the jars are.
set -euo pipefail
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=process.sh
source "$HERE/process.sh"
BROKER="${KAFKA_BROKER_DIR:-$HERE/../../.cache/services/kafka-broker}"
DATA="${KAFKA_DATA_DIR:?}"
PORT="${KAFKA_PORT:-29092}"
CONTROLLER_PORT="${KAFKA_CONTROLLER_PORT:-$((PORT + 1))}"
HEAP="${KAFKA_HEAP:-512m}"
PARTITIONS="${KAFKA_PARTITIONS:-3}" # of topics that are made by being used
CONF="$DATA.properties"
BOOT="127.0.0.1:$PORT"

java_major() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p;q'; }
is_ready() { grep -q 'Kafka Server started' "$DATA.log" && port_open; }
run_java() { java -cp "$BROKER/libs/*" "-Dlog4j2.configurationFile=$HERE/kafka-log4j2.properties" "$@"; }

install_broker() {
  local major
  major=$(java_major || true)
  if [ "${major:-0}" -lt 17 ]; then install_packages default-jre-headless; fi
  # What is half there is as good as nothing: the list is written when all jars are.
  if cmp -s "$HERE/kafka-pom.xml" "$BROKER/installed.xml"; then return 0; fi
  command -v mvn >/dev/null || install_packages maven
  echo 'fetching Kafka from Maven Central …' >&2
  rm -rf "$BROKER"
  mkdir -p "$BROKER"
  mvn -q -B -f "$HERE/kafka-pom.xml" dependency:copy-dependencies "-DoutputDirectory=$(cd "$BROKER" && pwd)/libs" -DincludeScope=runtime >&2
  cp "$HERE/kafka-pom.xml" "$BROKER/installed.xml"
}

write_configuration() {
  cat >"$CONF" <<CONFIGURATION
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$CONTROLLER_PORT
listeners=PLAINTEXT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$PORT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$DATA
auto.create.topics.enable=true
num.partitions=$PARTITIONS
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.retention.hours=24
log.segment.bytes=134217728
CONFIGURATION
  [ -z "${KAFKA_EXTRA_CONF:-}" ] || cat "$KAFKA_EXTRA_CONF" >>"$CONF" # later lines win
}

case "${1:-}" in
install) install_broker ;;
start)
  if alive; then exit 0; fi
  refuse_taken_port SERVICES_KAFKA_PORT
  install_broker
  mkdir -p "$DATA"
  write_configuration
  : >"$DATA.log"
  if [ ! -f "$DATA/meta.properties" ]; then
    id=$(run_java kafka.tools.StorageTool random-uuid | tail -n 1)
    run_java kafka.tools.StorageTool format -t "$id" -c "$CONF" >>"$DATA.log" 2>&1
  fi
  background java "-Xms$HEAP" "-Xmx$HEAP" -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Djava.awt.headless=true -cp "$BROKER/libs/*" \
    "-Dlog4j2.configurationFile=$HERE/kafka-log4j2.properties" kafka.Kafka "$CONF"
  wait_ready Kafka 60 is_ready ;;
stop) stop_process ;;
kill9) stop_process KILL ;; # an outage: nothing is flushed or handed over
status) alive ;;
topics) shift; run_java org.apache.kafka.tools.TopicCommand --bootstrap-server "$BOOT" "${@:---describe}" ;;
groups) shift; run_java org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$BOOT" "${@:---list}" ;;
configs) shift; run_java kafka.admin.ConfigCommand --bootstrap-server "$BOOT" "$@" ;;
wipe) if alive; then stop_process; fi; rm -rf "$DATA" "$DATA.log" "$CONF" ;;
*) sed -n '2,4p' "$0" >&2; exit 2 ;;
esac

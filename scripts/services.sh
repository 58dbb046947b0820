#!/usr/bin/env bash
# Real Postgres, Redis and Kafka for development and tests, on 127.0.0.1 only.
#   scripts/services.sh up     [postgres] [redis] [kafka]   starts them; says where they are on standard output, ready for `export`
#   scripts/services.sh status [postgres] [redis] [kafka]   says where those are that run; exit code 3 when one does not
#   scripts/services.sh down   [postgres] [redis] [kafka]   stops what `up` started and nothing else; data stays
#   scripts/services.sh clean                               the same for all, and removes their data
# By `docker compose` where Docker runs, else by programs of the machine, installed by apt-get (root) and Maven where missing.
#   SERVICES_DIR            data, logs and pids; .cache/services of the checkout
#   SERVICES_POSTGRES_PORT  SERVICES_REDIS_PORT  SERVICES_KAFKA_PORT   25432, 26479, 29092, or the next free one
#   SERVICES_BY             `docker` or `native`, where it is not to be found out
#   SERVICES_DURABLE=1      Postgres waits for the disk, as in production (native only)
# export $(scripts/services.sh up)
set -euo pipefail
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
DIR="${SERVICES_DIR:-$HERE/../.cache/services}"
mkdir -p "$DIR"
DIR="$(cd "$DIR" && pwd)"
port_attempts_max=50

verb="${1:-}"
case "$verb" in up | down | status | clean) shift ;; *) sed -n '2,13s/^# //p' "$0" >&2; exit 2 ;; esac
parts=("$@")
if [ ${#parts[@]} -eq 0 ] || [ "$verb" = clean ]; then parts=(postgres redis kafka); fi
for part in "${parts[@]}"; do
  case "$part" in postgres | redis | kafka) ;; *) echo "There is no service called $part: postgres, redis, kafka." >&2; exit 2 ;; esac
done
# Two calls at once would start each server twice.
if command -v flock >/dev/null; then exec 9>"$DIR/lock" && flock 9; fi

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# What the operator says, else the port it had, else the usual one or the next that is free, with its neighbour (Kafka needs two).
port_of() {
  local part=$1 given usual
  case "$part" in
  postgres) given=${SERVICES_POSTGRES_PORT:-} usual=25432 ;;
  redis) given=${SERVICES_REDIS_PORT:-} usual=26479 ;;
  kafka) given=${SERVICES_KAFKA_PORT:-} usual=29092 ;;
  esac
  if is_up "$part" || [ "$verb" != up ]; then
    cat "$DIR/$part.port" 2>/dev/null || echo "${given:-$usual}"
    return
  fi
  if [ -z "$given" ]; then
    given=$usual
    while port_open "$given" || port_open $((given + 1)); do
      given=$((given + 2))
      if [ "$given" -gt $((usual + 2 * port_attempts_max)) ]; then echo "no free port for $part" >&2; return 1; fi
    done
  fi
  echo "$given" | tee "$DIR/$part.port"
}

by() {
  if [ -n "${SERVICES_BY:-}" ]; then echo "$SERVICES_BY"
  elif [ -s "$DIR/by" ]; then cat "$DIR/by"
  elif docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1; then echo docker
  else echo native; fi
}

# @NOTE `9>&-`: a server that inherited the lock would hold it for as long as it runs.
native() {
  local part=$1 port
  port=$(cat "$DIR/$part.port" 2>/dev/null || echo 1)
  POSTGRES_DATA_DIR="$DIR/postgres" POSTGRES_PORT="$port" POSTGRES_PASSWORD="$(password)" POSTGRES_DURABLE="${SERVICES_DURABLE:-}" \
    REDIS_DATA_DIR="$DIR/redis" REDIS_PORT="$port" \
    KAFKA_DATA_DIR="$DIR/kafka" KAFKA_PORT="$port" KAFKA_BROKER_DIR="${KAFKA_BROKER_DIR:-$HERE/../.cache/services/kafka-broker}" \
    bash "$HERE/services/$part.sh" "$2" 9>&-
}

compose() {
  SERVICES_PROJECT="pinstack-services-$(printf '%s' "$DIR" | cksum | cut -d' ' -f1)" POSTGRES_PASSWORD="$(password)" \
    POSTGRES_PORT="$(cat "$DIR/postgres.port" 2>/dev/null || echo 25432)" REDIS_PORT="$(cat "$DIR/redis.port" 2>/dev/null || echo 26479)" \
    KAFKA_PORT="$(cat "$DIR/kafka.port" 2>/dev/null || echo 29092)" docker compose -f "$HERE/services/compose.yaml" "$@" 9>&-
}

password() {
  if [ ! -s "$DIR/password" ]; then (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$DIR/password"); fi
  cat "$DIR/password"
}

is_up() {
  if [ "$(by)" = docker ]; then [ -n "$(compose ps --status running --quiet "$1" 2>/dev/null)" ]; else native "$1" status; fi
}

address() {
  local port
  port=$(cat "$DIR/$1.port")
  case "$1" in
  postgres) echo "TEST_POSTGRES_URL=postgres://postgres:$(password)@127.0.0.1:$port/postgres" ;;
  redis) echo "TEST_REDIS_URL=redis://127.0.0.1:$port" ;;
  kafka) echo "TEST_KAFKA_BROKERS=127.0.0.1:$port" ;;
  esac
}

case "$verb" in
up)
  how=$(by)
  for part in "${parts[@]}"; do port_of "$part" >/dev/null; done
  echo "$how" >"$DIR/by"
  if [ "$how" = docker ]; then compose up --detach --wait "${parts[@]}" >&2
  else for part in "${parts[@]}"; do native "$part" start; done; fi
  for part in "${parts[@]}"; do address "$part"; done
  echo "${parts[*]} up, $how, in $DIR" >&2 ;;
status)
  missing=0
  for part in "${parts[@]}"; do
    if is_up "$part"; then address "$part"; else echo "$part is down" >&2; missing=3; fi
  done
  exit $missing ;;
down)
  if [ "$(by)" = docker ]; then compose stop "${parts[@]}" >&2
  else for part in "${parts[@]}"; do native "$part" stop; done; fi
  echo "${parts[*]} down" >&2 ;;
clean)
  if [ "$(by)" = docker ]; then compose down --volumes >&2
  else for part in "${parts[@]}"; do native "$part" wipe; done; fi
  for part in "${parts[@]}"; do rm -f "$DIR/$part.port"; done
  rm -f "$DIR/by" "$DIR/password"
  echo 'services and their data are gone' >&2 ;;
esac

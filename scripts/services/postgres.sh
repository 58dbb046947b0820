#!/usr/bin/env bash
# A real Postgres without Docker: its user `postgres` may create databases; text sorts by ICU's en-US where it can (15 or newer).
#   postgres.sh start | stop | kill9 | status | wipe
# Without POSTGRES_DURABLE=1 it does not wait for the disk: the data survives a killed server, and not a power cut.
set -euo pipefail
# shellcheck source=process.sh
source "$(dirname "${BASH_SOURCE[0]}")/process.sh"
DATA="${POSTGRES_DATA_DIR:?}"
PORT="${POSTGRES_PORT:-25432}"
PASSWORD="${POSTGRES_PASSWORD:?}"

programs() {
  local newest
  # shellcheck disable=SC2012
  newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$newest" ] && [ -x "$newest/initdb" ]; then echo "$newest"
  elif command -v initdb >/dev/null; then dirname "$(command -v initdb)"
  else return 1; fi
}

# Postgres refuses to run as root, so root hands it to a user with nothing to lose. @NOTE that user reaches the data by a
# capability, for the checkout may lie in a folder that is root's alone.
owner=$(id -un)
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
  owner=$(id -un postgres 2>/dev/null || echo nobody)
  as_owner=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override)
fi

case "${1:-}" in
start)
  if alive; then exit 0; fi
  refuse_taken_port SERVICES_POSTGRES_PORT
  programs >/dev/null || install_packages postgresql
  bin=$(programs)
  if [ ! -s "$DATA/PG_VERSION" ]; then
    rm -rf "$DATA"
    mkdir -p "$DATA" && chmod 700 "$DATA"
    secret=$(mktemp)
    printf '%s' "$PASSWORD" >"$secret"
    chown "$owner" "$DATA" "$secret"
    locale='--locale=C --encoding=UTF8'
    case "$("$bin/initdb" --version)" in *' 14'*) ;; *) locale="$locale --locale-provider=icu --icu-locale=en-US" ;; esac
    # shellcheck disable=SC2086
    ${as_owner[@]+"${as_owner[@]}"} "$bin/initdb" --pgdata="$DATA" --username=postgres --pwfile="$secret" --auth=scram-sha-256 --no-sync $locale >"$DATA.log" 2>&1 ||
      { tail -n 20 "$DATA.log" >&2; rm -rf "$DATA" "$secret"; exit 1; }
    rm -f "$secret"
  fi
  : >"$DATA.log"
  durability='-c fsync=off -c synchronous_commit=off -c full_page_writes=off'
  if [ "${POSTGRES_DURABLE:-}" = 1 ]; then durability=''; fi
  # shellcheck disable=SC2086
  background ${as_owner[@]+"${as_owner[@]}"} "$bin/postgres" -D "$DATA" -c "port=$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=300 $durability
  wait_ready Postgres 60 grep -q 'database system is ready to accept connections' "$DATA.log" ;;
stop) stop_process INT ;; # "fast shutdown": connections are cut
kill9) stop_process KILL ;;
status) alive ;;
wipe) if alive; then stop_process INT; fi; rm -rf "$DATA" "$DATA.log" ;;
*) sed -n '2,4p' "$0" >&2; exit 2 ;;
esac

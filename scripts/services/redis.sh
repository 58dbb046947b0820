#!/usr/bin/env bash
# A real Redis without Docker; keeps nothing on disk.
#   redis.sh start | stop | kill9 | status | wipe
set -euo pipefail
# shellcheck source=process.sh
source "$(dirname "${BASH_SOURCE[0]}")/process.sh"
DATA="${REDIS_DATA_DIR:?}"
PORT="${REDIS_PORT:-26479}"

case "${1:-}" in
start)
  if alive; then exit 0; fi
  refuse_taken_port SERVICES_REDIS_PORT
  command -v redis-server >/dev/null || install_packages redis-server
  mkdir -p "$DATA"
  : >"$DATA.log"
  background redis-server --port "$PORT" --bind 127.0.0.1 --dir "$DATA" --save '' --appendonly no --daemonize no
  wait_ready Redis 30 grep -q 'Ready to accept connections' "$DATA.log" ;;
stop) stop_process ;;
kill9) stop_process KILL ;;
status) alive ;;
wipe) if alive; then stop_process; fi; rm -rf "$DATA" "$DATA.log" ;;
*) sed -n '2,3p' "$0" >&2; exit 2 ;;
esac

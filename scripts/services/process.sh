# shellcheck shell=bash disable=SC2119,SC2120
# Sourced by the scripts beside it: one background process, remembered by its pid and by when it began, since pids are used again.
#   DATA  folder of the server's data; `$DATA.pid` and `$DATA.log` lie beside it        PORT  where it listens on 127.0.0.1

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
began() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || ps -o lstart= -p "$1" | tr -s ' ' '_'; }
pid_of() { [ -s "$DATA.pid" ] && cut -d' ' -f1 "$DATA.pid"; }
alive() {
  local pid was
  [ -s "$DATA.pid" ] && read -r pid was <"$DATA.pid" && kill -0 "$pid" 2>/dev/null && [ "$(began "$pid")" = "$was" ]
}

# background COMMAND…: it outlives this script and the terminal; what it says goes to the log
background() {
  local detach=nohup
  command -v setsid >/dev/null && detach='setsid nohup'
  # @NOTE without the redirections whoever reads this script's output would wait for the server's end.
  # shellcheck disable=SC2086
  $detach "$@" >>"$DATA.log" 2>&1 </dev/null &
  echo "$! $(began $!)" >"$DATA.pid"
}

# wait_ready SECONDS CHECK…: fails with the end of the log when the server ends, or the time does
wait_ready() {
  local name=$1 tenths=$(($2 * 10))
  shift 2
  while [ "$tenths" -gt 0 ]; do
    if "$@" >/dev/null 2>&1; then return 0; fi
    alive || break
    sleep 0.1
    tenths=$((tenths - 1))
  done
  echo "$name does not start:" >&2
  tail -n 30 "$DATA.log" >&2
  if alive; then stop_process; fi
  rm -f "$DATA.pid"
  return 1
}

# stop_process [SIGNAL]: asks, waits for 30 s, and then does not ask
stop_process() {
  local pid
  alive || { rm -f "$DATA.pid"; return 0; }
  pid=$(pid_of)
  kill "-${1:-TERM}" "$pid"
  for _ in $(seq 1 300); do
    alive || break
    sleep 0.1
  done
  if alive; then kill -KILL "$pid"; fi
  rm -f "$DATA.pid"
}

refuse_taken_port() {
  port_open || return 0
  echo "Port $PORT on 127.0.0.1 is taken by another program: choose another by $1." >&2
  return 1
}

# install_packages NAME…: by apt-get, without starting what Debian would start by itself
install_packages() {
  local policy=/usr/sbin/policy-rc.d made=''
  if ! command -v apt-get >/dev/null; then
    echo "Missing: $*. Install it, or Docker with its compose plugin, and run this again." >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: $*, and only root can install it: run \`sudo apt-get install $*\` first, or have Docker with its compose plugin." >&2
    return 1
  fi
  echo "installing $* …" >&2
  if [ ! -e "$policy" ]; then
    made=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  if apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2; then
    [ -z "$made" ] || rm -f "$made"
  else
    [ -z "$made" ] || rm -f "$made"
    echo "apt-get could not install $*." >&2
    return 1
  fi
}

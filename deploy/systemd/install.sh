#!/bin/sh
# Installs Pinstack @@VERSION@@ as services of this machine, or brings them up to this version. `pinstack deploy systemd --apply` runs it.
# Again and again is fine. The packages come from the registry, or from the folder `packages` beside this file, where there is one.
set -eu
cd "$(dirname "$0")"
fail() {
  echo "install.sh: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "run it as root: sudo ./install.sh"
command -v systemctl >/dev/null || fail "this machine has no systemd"
# The services do not have the PATH of your shell.
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
env -i PATH=$path node --version >/dev/null 2>&1 || fail "there is no Node in $path: install Node 24 for the whole machine, from https://nodejs.org"
env -i PATH=$path node --eval 'const [a, b] = process.versions.node.split(".").map(Number); process.exit((a === 22 && b >= 22) || (a === 24 && b >= 6) || a > 24 ? 0 : 1)' ||
  fail "$(env -i PATH=$path node --version) is too old: Node 22.22 or 24.6 and newer will do"

id pinstack >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/pinstack --shell /usr/sbin/nologin pinstack
packages=$(ls "$PWD"/packages/*.tgz 2>/dev/null || echo "pinstack@@@VERSION@@")
# shellcheck disable=SC2086 # one word a package
PATH=$path npm install --global --prefix /opt/pinstack --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error $packages

install -d -m 0755 /etc/pinstack
install -m 0600 pinstack.env /etc/pinstack/pinstack.env
install -m 0644 ./*.service /etc/systemd/system/
install -m 0755 pinstack-admin /usr/local/sbin/pinstack-admin
systemctl daemon-reload
# shellcheck disable=SC2086 # one word a unit
systemctl disable --now --quiet @@OTHER_UNITS@@ 2>/dev/null || true
if [ @@MIGRATE@@ = yes ]; then systemctl restart pinstack-migrate.service; fi
# One after the other: behind the proxy no request is lost.
for unit in @@UNITS@@; do
  systemctl enable --quiet "$unit"
  systemctl restart "$unit"
  sleep 3
  systemctl is-active --quiet "$unit" || fail "$unit does not run: journalctl --unit $unit says why"
done
echo "Pinstack @@VERSION@@ runs: @@UNITS@@"

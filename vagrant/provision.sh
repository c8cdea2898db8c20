#!/usr/bin/env bash
# Makes a Debian 12 machine a devstack machine: Docker, the devstack binary, a stack file, a systemd unit. Every step looks
# before it acts, so running it again changes nothing that is right already; only the service is always restarted, so
# that it runs what was just built.
#
#   DEVSTACK_SOURCE    a checkout to build (default: the folder above this script)
#   DEVSTACK_ADDRESS   the address that other machines reach this one by (default: none, only this machine is served)
#   DEVSTACK_PREFIX    where to install (default: /usr)
set -euo pipefail
source=${DEVSTACK_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
address=${DEVSTACK_ADDRESS:-}
prefix=${DEVSTACK_PREFIX:-/usr}
build=${DEVSTACK_BUILD_DIR:-/var/cache/devstack/build}
[[ $(id -u) -eq 0 ]] || { echo "provision.sh: run it as root" >&2; exit 1; }

say() { printf 'provision: %s\n' "$*"; }

# Whether systemd runs this machine; in a chroot or a container it does not, and files are all that can be put in place.
systemd_runs() { [[ -d /run/systemd/system ]]; }

install_packages() {
  say "packages"
  "$source/scripts/setup"
}

build_and_install() {
  say "build"
  mkdir -p "$build"
  (cd "$source" && cmake --preset release -B "$build" -DCMAKE_INSTALL_PREFIX="$prefix" -DDEVSTACK_TESTS=OFF) >/dev/null
  cmake --build "$build" --target devstack hello
  say "install to $prefix"
  cmake --install "$build" >/dev/null
}

write_stack_file() {
  local file=/etc/devstack/stack.yaml
  if [[ -e $file ]]; then
    say "$file is there, left as it is"
    return
  fi
  say "write $file"
  mkdir -p /etc/devstack
  {
    echo "# The stack of this machine. After a change of services: systemctl reload devstack; of anything else: restart"
    if [[ -n $address ]]; then
      # What the shipped file leaves on this machine alone is shown on the private network too.
      sed -e "s/^registry:.*/registry:\n  bind: [bridge, loopback, $address]\n  advertise: $address/" "$source/stack.yaml"
      printf '\n# Shown on the private network, too.\n'
      printf '%s: {bind: [bridge, loopback, %s]}\n' dns "$address" proxy "$address"
      printf 'ui: {bind: [loopback, %s]}\n' "$address"
    else
      cat "$source/stack.yaml"
    fi
  } >"$file.new"
  "$prefix/bin/devstack" -f "$file.new" config >/dev/null
  mv "$file.new" "$file"
}

start_service() {
  if ! systemd_runs; then
    say "systemd does not run here: the unit is installed but not started"
    systemctl enable devstack.service >/dev/null 2>&1 || true
    return
  fi
  systemctl daemon-reload
  systemctl enable --quiet --now docker.service
  systemctl enable --quiet devstack.service
  say "start devstack"
  systemctl restart devstack.service
  "$prefix/bin/devstack" status
}

install_packages
build_and_install
write_stack_file
start_service
say "done"

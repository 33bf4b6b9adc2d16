#!/usr/bin/env bash
# Installs the other people's software that tests/integration/interfaces talks to, and only what is missing.
#
#     tools/peers.sh            on Debian or Ubuntu, as root or with sudo
#     tools/peers.sh --missing  say what is missing, change nothing; exit code 1 if something is
#
# Afterwards `CEIR_PEERS=required uv run just peers` skips no test for want of software. Nothing asks a question,
# and no daemon that comes with a package is started or left to start by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

go_module=tests/integration/interfaces/n17/go
go_programs="$HOME/go/bin"
jss7=tests/integration/interfaces/map/jss7/pom.xml
jsmpp=tests/integration/interfaces/smpp/jsmpp/pom.xml
kernel=${CEIR_GUEST_KERNEL:-/var/cache/ceir/guest-kernel}
daemons=(freediameter osmo-stp osmo-hlr)

# What has to be there (a program, or a file of a library's headers), and the package that brings it.
wanted=(
  freeDiameterd freediameterd
  /usr/include/freeDiameter/extension.h libfreediameter-dev
  osmo-stp osmo-stp
  osmo-hlr osmo-hlr
  /usr/include/osmocom/gsupclient/gsup_client.h libosmo-gsup-client-dev
  /usr/include/osmocom/core/select.h libosmocore-dev
  pkg-config pkg-config
  gcc gcc
  /usr/include/stdio.h libc6-dev
  openssl openssl
  tshark tshark
  dumpcap wireshark-common
  h2load nghttp2-client
  curl curl
  go golang-go
  javac default-jdk-headless
  mvn maven
)
# The kernel of a guest is for machines whose own kernel has no SCTP; its package exists for one architecture.
guest_wanted=(
  qemu-system-x86_64 qemu-system-x86
  busybox busybox-static
)

has() {
  case $1 in
    /*) [[ -e $1 ]] ;;
    busybox) command -v busybox >/dev/null && ! grep -q /ld-linux "$(command -v busybox)" ;; # the static one
    go) command -v go >/dev/null || [[ -x /usr/local/go/bin/go ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

has_sctp() { python3 -c 'import socket; socket.socket(type=socket.SOCK_STREAM, proto=132)' 2>/dev/null; }

needs_guest() { [[ $(uname -m) == x86_64 ]] && ! has_sctp; }

has_kernel() { compgen -G "$kernel/lib/modules/*/kernel/net/sctp/sctp.ko*" >/dev/null; }

has_jss7() { [[ -d $HOME/.m2/repository/org/mobicents/protocols/ss7/map/map-impl ]]; }

has_jsmpp() { [[ -d $HOME/.m2/repository/org/jsmpp/jsmpp-examples ]]; }

missing=()
look() {
  while (($#)); do
    has "$1" || missing+=("$2")
    shift 2
  done
}
look "${wanted[@]}"
if needs_guest; then look "${guest_wanted[@]}"; fi

if [[ ${1-} == --missing ]]; then
  if needs_guest && ! has_kernel; then missing+=("a kernel in $kernel"); fi
  [[ -x $go_programs/h2spec ]] || missing+=("h2spec in $go_programs")
  has_jss7 || missing+=("jSS7 in $HOME/.m2")
  has_jsmpp || missing+=("jSMPP in $HOME/.m2")
  ((${#missing[@]} == 0)) && exit
  printf '%s\n' "${missing[@]}"
  exit 1
fi

as_root=()
if ((EUID != 0)); then as_root=(sudo); fi

updated=
install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "peers.sh installs Debian's packages; without apt-get, install what these bring: $*" >&2
    exit 1
  fi
  if [[ -z $updated ]]; then
    # A list that cannot be had (of somebody's own repository) is no reason to stop: the installation tells.
    "${as_root[@]}" apt-get -qq -o Acquire::Retries=3 update || echo "apt-get update failed in part" >&2
    updated=yes
  fi
  # Debian starts a daemon when it is installed, unless this program says no.
  local policy=/usr/sbin/policy-rc.d own=
  if [[ ! -e $policy ]]; then
    own=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
  fi
  local result=0
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold install "$@" \
    >/dev/null || result=$?
  if [[ -n $own ]]; then "${as_root[@]}" rm "$policy"; fi
  if [[ -d /run/systemd/system ]]; then
    local daemon
    for daemon in "${daemons[@]}"; do
      [[ " $* " == *" $daemon"* ]] && "${as_root[@]}" systemctl --quiet disable "$daemon" || true
    done
  fi
  return $result
}

if ((${#missing[@]})); then
  echo "installing ${missing[*]}"
  install_packages "${missing[@]}"
fi

if needs_guest && ! has_kernel; then
  echo "unpacking a kernel into $kernel"
  [[ -n $updated ]] || "${as_root[@]}" apt-get -qq -o Acquire::Retries=3 update || true
  package=$(apt-cache depends --important linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  # As root, apt-get would warn that its own user may not write here.
  (cd "$folder" && apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root download "$package")
  "${as_root[@]}" mkdir -p "$kernel"
  # Of the drivers a guest needs those of virtio alone; without the others it is a fifth of the size.
  dpkg-deb --fsys-tarfile "$folder"/linux-image-*.deb | "${as_root[@]}" tar -x -C "$kernel" --wildcards \
    './boot/vmlinuz-*' './lib/modules/*/kernel/net/*' './lib/modules/*/kernel/fs/*' './lib/modules/*/kernel/lib/*' \
    './lib/modules/*/kernel/crypto/*' './lib/modules/*/kernel/arch/*' './lib/modules/*/kernel/drivers/virtio/*'
fi

if [[ ! -x $go_programs/h2spec ]]; then
  echo "building h2spec"
  PATH=$PATH:/usr/local/go/bin
  (cd "$go_module" && go build -o "$go_programs/h2spec" github.com/summerwind/h2spec/cmd/h2spec)
fi

fetch() {
  mvn -q -B -f "$1" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath -Dmdep.outputFile=/dev/null
}

if ! has_jss7; then
  echo "fetching jSS7"
  fetch "$jss7"
fi
if ! has_jsmpp; then
  echo "fetching jSMPP"
  fetch "$jsmpp"
fi

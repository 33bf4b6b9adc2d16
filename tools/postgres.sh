#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own, which is gone afterwards: tools/postgres.sh COMMAND ...
# The command finds it in CEIR_TEST_DATABASE. Debian's programs are used; as root they run as the user postgres.
# It does not wait for the disk, for nothing in it is kept; for measuring, CEIR_POSTGRES_OPTIONS=' ' lets it wait.
set -euo pipefail

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$programs" ]; then
  echo "PostgreSQL is not installed: apt-get install postgresql" >&2
  exit 3
fi
options=${CEIR_POSTGRES_OPTIONS:-"-c fsync=off -c full_page_writes=off"}
folder=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
fi
stop() {
  "${as[@]}" "$programs/pg_ctl" -D "$folder/data" -m immediate -s stop || true
  rm -rf "$folder"
}
trap stop EXIT
cd "$folder"
"${as[@]}" "$programs/initdb" -D "$folder/data" -U ceir -A trust -E UTF8 --no-sync >"$folder/initdb.log"
# Only a socket in a folder of our own: nothing on the machine can be in the way.
"${as[@]}" "$programs/pg_ctl" -D "$folder/data" -s -w -l "$folder/log" \
  -o "-c listen_addresses='' -c unix_socket_directories='$folder' $options" start
"$programs/createdb" -h "$folder" -U ceir ceir
export CEIR_TEST_DATABASE="postgresql://ceir@${folder//\//%2F}/ceir"
cd "$OLDPWD"
"$@"

#!/usr/bin/env bash
# One throw-away PostgreSQL server for the tests of this machine and user.
#
#   scripts/postgres.sh start   start it if it is not running, print its URL
#   scripts/postgres.sh url     print its URL, or fail
#   scripts/postgres.sh stop    stop it and delete its data
#
# It listens on 127.0.0.1 only, on a free port, and trusts every local user:
# never keep anything in it. SELO_POSTGRES_FSYNC=on makes another server that
# writes to the disk for real, for measuring. Many processes may call this at
# the same time. Missing programs are installed with apt-get (as root or sudo).
set -euo pipefail

command=${1:-}
fsync=${SELO_POSTGRES_FSYNC:-off}
base=${TMPDIR:-/tmp}/selo-postgres-$(id -u)-$fsync
data=$base/data
state=$base/url

fail() { echo "postgres.sh: $*" >&2; exit 1; }

case $fsync in on|off) ;; *) fail "SELO_POSTGRES_FSYNC is on or off, not $fsync" ;; esac
case $command in start|url|stop) ;; *) fail "use: postgres.sh start|url|stop" ;; esac

# Only the folder's owner may have made it: the name is easy to guess.
umask 077
mkdir -p "$base"
[ -O "$base" ] || fail "$base belongs to somebody else"
exec 9>"$base/lock"
flock -w 300 9 || fail "another start did not end within 5 minutes"

find_bin() {
	local dir
	for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr); do
		if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ]; then echo "$dir"; return; fi
	done
	if command -v initdb >/dev/null && command -v pg_ctl >/dev/null; then
		dirname "$(readlink -f "$(command -v initdb)")"
	fi
}

install_postgres() {
	local run=()
	[ "$(id -u)" = 0 ] || run=(sudo -n)
	echo "postgres.sh: installing PostgreSQL" >&2
	{ "${run[@]}" apt-get update -q && "${run[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends postgresql; } >&2 9>&- \
		|| fail "cannot install PostgreSQL: install the package postgresql"
}

# PostgreSQL refuses to run as root: there an unprivileged user runs it.
as=()
prepare_user() {
	[ "$(id -u)" = 0 ] || return 0
	id selo-test >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin selo-test >&2
	chmod 711 "$base"
	install -d -m 700 -o selo-test "$data" "$base/run"
	as=(setpriv --reuid selo-test --regid "$(id -g selo-test)" --clear-groups)
}

# A server that answers on the noted port is running.
running() {
	[ -s "$state" ] && [ -s "$data/postmaster.pid" ] && kill -0 "$(head -1 "$data/postmaster.pid")" 2>/dev/null &&
		"$bin/pg_isready" -q -d "$(cat "$state")"
}

free_port() {
	local port
	for _ in $(seq 50); do
		port=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
	fail "no free port found"
}

# 9>&- : the server must not inherit the lock.
start() {
	local port
	rm -rf "$data" "$base/run"
	prepare_user
	mkdir -p "$data" "$base/run"
	cd "$base"
	"${as[@]}" "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$base/initdb.log" 2>&1 9>&- ||
		fail "initdb failed: $(tail -5 "$base/initdb.log")"
	for _ in 1 2 3; do
		port=$(free_port)
		if "${as[@]}" "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w -t 60 -o "-p $port -h 127.0.0.1 -k $base/run \
			-c max_connections=200 -c fsync=$fsync -c synchronous_commit=$fsync -c full_page_writes=$fsync \
			-c shared_buffers=128MB -c max_wal_size=2GB -c log_min_messages=fatal" start >/dev/null 2>&1 9>&-; then
			echo "postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" >"$state.new"
			mv "$state.new" "$state"
			return
		fi
	done
	fail "the server does not start: $(tail -5 "$data/server.log" 2>/dev/null)"
}

stop() {
	if [ -s "$data/postmaster.pid" ]; then
		prepare_user
		cd "$base"
		"${as[@]}" "$bin/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 9>&- || true
	fi
	rm -rf "$data" "$base/run" "$state"
}

bin=$(find_bin)
if [ -z "$bin" ] && [ "$command" = start ]; then
	install_postgres
	bin=$(find_bin)
fi
[ -n "$bin" ] || fail "no PostgreSQL programs found"

case $command in
start) running || start; cat "$state" ;;
url) running || fail "not running"; cat "$state" ;;
stop) stop ;;
esac

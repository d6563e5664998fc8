# shellcheck shell=bash
# Things that every script of the workbench shares: messages, the cache, locks.
# Sourced, not run. Expects `set -eu` from its caller.

DMZ_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DMZ_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/dm-zram
DMZ_PROG=${DMZ_PROG:-$(basename "$0")}

say() { printf '%s: %s\n' "$DMZ_PROG" "$*" >&2; }
die() { say "$*"; exit 1; }

# hash_of FILE...: a short name for what the files hold.
hash_of() { cat "$@" | sha256sum | cut -c1-12; }

# with_lock NAME FUNCTION [ARG...]: run it while no other caller holds NAME. Waits, and says so.
with_lock() {
	local name=$1 fd rc=0
	shift
	mkdir -p "$DMZ_CACHE/lock"
	exec {fd}>"$DMZ_CACHE/lock/$name"
	if ! flock -n "$fd"; then
		say "waiting for another caller that prepares $name"
		flock "$fd"
	fi
	# Nothing that the function leaves running may keep the lock.
	"$@" || rc=$?
	exec {fd}>&-
	return $rc
}

# Directories that are built under a temporary name and renamed when they are good.
# A name that is left over belongs to a dead process, or the lock would be held.
new_build_dir() { # new_build_dir FINAL: prints the name to build in
	rm -rf "$1".tmp.*
	mkdir -p "$1.tmp.$$"
	echo "$1.tmp.$$"
}

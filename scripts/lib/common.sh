# shellcheck shell=bash disable=SC2034 # whoever sources this uses them
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

# QEMU without KVM keeps what it has translated in a list for each page, by virtual address. Where each
# process has another address for the same page of a library, that becomes as long as there were processes;
# and when the page is used for something else, each store to it walks the list: 40 s for one page were seen.
# So: no random addresses, and no store of single bytes ("rep stosb") to clear a page.
QEMU_CPU=max,la57=off,erms=off,fsrm=off
QEMU_APPEND=norandmaps

# new_build_dir FINAL: prints an empty directory to build in, to be renamed to FINAL when it is
# good. One that is left over belongs to a dead process, or its caller would hold the lock.
new_build_dir() {
	rm -rf "$1.tmp"
	mkdir -p "$1.tmp"
	echo "$1.tmp"
}

# pin_to_one: what a guest of User Mode Linux with one processor is started by, in PIN: it stays on one of
# the host's. It goes back and forth between its kernel and its processes, which are processes of the host,
# and to wake one on another processor that is idle takes long: testing.rst has figures. A free one is taken,
# if there is one: this shell has its lock, as descriptor 9, as long as it lives.
PIN=()
pin_to_one() {
	local allowed range n
	[ ${#PIN[@]} = 0 ] || return 0
	allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
	mkdir -p "$DMZ_CACHE/lock"
	for range in ${allowed//,/ }; do
		for ((n = ${range%-*}; n <= ${range#*-}; n++)); do
			exec 9>"$DMZ_CACHE/lock/cpu.$n"
			if flock -n 9; then
				PIN=(taskset -c "$n")
				return 0
			fi
		done
	done
	exec 9>&-
}

# measure_before: what a guest in which something is measured is started by, in BEFORE. Other work of the
# host is the largest error of all: a processor of the guest that is stopped while it holds a lock makes
# the other one wait for a time slice of the host, milliseconds. So: a realtime priority, where that is
# allowed; round robin, so that whatever spins does not keep its own timeout from running. But where the host
# limits what realtime tasks may use of each second, as it does by default, a guest that has used that up stands
# still for the rest of the second, even if nobody else wants to run: there, the greatest weight instead,
# which with autogroup is none against other sessions: such a host must be quiet. DMZ_NICE, as for
# nice(1), is for those who do not want that.
measure_before() {
	BEFORE=(nice -n "${DMZ_NICE:-0}")
	[ -z "${DMZ_NICE:-}" ] || return 0
	if [ "$(cat /proc/sys/kernel/sched_rt_runtime_us 2>/dev/null || true)" = -1 ] && chrt -r 1 true 2>/dev/null; then
		BEFORE=(chrt -r 1)
	elif [ "$(nice -n -20 nice 2>/dev/null)" = -20 ]; then
		BEFORE=(nice -n -20)
	fi
}

# measure_in_memory MIB: lets the disks of guests in which something is measured, MIB of them at a time, be files
# in memory, if that is there twice over: such a guest's disk is as slow as it is told to be, and the host's does
# not matter, nor what its kernel does to write files back.
measure_in_memory() {
	local free dir=/dev/shm
	[ -z "${TMPDIR:-}" ] || return 0
	free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	if [ -w $dir ] && [ $((2 * $1)) -le "$free" ] && [ $((2 * $1)) -le "$(df -m --output=avail $dir | tail -n 1)" ]; then
		export TMPDIR=$dir
	else
		say "the disks are files in /var/tmp: there is no room for them in memory"
	fi
}

#!/bin/bash
# A machine that swaps hard: pages taken while fewer than the min watermark are free, by user. A
# working set of one and a half times the RAM, which checks itself; dm-zram has a cold device of
# the same size.
# suite: zsmalloc
# vm: uml
# mem: 160M
# cold: 400M
# modules: wmark
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

MARK=/sys/kernel/debug/dzb_wmark
SIZE=$((320 << 20))
WORK=$(awk '/^MemTotal/ { print int($2 / 1024 * 3 / 2) }' /proc/meminfo)
cpus=$(nproc)
insmod "$DMZ_BENCH_KO/dzb-wmark.ko"

measure() {
	local side=$1 user
	[ "$side" = ours ] && user=ours || user=zram
	up "$side" $SIZE "$COLD"
	mkswap "$DEV" >/dev/null
	swapon --discard=pages "$DEV"
	echo 0 >$MARK
	if ! "$top/build/tests-dm/dmz-mem" work "$WORK" "$round"; then
		[ "$side" = peer ] || exit 1
		echo "$bench: round $round: the working set did not survive zram; its figures count all the same" >&2
	fi
	echo "$bench: round $round $side, $cpus CPUs: $(tr '\n' ';' <$MARK)"
	row "below_min_cpus$cpus" pages "$side" "$(field below "$(grep "^$user " $MARK)")"
	row "reserve_pages_cpus$cpus" pages "$side" "$(field sure "$(grep "^$user " $MARK)")"
	row "below_low_cpus$cpus" pages "$side" "$(field low "$(grep "^$user " $MARK)")"
	row "bio_below_min_cpus$cpus" pages "$side" "$(field below "$(grep "^bio " $MARK)")"
	row "free_fewest_cpus$cpus" pages "$side" "$(field fewest "$(grep "^zone " $MARK)")"
	swapoff "$DEV"
	down "$side"
}

in_turn measure

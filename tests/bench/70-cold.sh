#!/bin/bash
# Writing back: what it costs to bring data at 3:1 from RAM to a disk of 10 000 I/Os and 200 MB a
# second past the limit of RAM, with zram's writeback, zswap and dm-cache beside it; and the
# processors' time.
# suite: cold
# vm: uml
# mem: 3G
# cold: none
# timeout: 3000
# modules: clock
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/bench/cold-disk.sh
. "$top/tests/bench/cold-disk.sh"
# shellcheck source=tests/bench/cold-peers.sh
. "$top/tests/bench/cold-peers.sh"

# More than RAM may hold, by one writer. zram has no such limit that would not fail the write.
measure_limit() {
	local side=$1
	EARLY=0
	disk_up
	case $side in
	zswap)
		limit_zswap
		disk_down
		return
		;;
	dm-cache) dmcache_up ;;
	*) up "$side" $((BLOCKS * 4096)) "$DISK" mem_limit $LIMIT demote_age 0 ;;
	esac
	begin
	watch
	dzb fill "$DEV" "$BLOCKS" "$round"
	[ "$side" != peer ] || trigger
	watched
	costs "$side" limit "$BLOCKS"
	row limit_time_block ns "$side" "$(per_block "$(field since_ns "$SAID")" "$LEFT")"
	dzb verify "$DEV" "$BLOCKS" "$round" all
	if [ "$side" = dm-cache ]; then
		dmcache_down
	else
		down "$side"
	fi
	disk_down
}

# The processors' time, on a disk that has next to none of its own and no limit.
measure_cpu() {
	local side=$1 cpu
	blkdiscard /dev/ram0
	# brd does not count; a linear device does.
	dmsetup create cheap --table "0 $(blockdev --getsz /dev/ram0) linear /dev/ram0 0"
	[ -e /dev/mapper/cheap ] || dmsetup mknodes cheap
	DISK=/dev/mapper/cheap
	writeback "$side" $CPU_BLOCKS
	left_ram "$side"
	cpu=$(($(field cpu_ns "$SAID") - $(field idle_ns "$SAID")))
	echo "$bench: round $round $side cpu: $SAID left=$LEFT"
	[ "$LEFT" -ge $((CPU_BLOCKS * 9 / 10)) ]
	row writeback_cpu_block ns "$side" "$(per_block $cpu $((LEFT - EARLY)))"
	dzb verify "$DEV" $CPU_BLOCKS "$round" all
	down "$side"
	dmsetup remove --retry cheap
}

measure() {
	measure_limit "$1"
	case $1 in ours | peer) measure_cpu "$1" ;; esac
}

in_turn measure ours peer zswap dm-cache

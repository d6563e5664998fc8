#!/bin/bash
# The allocators alone, in the kernel, with the same lengths in the same order: nanoseconds for a
# store, read, overwrite and free, by one thread and by two; and overwrites while a compaction runs
# on the other processor. Then a write and a read of a block through either device, of which that
# is a share.
# suite: zsmalloc
# vm: uml
# mem: 1536M
# modules: alloc clock
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=65536

# It compacts in the thread that loads it, on the processor on which nothing else is bound.
taskset -c $(($(nproc) - 1)) insmod "$DMZ_BENCH_KO/dzb-alloc.ko" "rounds=$ROUNDS"
rmmod dzb_alloc
while read -r said; do
	side=$(field pool "$said")
	round=$(($(field round "$said") + 1))
	echo "$bench: $said"
	case $said in
	*" beside "*)
		for m in p50 p99 p999 max cpu_p99 cpu_p999 cpu_max; do
			row "overwrite_${m}_beside" ns "$side" "$(field $m "$said")"
		done
		;;
	*)
		if [ "$(field wrong "$said")" != 0 ] || [ "$(field failed "$said")" != 0 ] ||
			[ "$(field left "$said")" != 0 ]; then
			echo "$bench: something went wrong there" >&2
			exit 1
		fi
		threads=$(field threads "$said")
		for m in store read overwrite free; do row "${m}_threads$threads" ns "$side" "$(field $m "$said")"; done
		[ "$threads" != 1 ] || row compact_page ns "$side" "$(field compact "$said")"
		;;
	esac
done < <(dmesg | sed -n 's/.*dzb-alloc: //p')
[ "$round" = "$ROUNDS" ]

insmod "$DMZ_BENCH_KO/dzb-clock.ko"
measure() {
	local side=$1
	up "$side" $((BLOCKS * 4096))
	dzb rate "$DEV" $BLOCKS "$round" # allocates
	row device_write ns "$side" "$(field write_ns "$SAID")"
	row device_read ns "$side" "$(field read_ns "$SAID")"
	dzb rate "$DEV" $BLOCKS $((round + 100)) # frees, too
	row device_overwrite ns "$side" "$(field write_ns "$SAID")"
	echo "$bench: round $round $side: overwrite: $SAID"
	down "$side"
}

in_turn measure

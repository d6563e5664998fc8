#!/bin/bash
# How long a write of one block takes while a compaction of the whole pool runs on the other
# processor. 512 MiB are stored and a random half freed, again before each compaction; the writes
# overwrite blocks at random.
#
# First from within the kernel, where it is known when which processor ran; as a control, the same
# with a processor that spins instead. Then by pwrite() and the guest's clock, which has the host's
# and the guest's scheduling in it; and the same number of these with no compaction.
# suite: zsmalloc
# vm: uml
# mem: 1536M
# modules: write
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=131072

# in_kernel SIDE HOW
in_kernel() {
	local side=$1 how=$2 clock m
	insmod "$DMZ_BENCH_KO/dzb-write.ko"
	if [ "$how" = beside ]; then
		dzb beside "$DEV" $BLOCKS "$round" 4
	else
		dzb beside "$DEV" $BLOCKS "$round" 4 control
	fi
	rmmod dzb_write
	for clock in both ran wall; do
		for m in p50 p99 p999 p9999 max; do
			row "kwrite_${clock}_${m}_$how" ns "$side" "$(field ${clock}_$m "$SAID")"
		done
	done
	for m in stopped spun both; do row "kwrite_slow_${m}_$how" ns "$side" "$(field slow_${m}_avg "$SAID")"; done
	echo "$bench: round $round $side $how: $SAID"
}

by_pwrite() {
	local side=$1 how=$2 m
	if [ "$how" = idle ]; then
		dzb latency "$DEV" $BLOCKS "$round" 1 idle
	else
		dzb latency "$DEV" $BLOCKS "$round" 4
		row compaction ns "$side" "$(field compact_ns "$SAID")"
	fi
	for m in avg p50 p99 p999 max; do row "write_${m}_$how" ns "$side" "$(field ${m}_ns "$SAID")"; done
	echo "$bench: round $round $side $how: $SAID"
}

measure() {
	local side=$1
	up "$side" $((BLOCKS * 4096))
	in_kernel "$side" beside
	in_kernel "$side" control
	by_pwrite "$side" beside
	by_pwrite "$side" idle
	down "$side"
}

in_turn measure

#!/bin/bash
# How long a write of one block takes while a compaction of the whole pool runs on the other
# processor. 512 MiB are stored and a random half freed, again before each compaction; the writes
# overwrite blocks at random. And the same number of writes with no compaction, for comparison.
# suite: zsmalloc
# vm: uml
# mem: 1536M
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=131072

measure() {
	local side=$1 how said m
	up "$side" $((BLOCKS * 4096))
	for how in beside idle; do
		if [ $how = idle ]; then
			dzb latency "$DEV" $BLOCKS "$round" 1 idle
		else
			dzb latency "$DEV" $BLOCKS "$round" 4
			row compaction ns "$side" "$(field compact_ns "$SAID")"
		fi
		said=$SAID
		for m in avg p50 p99 p999 max; do row "write_${m}_$how" ns "$side" "$(field ${m}_ns "$said")"; done
		echo "$bench: round $round $side $how: $said"
	done
	down "$side"
}

in_turn measure

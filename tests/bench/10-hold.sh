#!/bin/bash
# How long a class lock is held while a fragmented pool is compacted: 512 MiB are stored, a random
# half is freed, what is left is compacted; alone, and beside writes of single blocks. Only the
# holds of the thread that compacts are counted.
# suite: zsmalloc
# vm: uml-lockstat
# mem: 1536M
# modules: hold
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=131072
HOLD=/sys/kernel/debug/dzb_hold
insmod "$DMZ_BENCH_KO/dzb-hold.ko"

# holds SIDE HOW: what was counted, as rows.
holds() {
	local side=$1 how=$2 said name
	[ "$side" = ours ] && name=ours_class || name=zs_class
	said=$(grep "^$name " $HOLD)
	if [ "$(field holds "$said")" -lt 1000 ]; then
		echo "$bench: too few holds to say anything: $said" >&2
		return 1
	fi
	row "hold_max_$how" ns "$side" "$(field max_ns "$said")"
	row "hold_p999_$how" ns "$side" "$(field p999_ns "$said")"
	row "hold_avg_$how" ns "$side" "$(field avg_ns "$said")"
	row "hold_max_disturbed_$how" ns "$side" "$(field max_ns "$(grep "^${name}_disturbed " $HOLD)")"
	if [ "$side" = peer ]; then
		row "pool_lock_max_$how" ns peer "$(field max_ns "$(grep '^zs_pool ' $HOLD)")"
	fi
	echo "$bench: round $round $side $how: $said"
}

# repeated SIDE: the longest hold, where that of each hold is the median of five runs.
repeated() {
	local said
	said=$(grep '^repeated ' $HOLD)
	echo "$bench: round $round $1: $said"
	if [ "$(field holds "$said")" -lt 1000 ] || [ "$(field others "$said")" != 0 ]; then
		echo "$bench: the runs were not alike" >&2
		return 1
	fi
	row hold_max_repeated ns "$1" "$(field max_ns "$said")"
}

# compact_new SIDE: a new device, fragmented, is compacted.
compact_new() {
	local side=$1 before
	up "$side" $((BLOCKS * 4096))
	dzb fill "$DEV" $BLOCKS "$round"
	dzb halve "$DEV" $BLOCKS "$round"
	pool "$side"
	before=$POOL
	dzb compact "$DEV"
	pool "$side"
	if [ "$POOL" -gt $((before * 3 / 4)) ]; then
		echo "$bench: compaction took the pool of $side from $before to no less than $POOL bytes" >&2
		return 1
	fi
}

measure() {
	local side=$1
	echo dzb-compact >$HOLD
	compact_new "$side"
	holds "$side" alone
	for _ in 2 3 4 5; do
		down "$side"
		echo + >$HOLD
		compact_new "$side"
	done
	repeated "$side"
	dzb verify "$DEV" $BLOCKS "$round" half
	echo dzb-compact >$HOLD
	dzb latency "$DEV" $BLOCKS "$round" 1
	holds "$side" writes
	down "$side"
	echo '*' >$HOLD
	row control_max ns "$side" "$(field max_ns "$(grep '^control ' $HOLD)")"
	echo "$bench: round $round: $(grep '^control ' $HOLD)"
}

in_turn measure

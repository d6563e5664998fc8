#!/bin/bash
# The test of 2015: fill, free a random half, compact. Efficiency is compressed bytes by bytes of
# the pool, in whole pages. And what the same data costs in all, tables and slabs included, by what
# is counted and by the machine's free memory.
# suite: zsmalloc
# vm: uml
# mem: 1536M
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=131072

# meminfo KEY: bytes.
meminfo() { awk -v key="$1:" '$1 == key { print $2 * 1024 }' /proc/meminfo; }
# What the kernel has in slabs that it will not give back, and in vmalloc.
slabs() { meminfo SUnreclaim; }
vmalloc() { meminfo VmallocUsed; }
# Free memory: with what lies in the lists of the CPUs, where it is not counted.
free() {
	drop_caches
	sleep 0.3
	echo $(($(meminfo MemFree) + $(awk '$1 == "count:" { n += $2 } END { print n * 4096 }' /proc/zoneinfo)))
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'; }

efficiency() { # SIDE WHEN
	pool "$1"
	row "efficiency_$2" share "$1" "$(ratio "$STORED" "$POOL")"
	echo "$bench: round $round $1 $2: stored=$STORED pool=$POOL"
}

# costs SIDE: bytes for each stored block, of pool and all else; BEFORE_* is from an empty machine.
costs() {
	local side=$1 meta now
	pool "$side"
	now=$(free)
	if [ "$side" = ours ]; then
		meta=$(($(status meta_bytes) + $(status fixed_bytes)))
	else
		# The table is vmalloc'ed, handles and descriptors are slabs of their own.
		meta=$(($(vmalloc) - BEFORE_VMALLOC + $(slabs) - BEFORE_SLABS))
	fi
	row counted_bytes_block bytes "$side" "$(ratio $((POOL + meta)) $BLOCKS)"
	row meta_bytes_block bytes "$side" "$(ratio $meta $BLOCKS)"
	row pool_bytes_block bytes "$side" "$(ratio "$POOL" $BLOCKS)"
	row free_bytes_block bytes "$side" "$(ratio $((BEFORE_FREE - now)) $BLOCKS)"
	echo "$bench: round $round $side: pool=$POOL meta=$meta free memory lost=$((BEFORE_FREE - now))" \
		"slabs=$(($(slabs) - BEFORE_SLABS)) vmalloc=$(($(vmalloc) - BEFORE_VMALLOC))"
}

measure() {
	local side=$1
	modprobe zram # its own size is no part of the difference
	BEFORE_FREE=$(free) BEFORE_SLABS=$(slabs) BEFORE_VMALLOC=$(vmalloc)
	up "$side" $((BLOCKS * 4096))
	dzb fill "$DEV" $BLOCKS "$round"
	efficiency "$side" full
	costs "$side"
	dzb halve "$DEV" $BLOCKS "$round"
	efficiency "$side" halved
	dzb compact "$DEV"
	efficiency "$side" compacted
	dzb verify "$DEV" $BLOCKS "$round" half
	down "$side"
}

# What the first device of a kind and the first run of a program leave behind is not theirs.
ROUNDS_WANTED=$ROUNDS ROUNDS=1
in_turn measure
: >"$rows"
ROUNDS=$ROUNDS_WANTED
in_turn measure

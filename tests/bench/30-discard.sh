#!/bin/bash
# What it costs to let go of 256 MiB of stored blocks: a discard of all of them in one request; and
# a process that ends with as much swapped out, which dm learns of from discards of whole clusters.
# suite: zsmalloc
# vm: uml
# mem: 1G
# modules: clock
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=65536
insmod "$DMZ_BENCH_KO/dzb-clock.ko"

measure() {
	local side=$1
	up "$side" $((BLOCKS * 4096))
	dzb fill "$DEV" $BLOCKS "$round"
	pool "$side"
	if [ "$POOL" -lt $((BLOCKS * 4096 / 4)) ]; then
		echo "$bench: only $POOL bytes are stored" >&2
		return 1
	fi
	drop_caches
	dzb discard "$DEV" $BLOCKS
	row discard_256M ns "$side" "$(field cpu_ns "$SAID")"
	row discard_256M_wall ns "$side" "$(field discard_ns "$SAID")"
	echo "$bench: round $round $side: $SAID"
	pool "$side"
	if [ "$STORED" != 0 ]; then
		echo "$bench: $STORED bytes are left after the discard" >&2
		return 1
	fi
	dzb verify "$DEV" $BLOCKS "$round" none
	down "$side"
}

# nanoseconds since boot would do as well
now() { date +%s%N; }

measure_swap() {
	local side=$1 since pid
	up "$side" $((384 << 20))
	mkswap "$DEV" >/dev/null
	swapon --discard=pages "$DEV"
	dzb exit 256 "$round"
	row exit_256M ns "$side" "$(field cpu_ns "$SAID")"
	row exit_and_after_256M ns "$side" "$(field all_ns "$SAID")"
	row exit_256M_wall ns "$side" "$(field exit_ns "$SAID")"
	echo "$bench: round $round $side: $SAID"
	# Data that comes back by swapoff must be right.
	coproc HOLDER { "$top/build/bench/dzb" hold 256 "$round"; }
	pid=$!
	read -r since <&"${HOLDER[0]}"
	[ "$since" = swapped ]
	since=$(now)
	swapoff "$DEV"
	row swapoff_256M ns "$side" $(($(now) - since))
	echo >&"${HOLDER[1]}"
	wait "$pid"
	down "$side"
}

in_turn measure
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/dzb
in_turn measure_swap

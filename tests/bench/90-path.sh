#!/bin/bash
# What a block costs that is in RAM: reads and writes of 4K, 64K and 1M at random, 1 and 32 in flight,
# by one thread and by two, through dm-zram, through zram, and through dm-linear over zram, from
# within the kernel; and what the codec alone takes for the same data in the same kernel.
# Nanoseconds a block of 4 KiB.
# suite: path
# vm: uml
# mem: 2G
# modules: path clock
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=65536 DONE=65536 WALL=ns
# shellcheck source=tests/bench/path.sh
. "$top/tests/bench/path.sh"

# Of the codec there is no size and no depth: it stands beside each.
codec() {
	local op jobs size depth
	for op in write read; do
		for jobs in 1 2; do
			path_codec $op $jobs
			for size in 4K 64K 1M; do
				for depth in 1 32; do path_put codec "${op}_${size}_depth${depth}_jobs$jobs"; done
			done
		done
	done
}

measure() {
	local side=$1 op size depth jobs
	side_up "$side"
	path_load
	for op in write read; do
		for size in 4K 64K 1M; do
			for depth in 1 32; do
				for jobs in 1 2; do path_run "$side" $op $size $depth $jobs; done
			done
		done
	done
	side_down "$side"
	[ "$side" != peer ] || codec
}

in_turn measure ours peer linear

#!/bin/bash
# What a block costs that is in RAM: reads and writes of 4K, 64K and 1M at random, 1 and 32 in flight,
# by one thread and by two, through dm-zram and through zram, from within the kernel; and what the
# codec alone takes for the same data in the same kernel. Nanoseconds a block of 4 KiB.
# suite: path
# vm: uml
# mem: 2G
# modules: path clock
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

touch_memory
BLOCKS=65536 # of the device
DONE=65536   # in each measurement, by each job
path=/sys/kernel/debug/dzb_path
insmod "$DMZ_BENCH_KO/dzb-path.ko"

# put METRIC SIDE: the result of what was just done.
put() {
	local said
	said=$(cat $path)
	row "${1}_wall" ns "$2" "$(field wall_ns "$said")"
	row "${1}_ran" ns "$2" "$(field ran_ns "$said")"
	echo "$bench: round $round $2 $1: $said"
}

measure() {
	local side=$1 op size depth jobs
	if [ "$side" = codec ]; then
		for op in write read; do
			for jobs in 1 2; do
				echo "codec $op $jobs $DONE" >$path
				for size in 4K 64K 1M; do
					for depth in 1 32; do put "${op}_${size}_depth${depth}_jobs$jobs" codec; done
				done
			done
		done
		return
	fi
	up "$side" $((BLOCKS * 4096))
	dzb fill "$DEV" $BLOCKS 1
	echo "load $DEV" >$path
	for op in write read; do
		for size in 4K 64K 1M; do
			for depth in 1 32; do
				for jobs in 1 2; do
					echo "run $DEV $op $(numfmt --from=iec $size) $depth $jobs $DONE $round" >$path
					put "${op}_${size}_depth${depth}_jobs$jobs" "$side"
				done
			done
		done
	done
	down "$side"
}

# The codec needs the data that a device was filled with: it comes after one.
turns() {
	measure "$1"
	[ "$1" != peer ] || measure codec
}
in_turn turns

#!/bin/bash
# The same in instructions, on a stock kernel: QEMU counts them, one a nanosecond of the guest's time.
# That has no memory and no caches in it, but nothing of the host and of User Mode Linux either,
# where to switch interrupts off is a system call of the host.
# suite: path
# vm: qemu-6.12
# mem: 1G
# icount: yes
# modules: path
# timeout: 1800
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

BLOCKS=16384 DONE=8192 WALL=instructions
# shellcheck source=tests/bench/path.sh
. "$top/tests/bench/path.sh"

measure() {
	local side=$1 op size
	side_up "$side"
	path_load
	for op in write read; do
		for size in 4K 64K 1M; do path_run "$side" $op $size 1 1; done
	done
	side_down "$side"
	if [ "$side" = peer ]; then
		for op in write read; do
			path_codec $op 1
			for size in 4K 64K 1M; do path_put codec "${op}_${size}_depth1_jobs1"; done
		done
	fi
}

in_turn measure ours peer linear

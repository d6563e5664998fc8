#!/bin/bash
# What lies idle goes to a disk of 10 000 I/Os and 200 MB a second, by age, with zram's writeback
# beside it, which a loop in user space sets off; and what it costs to read single blocks back.
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

READS=4000

measure_writeback() {
	local side=$1
	disk_up
	writeback "$side" "$BLOCKS"
	costs "$side" writeback "$BLOCKS"
	row writeback_time_block ns "$side" "$(per_block "$(field busy_ns "$SAID")" $((LEFT - EARLY)))"
	cold_reads "$side"
	dzb verify "$DEV" "$BLOCKS" "$round" all
	down "$side"
	disk_down
}

# How many reads the disk has done.
disk_reads() { cut -d' ' -f1 < <(xargs <"$(stat_of "$DISK")"); }

cold_reads() {
	local side=$1 before blocks
	before=$(disk_reads)
	dzb reads "$DEV" "$BLOCKS" "$round" $READS all
	reads_rows cold "$side"
	if [ $(($(disk_reads) - before)) -lt $((READS * 99 / 100)) ]; then
		echo "$bench: only $(($(disk_reads) - before)) of $READS reads were cold" >&2
		return 1
	fi
	[ "$side" = ours ] || return 0
	# The disk alone, in the part of it that has been written.
	blocks=$(((BYTES - bytes_before) / 4096))
	dzb reads "$DISK" $blocks "$round" $((blocks < READS ? blocks : READS)) -
	reads_rows cold disk
}

reads_rows() { # WHAT SIDE
	row "$1_read_p50" ns "$2" "$(field p50_ns "$SAID")"
	row "$1_read_p99" ns "$2" "$(field p99_ns "$SAID")"
	echo "$bench: round $round $2 $1 reads: $SAID"
}

# What decompression takes: a block in RAM less a block of zeroes.
measure_decompression() {
	up ours $((CPU_BLOCKS * 4096))
	dzb fill "$DEV" "$CPU_BLOCKS" "$round"
	dzb reads "$DEV" "$CPU_BLOCKS" "$round" $READS all
	reads_rows ram ours
	dzb discard "$DEV" "$CPU_BLOCKS"
	dzb reads "$DEV" "$CPU_BLOCKS" "$round" $READS none
	reads_rows zero ours
	down ours
}

measure() {
	measure_writeback "$1"
	[ "$1" != ours ] || measure_decompression
}

in_turn measure

#!/bin/bash
# Pre-cleaning: how long it takes from "set mem_limit", half of the pool, until the pool is below it,
# on a disk of 10 000 I/Os and 200 MB a second, when half of the blocks were written ahead ("ours") and
# when none was ("nothing-ahead"); and how many pages come free for a block that leaves RAM.
# suite: cold
# vm: uml
# mem: 1536M
# cold: none
# timeout: 3000
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/null-disk.sh
. "$top/tests/null-disk.sh"

IOPS=10000 BYTES_A_SECOND=200000000 LATENCY_NS=100000
AGE=70 # seconds: old enough for pre-cleaning after 4/7 of it, for the sweep after all
size=${DMZ_SIZE:-256M}
BLOCKS=$(($(numfmt --from=iec "$size") / 4096))
BLOCKS=$((BLOCKS < 65536 ? BLOCKS : 65536))
DISK_MIB=$((BLOCKS * 26 / 25 / 256 + 64))

touch_memory
modprobe dm-iops

disk_up() {
	null_disk $DISK_MIB irqmode=2 completion_nsec=$LATENCY_NS blocksize=4096 submit_queues=2 hw_queue_depth=128
	dmsetup create cold --table "0 $(blockdev --getsz "$NULL_DISK") iops $NULL_DISK 0 $IOPS $BYTES_A_SECOND"
	[ -e /dev/mapper/cold ] || dmsetup mknodes cold
}

disk_down() {
	dmsetup remove --retry cold
	rmdir "$NULL_CONFIG"
	rmmod null_blk
}

now() { date +%s%N; }

measure() {
	local side=$1 full limit before written ahead end blocks
	disk_up
	up ours $((BLOCKS * 4096)) /dev/mapper/cold mem_limit 0 demote_age 0
	dzb fill "$DEV" $BLOCKS "$round"
	full=$(status pool_bytes)
	# Without a limit the pool is small for this machine, and nothing is written ahead.
	[ "$side" != ours ] || dmsetup message z 0 set mem_limit $((full * 4 / 3))
	dmsetup message z 0 set demote_age $AGE
	end=$((SECONDS + AGE * 5 / 7))
	if [ "$side" = ours ]; then
		until [ "$(status clean_blocks)" -ge $((BLOCKS * 15 / 32)) ]; do sleep 1; done
	fi
	while [ $SECONDS -lt $end ]; do sleep 1; done
	dmsetup message z 0 set demote_age 0
	dmsetup message z 0 drain
	ahead=$(status clean_blocks) written=$(status cold_write_bytes)
	if [ "$(($(status demotions) + $(status clean_drops)))" != 0 ]; then
		echo "$bench: blocks have left RAM before it began" >&2
		return 1
	fi
	full=$(status pool_bytes) limit=$((full / 2))
	# What does not compress is on the disk already.
	blocks=$(($(status hot_blocks) + $(status clean_blocks)))
	row pages_held_a_block pages "$side" "$(awk -v p="$full" -v n=$blocks 'BEGIN { printf "%.4f", p / 4096 / n }')"
	before=$(now)
	dmsetup message z 0 set mem_limit $limit
	while [ "$(status pool_bytes)" -gt $limit ]; do :; done
	end=$(now)
	row shrink_time ns "$side" $((end - before))
	dmsetup message z 0 drain
	row shrink_written bytes "$side" $(($(status cold_write_bytes) - written))
	row pages_freed_a_block pages "$side" "$(awk -v p="$(status demote_freed_pages)" \
		-v n=$(($(status demotions) + $(status clean_drops))) 'BEGIN { printf "%.4f", p / n }')"
	echo "$bench: round $round $side pool=$full blocks=$blocks ahead=$ahead demotions=$(status demotions)" \
		"drops=$(status clean_drops) pages=$(status demote_freed_pages) ms=$(((end - before) / 1000000))"
	dzb verify "$DEV" $BLOCKS "$round" all
	down ours
	disk_down
}

in_turn measure ours nothing-ahead

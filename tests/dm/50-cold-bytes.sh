#!/bin/bash
# What leaves RAM stays small: data that compresses 3:1 costs at most 0.40 of its size on the cold
# device, in writes of at least 128 KiB on average, and the block layer agrees with our numbers.
# vm: uml qemu-6.1
# mem: 384M
# cold: 192M
# timeout: 120
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 128M 48M)
blocks=$(($(bytes "$size") / BLOCK))

# judge WHAT: the numbers of the device z, and the cold device's own since $disk, when no write is
# under way.
judge() {
	local left written
	hold z
	msg z drain
	snap z
	left=$((S[demotions] + S[spills]))
	written=$((($(disk_sectors_written "$COLD") - disk) * 512))
	release z
	check "$1: blocks that left RAM" $left -gt $((blocks / 2))
	check "$1: segment writes" "${S[segment_writes]}" -gt 0
	note "$1: $left blocks in ${S[cold_write_bytes]} bytes and ${S[segment_writes]} writes:" \
		"$((S[cold_write_bytes] * 1000 / (left * BLOCK))) permille of the plain size," \
		"$((S[cold_write_bytes] / S[segment_writes] / 1024)) KiB a write"
	check "$1: bytes written, per thousand bytes" $((S[cold_write_bytes] * 1000 / (left * BLOCK))) -le 400
	check "$1: bytes of a write" $((S[cold_write_bytes] / S[segment_writes])) -ge $((128 << 10))
	# Nothing is written that we do not count, and nothing counted that is not written.
	check "$1: bytes written, as the block layer counts" $written -ge $((S[cold_write_bytes] - (64 << 10)))
	check "$1: bytes written, as the block layer counts" $written -le $((S[cold_write_bytes] + (64 << 10)))
}

for algorithm in lz4 lzo-rle zstd; do
	create z "$size" "$COLD" mem_limit 0 demote_age 0 algorithm $algorithm
	disk=$(disk_sectors_written "$COLD")
	blk write /dev/mapper/z --ratio 3 --batch 64
	check "cold writes before demotion" "$(stat z cold_write_bytes)" -eq 0
	msg z demote all
	judge "demote all, $algorithm"
	check "blocks demoted" "${S[demotions]}" -eq $blocks
	check "blocks cold" "${S[cold_blocks]}" -eq $blocks
	check "blocks in RAM" "${S[hot_blocks]}" -eq 0
	blk verify /dev/mapper/z --ratio 3 --batch 64
	remove z
	[ "${KIND#qemu}" = "$KIND" ] || break # the others need no look in a second guest
done

# The same without anybody asking: more data than RAM for it.
create z "$size" "$COLD" mem_limit 4M demote_age 0
disk=$(disk_sectors_written "$COLD")
blk write /dev/mapper/z --ratio 3 --batch 16 --random
judge "over the limit"
check "pool at its limit of 4 MiB" "${S[pool_bytes]}" -le $((5 << 20))
blk verify /dev/mapper/z --ratio 3 --batch 64 --random
check_sane z
remove z

#!/bin/bash
# What bookkeeping costs: at most 17 bytes of RAM for a stored block, all counted; and an untouched
# device of 1 TiB less than 1 MiB, which the machine's free memory confirms.
# vm: uml qemu-6.1
# mem: 512M
# cold: 256M
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

free_bytes() { echo $(($(free_kib) * 1024)); }

# judge_blocks WHAT: bytes of metadata for a stored block.
judge_blocks() {
	snap z
	local stored=$((S[fill_blocks] + S[hot_blocks] + S[cold_blocks]))
	note "$1: ${S[meta_bytes]} bytes for $stored blocks: $((S[meta_bytes] * 100 / stored)) hundredths of a byte each;" \
		"${S[fixed_bytes]} bytes whatever is stored"
	PER_BLOCK=$((S[meta_bytes] * 1000 / stored))
}

# ---- stored blocks ---------------------------------------------------------------------------

blocks=$(by_kind 40960 24576)
create z $((blocks * BLOCK)) "$COLD" mem_limit 0 demote_age 0
snap z
empty=${S[meta_bytes]}
blk write /dev/mapper/z --ratio 3 --batch 64
judge_blocks "3:1, in RAM"
check "stored blocks" "${S[hot_blocks]}" -eq "$blocks"
check "thousandths of a byte for a block" $PER_BLOCK -le 17000
# What is counted cannot be less than the table itself: 8 bytes a block.
check "bytes of metadata that storing $blocks blocks took" $((S[meta_bytes] - empty)) -ge $((blocks * 8))
msg z demote all
msg z drain
judge_blocks "3:1, cold"
check "thousandths of a byte for a block" $PER_BLOCK -le 17000
within 60 blkdiscard blkdiscard -f /dev/mapper/z
blk write /dev/mapper/z --ratio 0 --batch 64
judge_blocks "mixture, in RAM"
# Scattered: every 64th block only. The worst case is one table page for each block.
within 60 blkdiscard blkdiscard -f /dev/mapper/z
for ((i = 0; i < 64; i++)); do
	blk write /dev/mapper/z --ratio 3 --from $((i * blocks / 64)) --count 1
done
judge_blocks "64 blocks far apart"
remove z

# A dm device has its own costs (queue, tag sets, inodes): 256 KiB for that.
MAX_DEVICE=$(((1 << 20) + (256 << 10)))
# Of ten devices, when they have gone.
MAX_LEFT=$((2 << 20))

# ---- a large device --------------------------------------------------------------------------

create z 1T -
snap z
note "1 TiB without a cold device: meta ${S[meta_bytes]} + fixed ${S[fixed_bytes]} bytes"
check "1 TiB: bytes" $((S[meta_bytes] + S[fixed_bytes])) -lt $((1 << 20))
# It works: the first, the last, and some in between; and all others are zero.
for at in 0 1 511 512 134217728 268435455; do
	blk write /dev/mapper/z --from $at --count 1
	blk verify /dev/mapper/z --from $at --count 1
	blk zero /dev/mapper/z --from $((at ^ 2)) --count 1
done
# A discard of all of it skips what nobody has touched.
within 20 "discard of 1 TiB" blkdiscard -f /dev/mapper/z
check "stored blocks after discard" "$(stat z hot_blocks)" -eq 0
remove z

# The machine agrees: ten such devices, and what is missing of its memory while they are there and
# once they have gone. Others use memory too (slabs and page lists that fill, pages of the programs
# that run): what we keep is missing each time, what they take is not, so the least of some tries
# counts.
used='' left=''
for ((try = 0; try < 4; try++)); do
	before=$(free_bytes)
	for i in 0 1 2 3 4 5 6 7 8 9; do create "z$i" 1T -; done
	now=$(((before - $(free_bytes)) / 10))
	((try)) && ((now >= ${used:-$now})) || used=$now
	snap z0
	for i in 0 1 2 3 4 5 6 7 8 9; do remove "z$i"; done
	now=$((before - $(free_bytes)))
	((try)) && ((now >= ${left:-$now})) || left=$now
	((try == 0 || used >= MAX_DEVICE || left >= MAX_LEFT)) || break
done
note "1 TiB, by free memory: $used bytes each; by its own count: $((S[meta_bytes] + S[fixed_bytes]))"
check "free memory that a device of 1 TiB takes" "$used" -lt $MAX_DEVICE
check "memory not given back by ten devices" "$left" -lt $MAX_LEFT

create z 1T "$COLD" overcommit
snap z
note "1 TiB over $COLD: meta ${S[meta_bytes]} + fixed ${S[fixed_bytes]} bytes"
check "1 TiB with overcommit: bytes of metadata" "${S[meta_bytes]}" -lt $((1 << 20))
remove z

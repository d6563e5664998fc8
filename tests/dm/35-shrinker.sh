#!/bin/bash
# Nobody asks, and yet the pool gives memory back: idle blocks go cold with age, and all others
# when the machine runs short.
# vm: uml-debug qemu-6.1 qemu-6.12
# mem: 256M
# cold: 256M
# cpus: 2
# timeout: 180
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=64M
blocks=$(($(bytes "$size") / BLOCK))

# Age. With demote_age 0 nothing moves by itself.
create z "$size" "$COLD" mem_limit 0 demote_age 0
blk write /dev/mapper/z --ratio 3 --batch 64
sleep 3
snap z
check "demotions with demote_age 0 and no pressure" $((S[demotions] + S[spills])) -eq 0
check "blocks in RAM" "${S[hot_blocks]}" -eq $blocks

# With 7 s a block that nobody touches is gone after two rotations of the clock hand, and one that
# is read all the time is not. Few are: a busy device is left alone.
hot=24
msg z set demote_age 7
end=$((SECONDS + 45 * patience))
while :; do
	blk verify /dev/mapper/z --count $hot
	snap z
	[ "${S[hot_blocks]}" -gt $((blocks / 8)) ] || break
	[ $SECONDS -lt $end ] || fail "after 45 s with demote_age 7, ${S[hot_blocks]} of $blocks blocks are still in RAM"
	sleep 1
done
note "aged: hot=${S[hot_blocks]} cold=${S[cold_blocks]} demotions=${S[demotions]} cold_reads=${S[cold_reads]}"
check "blocks demoted by age" "${S[demotions]}" -ge $((blocks * 3 / 4))
check "cold reads of blocks in use" "${S[cold_reads]}" -le $((hot / 4))
blk verify /dev/mapper/z --batch 64
remove z

# Pressure. A pool without a limit in a machine whose memory somebody else takes.
create z "$size" "$COLD" mem_limit 0 demote_age 0
blk write /dev/mapper/z --ratio 2 --batch 64
snap z
before=${S[pool_bytes]}
check "blocks in RAM" "${S[hot_blocks]}" -eq $blocks
leave=4 # MiB, less than the kernel wants to keep free
in_background "$helpers/dmz-mem" hog "$leave" "$T/ready"
wait_until 90 "the hog to take all memory" test -e "$T/ready"
# How much reclaim wants is up to each kernel's marks: with these, a good part of the pool.
min_free=$(cat /proc/sys/vm/min_free_kbytes)
echo 28672 >/proc/sys/vm/min_free_kbytes
pool_is_small() { [ "$(stat z pool_bytes)" -lt $((before * 3 / 4)) ]; }
wait_until 60 "the pool to shrink to 3/4 of $before under memory pressure" pool_is_small
echo "$min_free" >/proc/sys/vm/min_free_kbytes
snap z
note "under pressure: pool $((before >> 20)) -> $((S[pool_bytes] >> 20)) MiB, demotions=${S[demotions]} compactions=${S[compactions]}"
check "blocks demoted by pressure" "${S[demotions]}" -gt $((blocks / 4))
# The device works on, with the hog still there.
blk verify /dev/mapper/z --ratio 2 --batch 64
blk write /dev/mapper/z --ratio 1 --seed 2 --batch 64
blk verify /dev/mapper/z --ratio 1 --seed 2 --batch 64 --random
end_background
check_sane z
check "failed writes" "${S[write_fails]}" -eq 0
remove z

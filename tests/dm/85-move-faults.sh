#!/bin/bash
# A move beside faults: spots of the old device that cannot be read cost the blocks there and no
# others, and it is let go once these are written anew; blocks damaged there stay damaged, and no
# others, also where the cleaner has met the damage before; a new device that takes no writes; an old
# one that is gone; groups.
# vm: uml-debug
# mem: 256M
# cold: 160M
# cpus: 2
# kmemleak: yes
# timeout: 240
# packages: e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/dm/move.sh
. "$dm_dir/move.sh"

size=$(by_kind 24M 12M)
blocks=$(($(bytes "$size") / BLOCK))
part=$(($(bytes "$size") * 5 / 4 / 512 + 8192)) # sectors of a cold device: enough
cold_disk a 0 $part
cold_disk b $((part + 4096)) $part

# holed NAME SECTOR...: 4 KiB from each of these sectors on cannot be read or written.
holed() {
	local name=$1 at=0 hole
	shift
	for hole; do
		echo "$at $((hole - at)) linear $COLD $((offset[$name] + at))"
		echo "$hole 8 error"
		at=$((hole + 8))
	done >"$T/holed"
	echo "$at $((part - at)) linear $COLD $((offset[$name] + at))" >>"$T/holed"
	dmsetup reload "$name" "$T/holed"
	within 30 "suspend $name" dmsetup suspend --noflush --nolockfs "$name"
	within 30 "resume $name" dmsetup resume "$name"
}
start() { # start [ARG...]: a z on a, all of it cold
	# shellcheck disable=SC2086
	create z "$size" /dev/mapper/a $args "$@"
	blk write $dev --ratio 3 --batch 64
	msg z demote all
	msg z drain
}
# at_rest: all has moved but for what is stuck.
at_rest() {
	snap z
	[ "${S[moving_segments]}" -gt 0 ] && [ "${S[moving_segments]}" = "${S[moving_stuck]}" ]
}

# ---- spots that cannot be read -----------------------------------------------------------------

for codec in none zstd; do
	note "spots, cold_algorithm $codec"
	start cold_algorithm $codec
	[ $codec = none ] || check "groups" "$(stat z groups)" -gt 0
	# At the head of a segment of 64 KiB, in the middle of one, at its end.
	holed a 4096 $((4096 + 128 + 64)) $((4096 + 256 + 120))
	to b cold_algorithm $codec
	wait_until 60 "all else to move" at_rest
	check "segments that have such a spot" "${S[moving_segments]}" -le 3
	check "segments that have such a spot" "${S[moving_segments]}" -gt 0
	blk verify $dev --ratio 3 --batch 64 --report
	check "wrong blocks" $((WRONG + ZERO)) -eq 0
	check "blocks of three spots" "$FAILED" -gt 0
	# In 4 KiB there are some objects, or groups of up to four, and parts of two more.
	most=8
	[ $codec = none ] || most=24
	check "blocks of three spots" "$FAILED" -le $((3 * most))
	lost=$FAILED
	is_busy a
	# Written anew, they are in the new device, and nothing is left in the old.
	blk write $dev --ratio 3 --batch 1
	wait_moved
	is_free a
	blk verify $dev --ratio 3 --batch 64
	check_sane z
	check "damaged objects" "${S[cold_bad_objects]}" -eq 0
	note "$lost blocks could not be read of ${S[cold_read_errors]} failed reads"
	remove z
	table_of a $part
done

# ---- damage ------------------------------------------------------------------------------------

note "damage"
start
within 30 damage dd if=/dev/urandom of=/dev/mapper/a bs=4096 seek=$((512 + 3)) count=1 oflag=direct conv=notrunc status=none
within 30 damage dd if=/dev/urandom of=/dev/mapper/a bs=512 seek=$((4096 + 128)) count=1 oflag=direct conv=notrunc status=none
to b
wait_until 60 "all else to move" at_rest
check "damaged segments" "${S[moving_segments]}" -eq 2
check "damaged objects" "${S[cold_bad_objects]}" -gt 0
blk verify $dev --ratio 3 --batch 64 --report
check "wrong blocks" $((WRONG + ZERO)) -eq 0
check "damaged blocks" "$FAILED" -gt 0
check "damaged blocks" "$FAILED" -le 12
is_busy a
within 30 blkdiscard blkdiscard -f $dev
wait_moved
is_free a
remove z

# ---- damage that the cleaner has met before ----------------------------------------------------

# The headers of some segments are destroyed, but none of their blocks. The cleaner finds that when it
# wants space, and leaves these segments alone; a move must not. The last quarter of the blocks lies all
# over the segments that were written first, and nothing else stays in them.
note "damage that the cleaner has met"
table_of a $((2048 + blocks * 128 / 36)) # a third more segments than the data takes
standard=$args
args="overcommit mem_limit 4K segment_size 64K demote_age 0"
# shellcheck disable=SC2086
create z "$size" /dev/mapper/a $args
blk write $dev --ratio 3 --batch 4 --random
msg z drain
for seg in 5 12 19 26 33 40; do
	within 30 damage dd if=/dev/urandom of=/dev/mapper/a bs=64 seek=$((16384 + seg * 1024)) count=1 conv=notrunc,fsync status=none
done
met() { [ "$(stat z cold_bad_objects)" -ge 3 ]; }
seed=1
until met; do
	seed=$((seed + 1))
	check "rounds of writing until the cleaner has met the damage" $seed -lt 20
	blk write $dev --ratio 3 --seed $seed --batch 4 --random --count $((blocks * 3 / 4))
done
note "met in $((seed - 1)) rounds, beside $(stat z segments_cleaned) segments cleaned"
check "segments with a damaged header" "$(stat z cold_bad_objects)" -le 6
to b
wait_moved
is_free a
blk verify $dev --ratio 3 --seed $seed --batch 64 --count $((blocks * 3 / 4))
blk verify $dev --ratio 3 --batch 64 --from $((blocks * 3 / 4))
remove z
args=$standard
table_of a $part

# ---- the new device fails ----------------------------------------------------------------------

note "a new device that takes no writes"
start
table_of b $part 2048
to b
refuses() { [ "$(stat z cold_failed)" = 1 ]; }
wait_until 60 "the new device to be given up" refuses
blk verify $dev --ratio 3 --batch 64
blk write $dev --ratio 3 --batch 64 --seed 2 --count 256
# Back, while writes cannot end.
to a
wait_moved
blk verify $dev --ratio 3 --batch 64 --seed 2 --count 256
blk verify $dev --ratio 3 --batch 64 --from 256
works() { dmsetup message z 0 demote all 2>/dev/null && dmsetup message z 0 drain 2>/dev/null; }
wait_until 60 "the device to take writes" works
# And when it comes to its senses, all goes there.
to b
wait_until 60 "the new device to be given up" refuses
table_of b $part
wait_moved
is_free a
blk verify $dev --ratio 3 --batch 64 --seed 2 --count 256
blk verify $dev --ratio 3 --batch 64 --from 256
check_sane z
check "failed writes" "${S[write_fails]}" -eq 0
remove z

# ---- the old one is gone -----------------------------------------------------------------------

note "an old device that is gone"
start
msg z set mem_limit 8M
blk write $dev --ratio 3 --batch 64 --seed 3 --count 256
table_of a $part 0
to b
wait_until 60 "each segment to be tried" at_rest
blk verify $dev --ratio 3 --batch 64 --seed 3 --count 256
blk write $dev --ratio 3 --batch 64 --seed 4 --from 256 --count 256
msg z demote all
msg z drain
blk verify $dev --ratio 3 --batch 64 --seed 4 --from 256 --count 256
blk verify $dev --ratio 3 --batch 64 --from 512 --report
check "blocks that can be read" "$GOOD" -eq 0
within 60 "suspend z" dmsetup suspend z
within 60 "resume z" dmsetup resume z
remove z

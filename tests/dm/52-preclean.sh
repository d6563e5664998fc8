#!/bin/bash
# Pre-cleaning: in idle seconds old blocks get a copy on the cold device ahead of need, so that a
# lower limit and reclaim are answered by dropping, without a write. Not while the pool is small or
# the wear budget used up; less of it where it was for nothing. What is written ahead stays right
# when the cleaner moves it, when writes fail, and beside overwrites, discards and reads.
# vm: uml-debug qemu-6.12
# mem: 256M
# cold: 192M
# cpus: 2
# timeout: 420
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 64M 32M)
blocks=$(($(bytes "$size") / BLOCK))
small=16M
small_blocks=$((16 << 8))
dev=/dev/mapper/z

# Each device has a part of the cold disk.
slice() { # slice NAME FROM_MIB MIB
	dmsetup create "$1" --table "0 $(($3 << 11)) linear $COLD $(($2 << 11))"
	[ -e "/dev/mapper/$1" ] || dmsetup mknodes "$1"
}
part=$((blocks * 21 / 32 / 256)) # MiB: the cleaner has to work for what comes below
slice under 0 $part
slice under_far 64 32
slice under_poor 96 32
slice under_vain 128 32
under() { # under TABLE
	dmsetup reload under --table "$1"
	within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs under
	within 30 "resume the device below" dmsetup resume under
}
good_table="0 $((part << 11)) linear $COLD 0"
bad_table="0 $((part << 11)) error"

# A rotation of the sweep takes 11 s here. Blocks are written ahead from age 2 on, and would be
# demoted by age 22 s later: time enough to see it and to stop the ages.
run() { msg "$1" set demote_age 35; }
freeze() { msg "$1" set demote_age 0; }
# clean_is NAME LEAST: that many blocks are clean.
clean_is() { [ "$(stat "$1" clean_blocks)" -ge "$2" ]; }
# fill NAME SEED COUNT: all of it in RAM, the limit at 4/3 of what that takes. Sets POOL.
fill() {
	freeze "$1"
	msg "$1" set mem_limit 0
	blk write "/dev/mapper/$1" --ratio 3 --seed "$2" --count "$3" --batch 64
	POOL=$(stat "$1" pool_bytes)
	msg "$1" set mem_limit $((POOL * 4 / 3))
}
# half_clean NAME COUNT: age it until half of it is clean, no more.
half_clean() {
	run "$1"
	wait_until 90 "half of $1 to be written ahead" clean_is "$1" $(($2 * 7 / 16))
	freeze "$1"
	check "clean blocks of $1" "$(stat "$1" clean_blocks)" -le $(($2 / 2))
}
# all_full: all four, full, but for z with their ages running.
all_full() {
	create far $small /dev/mapper/under_far demote_age 0
	create poor $small /dev/mapper/under_poor demote_age 0 wear_budget 24K
	create vain $small /dev/mapper/under_vain demote_age 0
	create z "$size" /dev/mapper/under overcommit demote_age 0
	fill far 1 $small_blocks
	msg far set mem_limit $((POOL * 3))
	fill poor 1 $small_blocks
	msg poor demote 64
	msg poor drain
	check "poor: thrifty" "$(stat poor wear_thrifty)" -eq 1
	fill vain 1 $small_blocks
	fill z 1 "$blocks"
	run far
	run poor
	run vain
}

# ---- when, and when not ------------------------------------------------------------------------

# The first blocks leave RAM by age after three rotations. On a machine that stands still for so long
# that it is about then before the ages are stopped, all begins anew.
for try in 1 2 3 4; do
	all_full
	start=$SECONDS
	half_clean z "$blocks"
	took=$((SECONDS - start))
	wait_until 90 "half of vain to be written ahead" clean_is vain $((small_blocks * 7 / 16))
	freeze vain
	snap vain
	note "half of z and of vain written ahead after $took and $((SECONDS - start)) s"
	if [ $try = 4 ] || { [ $took -lt 30 ] && [ "${S[cold_blocks]}" = 0 ]; }; then break; fi
	for d in z vain far poor; do remove $d; done
done
check "vain: blocks that left RAM" "${S[cold_blocks]}" -eq 0
snap z
check "blocks written ahead" "${S[preclean_blocks]}" -ge $((blocks * 7 / 16))
check "segments written for that" "${S[segment_writes]}" -gt 0
check "blocks that left RAM" $((S[demotions] + S[spills] + S[clean_drops] + S[cold_blocks])) -eq 0
check "blocks written ahead for nothing" "${S[preclean_wasted]}" -eq 0
# Older than those that were written ahead.
check "blocks written ahead, with room for twice as many" "$(stat far preclean_blocks)" -eq 0
freeze far
check "blocks written ahead while thrifty" "$(stat poor preclean_blocks)" -eq 0
check "poor: thrifty" "$(stat poor wear_thrifty)" -eq 1
freeze poor
msg z drain
blk verify $dev --ratio 3 --batch 64

# ---- for nothing -------------------------------------------------------------------------------

# All that was written ahead dies: next time it is half as much, or less if it took some seconds.
ahead=$(stat vain preclean_blocks)
clean=$(stat vain clean_blocks)
check "vain: wasted so far" "$(stat vain preclean_wasted)" -eq 0
fill vain 2 $small_blocks
check "vain: wasted" "$(stat vain preclean_wasted)" -eq "$clean"
run vain
more_ahead() { [ "$(stat vain preclean_blocks)" -ge $((ahead + small_blocks / 160)) ]; }

# ---- the limit ---------------------------------------------------------------------------------

snap z
writes=${S[segment_writes]}
limit=$((POOL_Z = S[pool_bytes], POOL_Z * 3 / 4))
msg z set mem_limit $limit
pool_within() { [ "$(stat z pool_bytes)" -le "$1" ]; }
wait_until 30 "the pool to shrink" pool_within $((limit * 7 / 8 + 65536))
snap z
note "limit: pool $((POOL_Z >> 10)) -> $((S[pool_bytes] >> 10)) KiB, ${S[clean_drops]} dropped, ${S[demote_freed_pages]} pages"
check "blocks dropped" "${S[clean_drops]}" -gt $((blocks / 4))
check "blocks written ahead and dropped" "${S[preclean_drops]}" -eq "${S[clean_drops]}"
check "blocks demoted" "${S[demotions]}" -eq 0
check "segments written" "${S[segment_writes]}" -eq "$writes"
check "pages freed by that" $((S[demote_freed_pages] * BLOCK)) -ge $((POOL_Z - S[pool_bytes] - (1 << 20)))
check "blocks left to drop" "${S[clean_blocks]}" -gt $((blocks / 32))

# ---- half as much, where it was for nothing ----------------------------------------------------

wait_until 90 "some of vain to be written ahead once more" more_ahead
sleep 4 # without a smaller share it were half by then
ahead=$(($(stat vain preclean_blocks) - ahead))
note "for nothing: $clean blocks written ahead at first, $ahead then"
check "vain: written ahead the second time" "$ahead" -le $((small_blocks / 4))
freeze vain

# ---- reclaim -----------------------------------------------------------------------------------

# With nothing left of the budget reclaim gets what can be had without a write, and all of that.
msg z set wear_budget 24K
blk write $dev --ratio 1 --seed 5 --from $((blocks - 32)) --batch 32 # does not compress: is written
msg z drain
check "thrifty" "$(stat z wear_thrifty)" -eq 1
snap z
writes=${S[segment_writes]} demoted=${S[demotions]} drops=${S[clean_drops]} pool=${S[pool_bytes]}
check "blocks left to drop" "${S[clean_blocks]}" -gt 0
all_dropped() { echo 2 >/proc/sys/vm/drop_caches; ! clean_is z 1; }
wait_until 60 "reclaim to have all clean blocks" all_dropped
snap z
check "blocks dropped for reclaim" "${S[clean_drops]}" -gt "$drops"
check "the pool after that" "${S[pool_bytes]}" -lt "$pool"
check "blocks demoted for reclaim" "${S[demotions]}" -eq "$demoted"
check "segments written for reclaim" "${S[segment_writes]}" -eq "$writes"
msg z set wear_budget 0
# They are right on the device.
blk verify $dev --ratio 3 --count $((blocks - 32)) --batch 64
blk verify $dev --ratio 1 --seed 5 --from $((blocks - 32)) --batch 32
check "cold reads" "$(stat z cold_reads)" -gt $((blocks / 4))

# ---- the cleaner moves it ----------------------------------------------------------------------

fill z 2 "$blocks"
half_clean z "$blocks"
snap z
# What is clean dies, or is dropped if the kernel wants memory just then.
gone=$((S[preclean_wasted] + S[preclean_drops])) clean=${S[clean_blocks]}
# Half of the blocks die, 32 of each 64, but for the last third or so.
rest=$((blocks * 5 / 8))
for ((i = 0; i < rest; i += 64)); do
	blkdiscard -f -o $((i * BLOCK)) -l $((32 * BLOCK)) $dev 2>/dev/null
done
snap z
# Which 7/16 or more of all are clean is up to where the look for old ones began: 1/16 is in what was
# discarded by halves, at least.
check "blocks that died clean" $((clean - S[clean_blocks])) -gt $((blocks / 64))
check "blocks written ahead for nothing" $((S[preclean_wasted] + S[preclean_drops] - gone)) -eq $((clean - S[clean_blocks]))
# What does not compress goes to the log, until it has to be cleaned.
cleaned() { [ "$(stat z blocks_cleaned)" -gt $((blocks / 32)) ]; }
seed=10
churn() {
	blk write $dev --ratio 1 --seed $((++seed)) --from $rest --batch 4
	blk write $dev --ratio 1 --seed $((++seed)) --from $rest --batch 4 --random
	cleaned
}
# Where the disk is slow, some of it goes to the pool: not at the cost of what is clean.
msg z set mem_limit 0
wait_until 120 "the cleaner to move blocks" churn
snap z
check "clean blocks left" "${S[clean_blocks]}" -gt $((blocks / 64))
verify_half() {
	local i
	for ((i = 32; i < rest; i += 1024)); do
		blk verify $dev --ratio 3 --seed 2 --from "$i" --count 32 --batch 32
	done
}
verify_half
drops=${S[clean_drops]}
msg z demote all
msg z drain
check "clean blocks dropped by message" $(($(stat z clean_drops) - drops)) -eq "${S[clean_blocks]}"
verify_half
blk verify $dev --ratio 1 --seed $seed --from $rest --batch 32
check_sane z

# ---- writes fail -------------------------------------------------------------------------------

within 30 blkdiscard blkdiscard -f $dev
fill z 3 "$blocks"
ahead=$(stat z preclean_blocks)
run z
begun() { [ "$(stat z preclean_blocks)" -gt "$ahead" ]; }
wait_until 90 "pre-cleaning to begin" begun
msg z set demote_age 350 # so that no block is demoted by age meanwhile
# Beside it: blocks are written, read and discarded, few enough for the device to count as idle.
eighth=$((blocks / 8))
work() { # work SEED
	local i
	for ((i = 0; i < 4; i++)); do
		blk write $dev --ratio 3 --seed "$1" --from $((i * 2 * eighth)) --count 48 --batch 4
		blk verify $dev --ratio 3 --seed "$1" --from $((i * 2 * eighth)) --count 48 --batch 4
		within 30 blkdiscard blkdiscard -f -o $(((i * 2 * eighth + 48) * BLOCK)) -l $((16 * BLOCK)) $dev
	done
}
for seed in 30 31 32 33; do
	under "$bad_table"
	# At least the open segment, in which clean blocks are, is written now.
	within 60 drain dmsetup message z 0 drain 2>/dev/null || true
	work $seed
	sleep 1
	under "$good_table"
	sleep 3
	work $((seed + 10))
done
check "segment writes that failed" "$(stat z cold_write_errors)" -gt 0
writes_again() { [ "$(stat z cold_failed)" = 0 ] && clean_is z $((blocks / 160)); } # the share may be at its least
wait_until 90 "a log that writes, and more blocks written ahead" writes_again
freeze z
all_right() {
	local i
	for ((i = 0; i < 4; i++)); do
		blk verify $dev --ratio 3 --seed 43 --from $((i * 2 * eighth)) --count 48 --batch 16
		blk zero $dev --from $((i * 2 * eighth + 48)) --count 16 --batch 16
		blk verify $dev --ratio 3 --seed 3 --from $((i * 2 * eighth + 64)) --count $((2 * eighth - 64)) --batch 64
	done
}
all_right
snap z
msg z demote all
msg z drain
check "clean blocks after all have left" "$(stat z clean_blocks)" -eq 0
all_right
check "failed writes" "$(stat z write_fails)" -eq 0
check_sane z

# ---- the end ------------------------------------------------------------------------------------

blk verify /dev/mapper/vain --ratio 3 --seed 2 --count $small_blocks --batch 64
blk verify /dev/mapper/far --ratio 3 --count $small_blocks --batch 64
blk verify /dev/mapper/poor --ratio 3 --count $small_blocks --batch 64
for d in z vain far poor; do
	check_sane $d
	remove $d
done
for d in under under_far under_poor under_vain; do dmsetup remove $d; done

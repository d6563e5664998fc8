#!/bin/bash
# A move that cannot end, since half of the old cold device cannot be read: what is refused meanwhile,
# that nothing gets lost by suspends, reloads and going back, that it ends once the device is well
# again; that a device can be removed in the middle; and how large the new one must be for groups.
# vm: uml-debug qemu-6.1
# mem: 256M
# cold: 256M
# cpus: 2
# kmemleak: yes
# timeout: 240
# packages: e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/dm/move.sh
. "$dm_dir/move.sh"

size=$(by_kind 32M 16M)
blocks=$(($(bytes "$size") / BLOCK))
part=$(($(bytes "$size") * 5 / 4 / 512 + 8192)) # sectors of a cold device: enough
cold_disk a 0 $part
cold_disk b $((part + 4096)) $part
cold_disk c $((2 * part + 8192)) $part
small=$((4 << 11))
cold_disk small $((3 * part + 12288)) $small
in_the_way=$(blockdev --getsz "$COLD")
check "sectors of the disk" "$in_the_way" -ge $((3 * part + 12288 + small + 16384))

# refused TEXT SIZE DISK [ARG...]: such a table is refused with this text, and nothing has changed.
refused() {
	local text=$1 before after
	shift
	before=$(dmsetup table z)
	log_mark
	! dmsetup reload z --table "$(table "$@")" 2>/dev/null || fail "a table was accepted that is to be refused: $text"
	want_log "$text"
	after=$(dmsetup table z)
	check "table after: $text" "$after" = "$before"
	check "inactive table after: $text" "$(dmsetup info -c --noheadings -o tables_loaded z)" = Live
}
# shellcheck disable=SC2086
start() { # start: a z on a, all of it cold
	create z "$size" /dev/mapper/a $args
	blk write $dev --ratio 3 --batch 64 --seed "${1:-1}"
	msg z demote all
	msg z drain
}
# half_moved: what can be read has moved, the rest has been tried.
half_moved() {
	snap z
	[ "${S[moving_segments]}" -gt 0 ] && [ "${S[moving_segments]}" = "${S[moving_stuck]}" ]
}
# half: from a to b, and stuck halfway. With 64K segments in order, the data is at the beginning.
half() {
	table_of a $part $((2048 + blocks))
	to b
	wait_until 60 "what can be read to move" half_moved
	check "blocks moved" "${S[blocks_moved]}" -gt 0
	check "reads that failed" "${S[cold_read_errors]}" -gt 0
	check "cold devices" "${S[cold_devices]}" -eq 2
}

# ---- what cannot be ----------------------------------------------------------------------------

start
# shellcheck disable=SC2086
{
	refused "cannot be added to an active device, or taken from it" "$size" -
	refused "segment_size of an active device" "$size" /dev/mapper/b ${args/64K/128K}
	refused "too small to back every block" "$size" /dev/mapper/small $args
	refused "too small for the data" "$size" /dev/mapper/small $args overcommit
	refused "Cold device not found" "$size" /dev/mapper/none $args
	blockdev --setro /dev/mapper/b
	refused "Cold device is read-only" "$size" /dev/mapper/b $args
	blockdev --setrw /dev/mapper/b
	create other 8M /dev/mapper/c segment_size 64K
	refused "belongs to another dm-zram device" "$size" /dev/mapper/c $args
	remove other
	dmsetup reload z --table "$(table "$size" /dev/mapper/c $args)"
	# Who has loaded a table for it has it.
	log_mark
	! dmsetup create other --table "$(table 8M /dev/mapper/c)" 2>/dev/null || fail "a cold device was taken that another one is about to move to"
	want_log "belongs to another dm-zram device"
	dmsetup clear z
	create other 8M /dev/mapper/c segment_size 64K
	remove other
	# Smaller than it was: the log has segments there.
	table_of a $((part - 4096))
	refused "has become smaller" "$size" /dev/mapper/a $args
	table_of a $part
}
blk verify $dev --ratio 3 --batch 64

# ---- halfway -----------------------------------------------------------------------------------

half
note "halfway: ${S[blocks_moved]} blocks moved, ${S[moving_segments]} segments left"
is_busy a
is_busy b
# shellcheck disable=SC2086
{
	refused "still moving off another cold device" "$size" /dev/mapper/c $args
	refused "cannot be added to an active device, or taken from it" "$size" -
	for disk in a b; do
		log_mark
		! dmsetup create other --table "$(table 8M /dev/mapper/$disk)" 2>/dev/null || fail "$disk has two owners"
		want_log "belongs to another dm-zram device"
	done
}
# Blocks that were there can be written; what has moved can be read.
blk verify $dev --ratio 3 --batch 64 --report
check "blocks that cannot be read" "$FAILED" -gt 0
check "blocks that can" $((GOOD + FAILED)) -eq $blocks
check "blocks of a segment that cannot be read" "$FAILED" -lt $((blocks * 3 / 4))
# Suspended, and reloaded, as often as you like.
for limit in 3M 4M; do
	hold z
	release z
	# shellcheck disable=SC2086
	reload z "$size" /dev/mapper/b ${args/4M/$limit}
	check "cold devices after a reload" "$(stat z cold_devices)" -eq 2
done
# It is well again, and the move goes on by itself.
table_of a $part
wait_moved
is_free a
is_busy b
blk verify $dev --ratio 3 --batch 64
check_sane z
check "damaged objects" "${S[cold_bad_objects]}" -eq 0

# ---- and back again ----------------------------------------------------------------------------

# From b to a, as it was before the last: halfway, then to where it came from.
to a
wait_moved
half
seed=7
blk write $dev --ratio 3 --batch 64 --seed $seed --count $((blocks / 4))
table_of a $part
to a
wait_moved
is_free b
check "table" "$(dmsetup table z | cut -d' ' -f4)" = "$(dmsetup info -c --noheadings -o major,minor --separator : a)"
blk verify $dev --ratio 3 --batch 64 --seed $seed --count $((blocks / 4))
blk verify $dev --ratio 3 --batch 64 --from $((blocks / 4))
# Quickly to and fro, wherever it is: none is lost.
for _ in 1 2 3 4 5 6; do
	to b
	to a
done
wait_moved
is_free b
blk verify $dev --ratio 3 --batch 64 --from $((blocks / 4))
# A table that was loaded before a move ended, and takes effect after.
half
# shellcheck disable=SC2086
dmsetup reload z --table "$(table "$size" /dev/mapper/a $args)"
table_of a $part
left_none() { [ "$(stat z moving_segments)" = 0 ]; }
wait_until 60 "the end of the move" left_none
within 60 "suspend z" dmsetup suspend z
within 60 "resume z" dmsetup resume z
wait_moved
is_free b
blk verify $dev --ratio 3 --batch 64 --from $((blocks / 4))
check_sane z
check "damaged objects" "${S[cold_bad_objects]}" -eq 0
check "failed writes" "${S[write_fails]}" -eq 0

# ---- removed -----------------------------------------------------------------------------------

half
remove z
table_of a $part
is_free a
is_free b
start 2
to b
remove z
is_free a
is_free b

# ---- groups of which little is left ------------------------------------------------------------

# One of four lives. What moves is more than a quarter of the group: all of it, or that one alone.
of_four() { # of_four VERB SEED MEMBER...
	local verb=$1 seed=$2 i
	shift 2
	for i; do
		blk "$verb" $dev --ratio 103 --seed "$seed" --batch 1 --stride 4 --from "$i" --count $((blocks - i))
	done
}
args="mem_limit 0 segment_size 64K demote_age 0 cold_algorithm zstd overcommit"
# shellcheck disable=SC2086 # words
create z "$size" /dev/mapper/a $args
blk write $dev --ratio 103 --batch 64
msg z demote all
msg z drain
groups=$((blocks / 4))
check "groups" "$(stat z groups)" -ge $groups
of_four write 2 1 2 3
live=$(stat z cold_live_bytes)
fits=$(((live + 57247) / 57248 + 12))
alone=$(((groups * 1300 + 57247) / 57248 + 12))
note "$live bytes of groups live: $fits segments by proportion, more than $alone by weight"
segments=$(((fits + alone) / 2))
check "segments in between" $segments -gt $((fits + 1))
check "segments of the smallest log" $segments -ge 24
table_of small $((2048 + segments * 128))
# shellcheck disable=SC2086 # words
refused "too small for the data" "$size" /dev/mapper/small $args
table_of small $((small + 16384))
to small
wait_moved
is_free a
snap z
check "bytes that have moved" "${S[cold_live_bytes]}" -gt $((2 * live))
of_four verify 1 0
of_four verify 2 1 2 3
remove z

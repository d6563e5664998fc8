#!/bin/bash
# Another cold device for a running device: its blocks move there while they are read and written;
# the old device is busy until then, and free after. Back again, turned back halfway, suspended and
# removed halfway; a cold device that has grown.
# vm: uml uml-debug qemu-6.1 qemu-6.12
# mem: 384M
# cold: 256M
# cpus: 2
# kmemleak: yes
# timeout: 300
# packages: fio e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 48M 24M)
blocks=$(($(bytes "$size") / BLOCK))
dev=/dev/mapper/z
part=$(($(bytes "$size") * 5 / 4 / 512 + 8192)) # sectors of a cold device: enough

# cold_disk NAME OFFSET SECTORS: a part of the disk, with a name.
cold_disk() {
	dmsetup create "$1" --table "0 $3 linear $COLD $2"
	[ -e "/dev/mapper/$1" ] || dmsetup mknodes "$1"
}
A=/dev/mapper/a B=/dev/mapper/b
cold_disk a 0 $part
cold_disk b $part $((part + 16384))

moved() { [ "$(stat z cold_devices)" = 1 ]; }
# free_disk DISK: can it be used for something else?
free_disk() {
	within 60 mkfs mkfs.ext4 -q -F "$1" >"$T/mkfs" 2>&1
}
is_busy() {
	! free_disk "$1" || fail "$1 could be formatted while blocks are on it"
	grep -q "in use" "$T/mkfs" || fail "$1 is not in use: $(cat "$T/mkfs")"
}
is_free() {
	check "opens of $1" "$(dmsetup info -c --noheadings -o open "$1")" -eq 0
	free_disk "$1" || fail "$1 is not free: $(cat "$T/mkfs")"
}
# to DISK [ARG...]: blocks are to move there.
args="mem_limit 4M segment_size 64K demote_age 0"
to() {
	local disk=$1
	shift
	# shellcheck disable=SC2086
	reload z "$size" "$disk" $args "$@" || fail "cannot move to $disk"
}
wait_moved() {
	wait_until 120 "the end of the move" moved
	check "segments left" "$(stat z moving_segments)" -eq 0
}

# ---- there and back ----------------------------------------------------------------------------

# shellcheck disable=SC2086
create z "$size" $A $args
blk write $dev --ratio 3 --batch 64
msg z demote $((blocks / 2))
snap_at_rest z
check "cold blocks" "${S[cold_blocks]}" -ge $((blocks / 2))
check "cold devices" "${S[cold_devices]}" -eq 1
check "segments of an old device" "${S[moving_segments]}" -eq 0
is_busy $A
events=$(dmsetup info -c --noheadings -o events z)
to $B
is_busy $B
wait_moved
snap_at_rest z
check "blocks moved" "${S[blocks_moved]}" -gt $((blocks / 4))
check "segments moved" "${S[segments_moved]}" -gt 0
check "events" "$(dmsetup info -c --noheadings -o events z)" -gt "$events"
is_free $A
is_busy $B
blk verify $dev --ratio 3 --batch 64
written=$(disk_sectors_written $A)
blk write $dev --ratio 3 --batch 64 --seed 2
msg z demote all
msg z drain
check "sectors written to the old device" "$(disk_sectors_written $A)" -eq "$written"
to $A
wait_moved
is_free $B
blk verify $dev --ratio 3 --batch 64 --seed 2
check_sane z
check "errors" $((S[write_fails] + S[cold_read_errors] + S[cold_bad_objects] + S[cold_write_errors])) -eq 0
check "failed" "${S[cold_failed]}" -eq 0
note "${S[segments_moved]} segments with ${S[blocks_moved]} blocks moved, ${S[segments]} segments of the log"
remove z
is_free $A

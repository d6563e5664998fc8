#!/bin/bash
# Another cold device for a running device: its blocks move there while they are read and written;
# the old device is busy until then, and free after. There and back, under load; a cold device that
# has grown; and one with larger logical blocks.
# vm: uml-debug
# mem: 384M
# cold: 256M
# cpus: 2
# kmemleak: yes
# timeout: 300
# packages: fio e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/dm/move.sh
. "$dm_dir/move.sh"

size=$(by_kind 48M 24M)
blocks=$(($(bytes "$size") / BLOCK))
part=$(($(bytes "$size") * 5 / 4 / 512 + 8192)) # sectors of a cold device: enough
cold_disk a 0 $part
cold_disk b $((part + 4096)) $((part + 16384))

# ---- there and back ----------------------------------------------------------------------------

# shellcheck disable=SC2086
create z "$size" /dev/mapper/a $args
blk write $dev --ratio 3 --batch 64
msg z demote $((blocks / 2))
snap_at_rest z
check "cold blocks" "${S[cold_blocks]}" -ge $((blocks / 2))
check "cold devices" "${S[cold_devices]}" -eq 1
check "segments of an old device" "${S[moving_segments]}" -eq 0
is_busy a
events=$(dmsetup info -c --noheadings -o events z)
to b
is_busy b
wait_moved
snap_at_rest z
check "blocks moved" "${S[blocks_moved]}" -gt $((blocks / 4))
check "segments moved" "${S[segments_moved]}" -gt 0
told() { [ "$(dmsetup info -c --noheadings -o events z)" -gt "$events" ]; }
wait_until 20 "the event that tells of the end" told
is_free a
is_busy b
blk verify $dev --ratio 3 --batch 64
written=$(disk_sectors_written /dev/mapper/a)
blk write $dev --ratio 3 --batch 64 --seed 2
msg z demote all
msg z drain
check "sectors written to the old device" "$(disk_sectors_written /dev/mapper/a)" -eq "$written"
to a
wait_moved
is_free b
blk verify $dev --ratio 3 --batch 64 --seed 2
check_sane z
check "errors" $((S[write_fails] + S[cold_read_errors] + S[cold_bad_objects] + S[cold_write_errors])) -eq 0
check "failed" "${S[cold_failed]}" -eq 0
note "there and back: ${S[segments_moved]} segments with ${S[blocks_moved]} blocks moved, ${S[segments]} segments of the log"

# ---- under load --------------------------------------------------------------------------------

# fio verifies what it has written, half of it cold; the moves go on beside it, and it beside them.
cat >"$T/job" <<END
[global]
filename=$dev
thread
direct=1
ioengine=libaio
iodepth=16
verify=crc32c
verify_interval=4k
verify_fatal=1
verify_state_save=0
exitall_on_error=1
buffer_compress_percentage=60
buffer_compress_chunk=4k
refill_buffers=1
bssplit=4k/50:16k/30:64k/20
time_based
runtime=3600
[random]
rw=randrw
size=$(($(bytes "$size") / 4 >> 20))m
[write]
rw=randwrite
offset=$(($(bytes "$size") / 4 >> 20))m
size=$(($(bytes "$size") / 4 >> 20))m
END
in_background fio --output="$T/fio" "$T/job"
load=$!
blk write $dev --ratio 2 --batch 64 --from $((blocks / 2)) --seed 3
# settings of all kinds, one for each move; the cold codec makes groups
extra=(cold_algorithm zstd discard_passdown off policy fifo wear_budget 1G)
written() { [ "$(stat z writes)" -gt "$before" ]; }
for i in 0 1 2 3; do
	disk=$([ $((i % 2)) = 0 ] && echo b || echo a)
	snap z
	before=${S[writes]}
	to "$disk" "${extra[@]:i * 2:2}"
	# Part of what moves is being written anew.
	msg z demote 500
	wait_moved
	wait_until 60 "the load beside the move to have written" written
	kill -0 $load || fail "fio has ended: $(cat "$T/fio")"
	blk verify $dev --ratio 2 --batch 64 --from $((blocks / 2)) --seed 3
done
kill -INT $load
wait $load || true
! grep -Eq 'verify: bad|err= *[1-9]|error=' "$T/fio" || fail "fio: $(cat "$T/fio")"
grep -q 'write: IOPS' "$T/fio" || fail "fio did nothing: $(cat "$T/fio")"
is_free b
check_sane z
check "errors" $((S[write_fails] + S[cold_read_errors] + S[cold_bad_objects] + S[cold_write_errors])) -eq 0
note "${S[groups]} groups were made meanwhile"
note "under load: ${S[segments_moved]} segments with ${S[blocks_moved]} blocks moved, ${S[segments_cleaned]} cleaned"

# ---- it grows ----------------------------------------------------------------------------------

segments=${S[segments]}
table_of a $((part + 4096))
to a
check "segments of a larger cold device" "$(stat z segments)" -eq $((segments + 32))
check "cold devices" "$(stat z cold_devices)" -eq 1
blk write $dev --ratio 1 --batch 64 --seed 4
blk write $dev --ratio 1 --batch 3 --random --count $((blocks / 2)) --seed 5
blk verify $dev --ratio 1 --batch 64 --seed 5 --count $((blocks / 2))
blk verify $dev --ratio 1 --batch 64 --seed 4 --from $((blocks / 2))
# Larger on the way: what is behind moves with the next table.
table_of b $((part + 16384 + 8192))
to b
wait_moved
blk verify $dev --ratio 1 --batch 64 --seed 4 --from $((blocks / 2))

# ---- to logical blocks of 4096 bytes, and back to 512 ------------------------------------------

to a
wait_moved
modprobe -q loop || true
loop=$(losetup -f --show --sector-size 4096 --direct-io=on /dev/mapper/b)
check "logical blocks" "$(blockdev --getss "$loop")" -eq 4096
# shellcheck disable=SC2086
reload z "$size" "$loop" $args || fail "cannot move to $loop"
wait_moved
is_free a
blk write $dev --ratio 2 --batch 64 --seed 6 --count $((blocks / 2))
msg z demote all
blk verify $dev --ratio 2 --batch 64 --seed 6 --count $((blocks / 2))
blk verify $dev --ratio 1 --batch 64 --seed 4 --from $((blocks / 2))
to a
wait_moved
losetup -d "$loop"
blk verify $dev --ratio 2 --batch 64 --seed 6 --count $((blocks / 2))
blk verify $dev --ratio 1 --batch 64 --seed 4 --from $((blocks / 2))
check_sane z
check "errors" $((S[write_fails] + S[cold_read_errors] + S[cold_bad_objects] + S[cold_write_errors])) -eq 0
remove z
is_free a
is_free b

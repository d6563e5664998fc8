#!/bin/bash
# A cold device that fails: reads of blocks that are only there get EIO, all others stay right,
# writes go on, nothing hangs, removal works; and when the device comes back, so do the blocks.
# vm: uml-debug qemu-6.1
# mem: 256M
# cold: 96M
# cpus: 2
# kmemleak: yes
# timeout: 400
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 48M 24M)
blocks=$(($(bytes "$size") / BLOCK))
dev=/dev/mapper/z
sectors=$(($(bytes "$size") * 3 / 2 / 512)) # of the cold device: enough, and soon used all over
modprobe -q dm-flakey 2>/dev/null || true

# The cold device is a device of device-mapper, whose table is changed below the running zram.
good_table="0 $sectors linear $COLD 0"
under() { # under TABLE
	dmsetup reload under --table "$1"
	within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs under
	within 30 "resume the device below" dmsetup resume under
}
dmsetup create under --table "$good_table"
[ -e /dev/mapper/under ] || dmsetup mknodes under

start() { # start ARG...: a fresh z over a good device
	under "$good_table"
	create z "$size" /dev/mapper/under demote_age 0 "$@"
}
finish() {
	remove z
	under "$good_table"
}

# count_cold: blocks that RAM does not have.
count_cold() { stat z cold_blocks; }

log_drains() { dmsetup message z 0 drain 2>/dev/null; }
pool_within() { [ "$(stat z pool_bytes)" -le "$1" ]; }

# settle: nothing is under way any more.
settle() { msg z drain; }

# works: all can be written out, which the log tries again every two seconds after it has failed.
works() { dmsetup message z 0 demote all 2>/dev/null && dmsetup message z 0 drain 2>/dev/null; }

# ---- reads fail --------------------------------------------------------------------------------

note "a device that is gone: reads"
start mem_limit 0
blk write $dev --ratio 3 --batch 64
msg z demote $((blocks / 2))
settle
cold=$(count_cold)
check "cold blocks" "$cold" -ge $((blocks / 2 - 64))
check "cold blocks" "$cold" -lt $blocks
under "0 $sectors error"
blk verify $dev --ratio 3 --batch 64 --report
check "reads that failed" "$FAILED" -eq "$cold"
check "blocks that RAM has" "$GOOD" -eq $((blocks - cold))
check "wrong blocks" $((WRONG + ZERO)) -eq 0
check "errors counted" "$(stat z cold_read_errors)" -gt 0
# A block that cannot be read can be written, and discarded, as any other.
blk write $dev --ratio 2 --seed 2 --count 64 --batch 1
blk verify $dev --ratio 2 --seed 2 --count 64 --batch 16
within 30 blkdiscard blkdiscard -f -o $((64 * BLOCK)) -l $((64 * BLOCK)) $dev
blk zero $dev --from 64 --count 64 --batch 16
# The device comes back, and nothing has been lost.
under "$good_table"
blk verify $dev --ratio 3 --from 128 --batch 64
blk verify $dev --ratio 2 --seed 2 --count 64 --batch 16
check_sane z
finish

# ---- writes fail -------------------------------------------------------------------------------

note "a device that is gone: writes"
start mem_limit 4M
blk write $dev --ratio 3 --count $((blocks / 2)) --batch 64
settle
under "0 $sectors error"
# The limit is soft, and RAM is what is left.
blk write $dev --ratio 3 --from $((blocks / 2)) --batch 64
check "writes that failed" "$FAILED" -eq 0
blk verify $dev --ratio 3 --from $((blocks / 2)) --batch 64
check "blocks written while the device is gone" "$GOOD" -eq $((blocks - blocks / 2))
# These may take a while or say that they cannot; they may not hang, nor lose anything.
MSG_LIMIT=60 msg z demote 1000 || true
MSG_LIMIT=60 msg z drain || true
blk verify $dev --ratio 3 --from $((blocks / 2)) --batch 64
blk write $dev --ratio 3 --seed 3 --from $((blocks / 2)) --count 1000 --random
note "$(stat z cold_write_errors) failed writes of segments, $(stat z segments_bad) bad segments"
check "write errors counted" "$(stat z cold_write_errors)" -gt 0
# It comes back: all is there, and what is too much for RAM leaves it.
under "$good_table"
wait_until 60 "the pool to go back to its limit of 4 MiB" pool_within $((5 << 20))
wait_until 60 "a log that writes again" log_drains
blk verify $dev --ratio 3 --count $((blocks / 2)) --batch 64
blk verify $dev --ratio 3 --seed 3 --from $((blocks / 2)) --count 1000
blk verify $dev --ratio 3 --from $((blocks / 2 + 1000)) --batch 64
check_sane z
check "failed writes" "${S[write_fails]}" -eq 0
finish

note "removal while the device is gone, with segments that cannot be written"
start mem_limit 2M
blk write $dev --ratio 2 --count 1000 --batch 64
under "0 $sectors error"
blk write $dev --ratio 2 --from 1000 --count 2000 --batch 64
finish

# ---- a hole ------------------------------------------------------------------------------------

# hole KIB: everything is on the device when a spot of that size goes bad.
hole() {
	local spot=$((4 << 11)) length=$(($1 * 2)) # sectors, behind the header area and some segments
	note "a bad spot of $1 KiB"
	start mem_limit 0
	blk write $dev --ratio 3 --batch 64
	msg z demote all
	settle
	under "0 $spot linear $COLD 0
$spot $length error
$((spot + length)) $((sectors - spot - length)) linear $COLD $((spot + length))"
	blk verify $dev --ratio 3 --batch 64 --report
	note "$FAILED of $blocks blocks are in the bad spot"
	check "blocks in the bad spot" "$FAILED" -gt $((length / 8)) # more than uncompressed ones would be
	check "blocks in the bad spot" "$FAILED" -lt $((length / 2))
	check "wrong blocks" $((WRONG + ZERO)) -eq 0
}

# rewrite_until_bad: write everything anew until the log meets the bad spot.
rewrite_until_bad() {
	local seed=7
	while [ "$(stat z cold_write_errors)" = 0 ] && [ $seed -lt 14 ]; do
		blk write $dev --ratio 3 --seed $seed --batch 64
		"$@"
		blk verify $dev --ratio 3 --seed $seed --batch 64
		seed=$((seed + 1))
	done
	check_sane z
	note "bad segments: ${S[segments_bad]}, write errors: ${S[cold_write_errors]}"
	check "write errors" "${S[cold_write_errors]}" -gt 0
	check "bad segments" "${S[segments_bad]}" -gt 0
	check "failed writes" "${S[write_fails]}" -eq 0
}

# A few segments: what was to go there goes elsewhere, and nobody notices.
everything_out() {
	msg z demote all
	settle
}
hole 512
rewrite_until_bad everything_out
check "bad segments" "${S[segments_bad]}" -le 4
check "blocks in RAM" "${S[hot_blocks]}" -eq 0
finish

# More of them in a row look like a device that is gone: it is tried again until it works.
everything_out_at_last() {
	wait_until 60 "a log that writes again, behind the bad spot" works
}
hole 2048
rewrite_until_bad everything_out_at_last
check "blocks in RAM" "${S[hot_blocks]}" -eq 0
finish

# ---- a device that lies ------------------------------------------------------------------------

if dmsetup targets | grep -q '^flakey'; then
	note "a device that returns changed data"
	start mem_limit 0
	blk write $dev --ratio 3 --batch 64
	msg z demote all
	settle
	# Every read comes back with one byte of it changed.
	under "0 $sectors flakey $COLD 0 0 1000 5 corrupt_bio_byte 300 r 77 0"
	blk verify $dev --ratio 3 --batch 16 --report
	check "wrong blocks handed out" $((WRONG + ZERO)) -eq 0
	# Not every kernel's dm-flakey (not 6.1's) does to reads what it promises.
	peek() { dd if="$1" bs=4096 count=1 skip=512 iflag=direct status=none | md5sum; }
	if [ "$(peek /dev/mapper/under)" != "$(peek "$COLD")" ]; then
		check "blocks refused" "$FAILED" -gt 0
		check "damaged objects counted" "$(stat z cold_bad_objects)" -gt 0
	else
		note "dm-flakey of this kernel changes nothing"
	fi
	under "$good_table"
	blk verify $dev --ratio 3 --batch 64
	finish

	note "a device that comes and goes"
	start mem_limit 2M
	blk write $dev --ratio 3 --batch 64
	# 1 s good, 1 s bad, and so on; a mixed load meanwhile.
	under "0 $sectors flakey $COLD 0 1 1"
	"$helpers/dmz-blk" verify $dev --ratio 3 --random --report --batch 4 >"$T/reader" &
	reader=$!
	blk write $dev --ratio 3 --random --batch 8 --passes "$(by_kind 3 2)"
	check "writes that failed" "$FAILED" -eq 0
	wait $reader
	grep -q 'zero=0 wrong=0 ' "$T/reader" || fail "wrong data while the device came and went: $(cat "$T/reader")"
	under "$good_table"
	wait_until 60 "the pool to go back to its limit of 2 MiB" pool_within $((3 << 20))
	wait_until 60 "a log that writes again" works
	blk verify $dev --ratio 3 --batch 64
	check_sane z
	check "failed writes" "${S[write_fails]}" -eq 0
	finish

	note "writes that fail, reads that work"
	start mem_limit 2M
	blk write $dev --ratio 3 --batch 64
	settle
	under "0 $sectors flakey $COLD 0 0 1000 1 error_writes"
	blk verify $dev --ratio 3 --batch 64
	blk write $dev --ratio 3 --seed 2 --batch 64 --random
	blk verify $dev --ratio 3 --seed 2 --batch 64
	under "$good_table"
	wait_until 60 "the pool to go back to its limit of 2 MiB" pool_within $((3 << 20))
	wait_until 60 "a log that writes again" log_drains
	blk verify $dev --ratio 3 --seed 2 --batch 64
	check_sane z
	check "failed writes" "${S[write_fails]}" -eq 0
	finish
else
	fail "this guest has no dm-flakey"
fi

# ---- a device that does not answer -------------------------------------------------------------

note "a device that does not answer for a while"
start mem_limit 0
blk write $dev --ratio 3 --batch 64
msg z demote $((blocks / 2))
settle
hot=$(stat z hot_blocks)
within 30 "suspend the device below" dmsetup suspend under
# Blocks in RAM are served all the same, and new ones taken.
BLK_LIMIT=20 blk write $dev --ratio 3 --from $((blocks - 256)) --count 256
BLK_LIMIT=20 blk verify $dev --ratio 3 --from $((blocks - 256)) --count 256
"$helpers/dmz-blk" verify $dev --ratio 3 --batch 64 >"$T/reader" &
reader=$!
sleep 1
kill -0 $reader 2>/dev/null || fail "a cold read did not wait for its device"
check "blocks in RAM" "$(stat z hot_blocks)" -ge $((hot / 2))
within 30 "resume the device below" dmsetup resume under
ended() { ! kill -0 "$1" 2>/dev/null; }
wait_until 50 "the reader to end" ended $reader
wait $reader || fail "reads after the pause: $(cat "$T/reader")"
check_sane z
finish
dmsetup remove under

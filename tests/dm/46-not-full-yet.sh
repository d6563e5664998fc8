#!/bin/bash
# A log is not full while one of its segments is about to become free: all in it is dead, but somebody
# still reads it; or it is free, and being discarded. Writes wait for that, as long as it takes; when
# there is none, they fail at once.
# vm: uml-debug
# mem: 192M
# cold: 16M
# cpus: 2
# timeout: 180
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
per=15 # incompressible blocks in a segment of 64 KiB
seg=7  # the one that is read, and discarded

# The cold device is one that can be stopped where that segment is, and nowhere else.
all=$((4 << 11))
from=$((2048 + seg * 128))
dmsetup create slow --table "0 $all linear $COLD 0"
[ -e /dev/mapper/slow ] || dmsetup mknodes slow
{
	echo "0 $from linear $COLD 0"
	echo "$from 128 linear /dev/mapper/slow $from"
	echo "$((from + 128)) $((all - from - 128)) linear $COLD $((from + 128))"
} >"$T/under"
dmsetup create under "$T/under"
[ -e /dev/mapper/under ] || dmsetup mknodes under
stop() { within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs slow; }
go_on() { within 30 "resume the device below" dmsetup resume slow; }

# is_full: one more block is one too many.
is_full() {
	blk write $dev --ratio 1 --batch 1 --from $((room + 1)) --count 1 --report
	check "writes into a full log that fail with ENOSPC" "$NOSPACE" -eq 1
	check "free segments, with a full log" "$(stat z segments_free)" -eq 6
}
# kill_segs N M: discard all blocks of M segments from the n-th on.
kill_segs() { within 30 blkdiscard blkdiscard -f -o $(($1 * per * BLOCK)) -l $(($2 * per * BLOCK)) $dev; }
# write_waits N M: not all of these blocks can be written anew before the device below goes on; then all.
write_waits() {
	local count=$(($2 * per))
	in_background "$helpers/dmz-blk" write $dev --ratio 1 --seed 2 --batch 1 --from $(($1 * per)) --count $count --report >"$T/writer"
	writer=$!
	sleep 1
	kill -0 $writer 2>/dev/null || fail "the writer did not wait: $(cat "$T/writer")"
	go_on
	wait_until 60 "the writer" ended $writer
	wait $writer || fail "the writer ended with $?: $(cat "$T/writer")"
	grep -q "^good=$count .*failed=0 " "$T/writer" || fail "writes failed: $(cat "$T/writer")"
	blk verify $dev --ratio 1 --seed 2 --batch 1 --from $(($1 * per)) --count $count
}
ended() { ! kill -0 "$1" 2>/dev/null; }

# Incompressible blocks go to the log at once, in the order in which they are written, $per to a segment,
# until all segments are full; but those that find no buffer stay in RAM: then once more.
for _ in 1 2 3 4 5; do
	create z 16M /dev/mapper/under overcommit segment_size 64K demote_age 0 discard_passdown off
	room=$((($(stat z segments) - 6) * per))
	blk write $dev --ratio 1 --batch 1 --count "$room"
	[ "$(stat z spills)" -lt "$room" ] || break
	remove z
done
msg z drain
check "blocks in RAM" "$(stat z hot_blocks)" -eq 0
# RAM takes one block more.
msg z set mem_limit 4K
blk write $dev --ratio 1 --from "$room" --count 1
is_full

note "a dead segment that is being read"
before=$(stat z cold_reads)
stop
in_background "$helpers/dmz-blk" verify $dev --ratio 1 --batch 1 --from $((seg * per + 3)) --count 1 >"$T/reader"
reader=$!
reads() { [ "$(stat z cold_reads)" -gt "$before" ]; }
wait_until 30 "a cold read" reads
kill_segs $seg 1
check "free segments, while the dead one is read" "$(stat z segments_free)" -eq 6
write_waits $seg 1
wait_until 30 "the reader" ended $reader
wait $reader || fail "the reader: $(cat "$T/reader")"
is_full

if [ "$(cat "$(sysfs "$COLD")/queue/discard_max_bytes")" = 0 ]; then
	[ "$KIND" != uml-debug ] || fail "ubd without discard"
	note "the cold device has no discard"
else
	note "a free segment that is being discarded"
	stop
	# That one was freed before the others. Of these, one is opened for the block that RAM has beyond its
	# limit.
	kill_segs 20 2
	msg z set discard_passdown on
	taken() { [ "$(stat z segments_free)" = 6 ]; }
	wait_until 30 "a discard that does not end" taken
	check "segments discarded" "$(stat z segments_discarded)" -eq 0
	write_waits 20 2
	is_full
fi

blk verify $dev --ratio 1 --batch 16 --count $((seg * per))
blk verify $dev --ratio 1 --batch 16 --from $((22 * per)) --count $((room - 22 * per))
check_sane z
check "segments cleaned" "${S[segments_cleaned]}" -eq 0
remove z
dmsetup remove under
dmsetup remove slow

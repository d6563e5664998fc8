#!/bin/bash
# Space on the cold device: with overcommit, an event and one line in the log come long before
# writes fail, one line more when they do, and all of it again the next time; segments that are free
# are discarded below, slowly, while the device is idle, and not when that is turned off.
# vm: uml-debug
# mem: 256M
# cold: 64M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
events() { dmsetup info -c --noheadings -o events z; }
told() { [ "$(events)" -ge "$1" ]; }
lines() { log_since; grep -c "zram: .*$1" <<<"$LOG" || true; }

# ---- low space, and none -----------------------------------------------------------------------

# fill_up SEED: incompressible blocks until a write fails. WARNED: blocks before the event; ROOM:
# before the first failure.
fill_up() {
	local at=0 seen
	WARNED=-1
	seen=$(events)
	timeout $((120 * patience)) dmsetup wait z "$seen" &
	waiter=$!
	log_mark
	while :; do
		blk write $dev --ratio 1 --seed "$1" --from $at --count 128 --batch 16 --report
		[ "$FAILED" = 0 ] || break
		at=$((at + 128))
		# The line comes from who writes, the event from a worker, which may have to wait for a processor.
		if [ $WARNED = -1 ] && [ "$(lines 'nearly full')" -gt 0 ]; then
			WARNED=$at
			wait_until 20 "the event of low space" told $((seen + 1))
			check "events of low space" "$(events)" -eq $((seen + 1))
			check "lines on low space" "$(lines 'nearly full')" -eq 1
			check "lines on a full device" "$(lines 'is full')" -eq 0
			wait $waiter || fail "dmsetup wait slept through the event of low space"
		fi
		[ $at -lt 20000 ] || fail "64 MiB take $at blocks"
	done
	ROOM=$FIRST_FAILED
	note "$WARNED blocks until the warning, $ROOM until no room"
	check "blocks until the warning" $WARNED -gt 0
	# Of the log, 1/32 is free when it is warned of, and the RAM is not full either.
	check "blocks between the warning and the end" $((ROOM - WARNED)) -ge $((ROOM / 50))
	check "failed writes with ENOSPC" "$NOSPACE" -eq "$FAILED"
	# A thousand more failures: not a line more.
	blk write $dev --ratio 1 --seed "$1" --from 20000 --count 1000 --batch 16 --report
	check "writes with ENOSPC" "$NOSPACE" -gt 900
	check "lines on low space" "$(lines 'nearly full')" -eq 1
	check "lines on a full device" "$(lines 'is full')" -eq 1
	log_since
	check "lines of device-mapper in all" "$(grep -c 'device-mapper' <<<"$LOG")" -eq 2
	wait_until 20 "the second event" told $((seen + 2))
	check "events" "$(events)" -eq $((seen + 2))
	blk verify $dev --ratio 1 --seed "$1" --count "$ROOM" --batch 16
}
create z 96M "$COLD" overcommit mem_limit 2M demote_age 0 discard_passdown off
fill_up 1
within 60 blkdiscard blkdiscard -f -o 0 -l $((24576 * BLOCK)) $dev
# Another time it is news again.
fill_up 2
check_sane z
remove z

# ---- discard passdown --------------------------------------------------------------------------

discards() { # sectors discarded on the cold device, as the block layer counts
	local numbers
	read -ra numbers <"$(sysfs "$COLD")/stat"
	echo "${numbers[13]}"
}
if [ "$(cat "$(sysfs "$COLD")/queue/discard_max_bytes")" = 0 ]; then
	note "the cold device has no discard: passdown is not tested"
	[ "$KIND" != uml-debug ] || fail "ubd without discard"
	exit 0
fi
create z 48M "$COLD" mem_limit 0 demote_age 0 discard_passdown off
blk write $dev --ratio 1 --batch 64 --count 6144
msg z demote all
msg z drain
used=$(($(stat z segments) - $(stat z segments_free)))
check "segments in use" $used -gt 96
within 60 blkdiscard blkdiscard -f -o 0 -l $((6144 * BLOCK)) $dev
free=$(stat z segments_free)
check "free segments" "$free" -ge "$used"
below=$(discards)
sleep 3
check "discards while off" "$(stat z segments_discarded)" -eq 0

# A busy device has better things to do. Blocks that hold nothing are read a hundred times faster than
# it takes to be busy, by 2048 a second; yet the machine may stand still, and the device be idle for a
# second: then once more, while there are segments that an idle one would discard.
busy=$T/busy
"$helpers/dmz-blk" zero $dev --count 6144 --batch 256 --passes 1000000 --until "$busy" >"$T/reader" &
reader=$!
background="$background $reader"
discarded() { stat z segments_discarded; }
reads_more() { local a; a=$(stat z reads); sleep 0.5; [ $(($(stat z reads) - a)) -gt 8192 ]; }
wait_until 60 "the device to be busy" reads_more
sleep 1.5 # a tick that began before
msg z set discard_passdown on
for _ in 1 2 3; do
	before=$(discarded)
	reads=$(stat z reads)
	sleep 3
	reads=$((($(stat z reads) - reads) / 3))
	some=$(($(discarded) - before))
	note "$some segments discarded in 3 s with $reads reads a second"
	# There must be those left that would have been discarded.
	if [ "$some" -le 16 ] || [ $((used - $(discarded))) -le 48 ]; then break; fi
done
check "segments discarded in 3 s with $reads reads a second" "$some" -le 16
touch "$busy"
wait $reader || fail "reader: $(cat "$T/reader")"

# An idle one does 16 segments a second, at most.
start=$SECONDS before=$(discarded)
all_done() { [ "$(discarded)" -ge $((used - 8)) ]; }
wait_until 60 "all free segments to be discarded" all_done
took=$((SECONDS - start + 1)) some=$(($(discarded) - before))
note "$some segments discarded in $took s"
check "segments discarded while idle" "$some" -gt 32
check "segments discarded in $took s" "$some" -le $((16 * (took + 1)))
# Both counters are the same once all is done.
agree() { snap z && [ $(($(discards) - below)) = $((S[segments_discarded] * 512)) ]; }
wait_until 20 "as many sectors to be discarded below as STATUS says" agree
no_more() { local a; a=$(discarded); sleep 2; [ "$(discarded)" = "$a" ]; }
wait_until 20 "the last free segments to be discarded" no_more
agree || fail "$(($(discards) - below)) sectors discarded below, ${S[segments_discarded]} segments by STATUS"
check "segments discarded" "${S[segments_discarded]}" -le "$free"
check "free segments afterwards" "${S[segments_free]}" -eq "$free"
# And they are as good as new.
blk write $dev --ratio 1 --seed 3 --batch 64 --count 6144
msg z demote all
msg z drain
blk verify $dev --ratio 1 --seed 3 --batch 64 --count 6144
check_sane z
check "errors" $((S[cold_read_errors] + S[cold_write_errors])) -eq 0
remove z

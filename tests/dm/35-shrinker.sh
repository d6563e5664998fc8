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

# fill RATIO: a new z whose blocks are all in RAM. The kernel may want memory meanwhile: then again.
fill() {
	local try was alone=false
	for try in 1 2 3 4 5; do
		drop_caches
		create z "$size" "$COLD" mem_limit 0 demote_age 0
		was=$(reclaimed)
		blk write /dev/mapper/z --ratio "$1" --batch 64
		sleep 3
		snap z
		[ "$(reclaimed)" != "$was" ] || { alone=true; break; }
		note "reclaim was at work, with $(awk '/^MemFree/ { print $2 }' /proc/meminfo) KiB free"
		[ "$try" = 5 ] || remove z
	done
	$alone || fail "this guest is too small: reclaim is always at work"
	check "demotions with demote_age 0 and no pressure" $((S[demotions] + S[spills])) -eq 0
	check "blocks in RAM" "${S[hot_blocks]}" -eq $blocks
}

# age_out: with 7 s a block that nobody touches is gone after two rotations of the clock hand, and
# one that is read all the time is not. Few are: a busy device is left alone. SLOWEST: the longest
# time, ms, from one read of these to the next.
hot=24
few_hot() { snap z && [ "${S[hot_blocks]}" -le $((blocks / 8)) ]; }
age_out() {
	local reader
	rm -f "$T/stop"
	"$helpers/dmz-blk" verify /dev/mapper/z --count $hot --pause 250 --passes 100000 --until "$T/stop" >"$T/reader" &
	reader=$!
	background="$background $reader"
	msg z set demote_age 7
	wait_until 45 "blocks to leave RAM with demote_age 7" few_hot
	: >"$T/stop"
	wait $reader || fail "the blocks in use: $(cat "$T/reader")"
	SLOWEST=$(sed 's/.*slowest_ms=//' "$T/reader")
	snap z
	note "aged: hot=${S[hot_blocks]} cold=${S[cold_blocks]} demotions=${S[demotions]} cold_reads=${S[cold_reads]};" \
		"blocks in use were read every $SLOWEST ms at worst"
	check "blocks demoted by age" "${S[demotions]}" -ge $((blocks * 3 / 4))
}

# Age. With demote_age 0 nothing moves by itself. On a machine that stands still for seconds, nothing
# is in use: another time.
for try in 1 2 3; do
	fill 3
	age_out
	blk verify /dev/mapper/z --batch 64
	cold_reads=${S[cold_reads]}
	remove z
	[ "$SLOWEST" -ge 4000 ] || break
done
[ "$SLOWEST" -ge 4000 ] || check "cold reads of blocks in use" "$cold_reads" -le $((hot / 4))

# Pressure. A pool without a limit in a machine whose memory somebody else takes.
fill 2
before=${S[pool_bytes]}
leave=4 # MiB, less than the kernel wants to keep free
in_background "$helpers/dmz-mem" hog "$leave" "$T/ready"
wait_until 90 "the hog to take all memory" test -e "$T/ready"
# How much reclaim wants is up to each kernel's marks: with these, a good part of the pool.
min_free=$(cat /proc/sys/vm/min_free_kbytes)
echo 28672 >/proc/sys/vm/min_free_kbytes
pool_is_small() { snap z && [ "${S[pool_bytes]}" -lt $((before * 3 / 4)) ] && [ "${S[demotions]}" -gt $((blocks / 4)) ]; }
wait_until 60 "the pool to shrink to 3/4 of $before by demotion, under memory pressure" pool_is_small
echo "$min_free" >/proc/sys/vm/min_free_kbytes
snap z
note "under pressure: pool $((before >> 20)) -> $((S[pool_bytes] >> 20)) MiB, demotions=${S[demotions]} compactions=${S[compactions]}"
# The device works on, with the hog still there.
blk verify /dev/mapper/z --ratio 2 --batch 64
blk write /dev/mapper/z --ratio 1 --seed 2 --batch 64
blk verify /dev/mapper/z --ratio 1 --seed 2 --batch 64 --random
end_background
check_sane z
check "failed writes" "${S[write_fails]}" -eq 0
remove z

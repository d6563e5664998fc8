#!/bin/bash
# A cold device with seconds of latency, one that cannot be read, and one that is pulled out under
# load: no hang, no wrong data, writes go on, removal takes a bounded time.
# vm: uml-debug qemu-6.12
# mem: 256M
# cold: none
# cpus: 2
# kmemleak: yes
# timeout: 240
COLD=none
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

load_nth
ram_disk 40
dev=/dev/mapper/z
size=24M
blocks=$(($(bytes $size) / BLOCK))

# start COLD-SIZE ARG...: z over nth over the RAM disk
start() {
	dmsetup create nth --table "0 $(($(bytes "$1") / 512)) nth $COLD 0"
	shift
	[ -e /dev/mapper/nth ] || dmsetup mknodes nth
	create z $size /dev/mapper/nth demote_age 0 discard_passdown off "$@"
}
finish() {
	remove z
	dmsetup remove nth
}
arm() { dmsetup message nth 0 arm "$@"; }
disarm() { dmsetup message nth 0 disarm; }
pool_within() { [ "$(stat z pool_bytes)" -le "$1" ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# ---- seconds of latency ------------------------------------------------------------------------

note "each write takes 2 s"
start 40M mem_limit 2M
arm write 0 0 delay 2000
BLK_LIMIT=60 blk write $dev --ratio 3 --batch 64 --count $((blocks / 3))
arm read 0 0 delay 1000
# Blocks in RAM do not wait for those that are read: of the last ones, some are there.
hot=$(stat z hot_blocks)
check "blocks in RAM" "$hot" -gt 256
in_background "$helpers/dmz-blk" verify $dev --ratio 3 --count 64 --batch 64
reader=$!
t=$(now_ms)
BLK_LIMIT=20 blk write $dev --ratio 3 --from $((blocks - 64)) --count 64 --batch 64
BLK_LIMIT=20 blk verify $dev --ratio 3 --from $((blocks - 64)) --count 64 --batch 64
note "64 blocks written and read in RAM in $(($(now_ms) - t)) ms beside slow reads"
wait_until 30 "the slow reader" ended $reader
wait $reader || fail "slow reads went wrong"
disarm
blk verify $dev --ratio 3 --batch 64 --count $((blocks / 3))
check_sane z
check "failed I/Os" $((S[write_fails] + S[cold_write_errors] + S[cold_read_errors])) -eq 0

note "removal with slow writes under way"
arm write 0 0 delay 2000
blk write $dev --ratio 1 --from $((blocks / 2)) --count 200 --batch 64
t=$(now_ms)
within 30 "remove z" dmsetup remove z
note "removed in $(($(now_ms) - t)) ms"
check "milliseconds of the removal" $(($(now_ms) - t)) -lt $((15000 * patience))
dmsetup remove nth

# ---- reads fail, writes do not -----------------------------------------------------------------

# The cleaner cannot do anything then, and the log fills up.
note "a device that cannot be read"
start 13M mem_limit 1M overcommit
blk write $dev --ratio 3 --batch 4 --random
msg z demote all
arm read 0 0 fail
# Blocks of the last quarter are left in each segment.
seed=1
while pool_within $((2 << 20)); do
	seed=$((seed + 1))
	check "rounds of writing until RAM is what is left" "$seed" -lt 8
	BLK_LIMIT=30 blk write $dev --ratio 3 --seed $seed --batch 4 --random --count $((blocks * 3 / 4))
done
note "after $((seed - 1)) rounds $(stat z pool_bytes) bytes in RAM; $(stat z cold_read_errors) reads failed"
check "failed reads" "$(stat z cold_read_errors)" -gt 0
disarm
wait_until 60 "the pool to go back to its limit of 1 MiB" pool_within $((2 << 20))
msg z drain
blk verify $dev --ratio 3 --batch 64 --from $((blocks * 3 / 4))
blk verify $dev --ratio 3 --seed $seed --batch 64 --count $((blocks * 3 / 4))
check_sane z
check "failed writes" "${S[write_fails]}" -eq 0
check "segments cleaned" "${S[segments_cleaned]}" -gt 0
finish

# ---- pulled out under load ---------------------------------------------------------------------

# load, unload: readers and writers, and demotion, that may see any error but wrong data. What is
# written comes to RAM when the log cannot take it: the other half of the blocks stays cold.
load() {
	before=$(stat z cold_reads)
	in_background "$helpers/dmz-blk" write $dev --ratio 3 --count $((blocks / 2)) --batch 8 --random --passes 1000 --until "$T/stop" --report
	writer=$!
	in_background "$helpers/dmz-blk" verify $dev --ratio 3 --batch 4 --random --passes 1000 --until "$T/stop" --report
	reader=$!
	wait_until 30 "cold reads" reads_on
}
reads_on() { [ "$(stat z cold_reads)" -gt $((before + 100)) ]; }
both_fail() { snap z && [ "${S[cold_read_errors]}" -gt 0 ] && [ "${S[cold_write_errors]}" -gt 0 ]; }
# The cleaner's reads fail, too: all blocks are read by the reader, of which half are cold.
read_all() { [ "$(stat z reads)" -gt $((before + 2 * blocks)) ]; }
unload() {
	wait_until 30 "reads and writes to fail" both_fail
	before=${S[reads]}
	wait_until 60 "the reader to have seen all blocks" read_all
	touch "$T/stop"
	wait_until 30 "reader and writer to end" ended $reader
	wait_until 30 "the writer to end" ended $writer
	rm "$T/stop"
	wait $reader || true
	wait $writer || true
}

note "an I/O error from everything, under load"
start 40M mem_limit 2M
blk write $dev --ratio 3 --batch 64
load >"$T/out"
dmsetup reload nth --table "0 $(dmsetup table nth | cut -d' ' -f2) error"
within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs nth
within 30 "resume the device below" dmsetup resume nth
unload
[ "$(grep -c 'zero=0 wrong=0' "$T/out")" = 2 ] || fail "wrong data: $(cat "$T/out")"
grep -q 'failed=[1-9]' "$T/out" || fail "no read met the error: $(cat "$T/out")"
check "write errors" "$(stat z cold_write_errors)" -gt 0
check "failed writes" "$(stat z write_fails)" -eq 0
t=$(now_ms)
finish
note "removed in $(($(now_ms) - t)) ms"

note "a disk that is pulled out, under load"
null_disk 40
pulled=$NULL_DISK
create z $size "$pulled" demote_age 0 mem_limit 2M
blk write $dev --ratio 3 --batch 64
load >"$T/out"
within 30 "pulling the disk" bash -c "echo 0 >$NULL_CONFIG/power"
unload
[ "$(grep -c 'zero=0 wrong=0' "$T/out")" = 2 ] || fail "wrong data: $(cat "$T/out")"
grep -q 'failed=[1-9]' "$T/out" || fail "no read met the error: $(cat "$T/out")"
check "write errors" "$(stat z cold_write_errors)" -gt 0
check "failed writes" "$(stat z write_fails)" -eq 0
# What RAM has can still be written and read.
blk write $dev --ratio 3 --seed 5 --count 256
blk verify $dev --ratio 3 --seed 5 --count 256
remove z
rmdir "$NULL_CONFIG"

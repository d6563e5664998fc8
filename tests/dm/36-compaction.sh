#!/bin/bash
# Compaction: how much it gives back and what it leaves, and that it keeps out of the way of I/O.
# vm: uml-debug qemu-6.12
# mem: 512M
# cpus: 2
# timeout: 180
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=48M
blocks=$(($(bytes "$size") / BLOCK))

# fragment: fill the device and discard a random half.
fragment() {
	blk write /dev/mapper/z --ratio 3 --batch 64
	within 60 "fio randtrim" fio --name=half --filename=/dev/mapper/z --rw=randtrim --bs=4k \
		--io_size=$(($(bytes "$size") / 2)) --randseed="$1" --thread --output="$T/fio" ||
		fail "fio: $(cat "$T/fio")"
	within 60 verify "$helpers/dmz-blk" verify /dev/mapper/z --ratio 3 --batch 64 --report >"$T/verify"
	grep -q 'wrong=0 failed=0 ' "$T/verify" || fail "after discards: $(cat "$T/verify")"
	snap z
	check "blocks after discarding half" $((S[hot_blocks] + S[fill_blocks])) -lt $((blocks * 3 / 4))
}
percent() { snap z; echo $((S[pool_stored_bytes] * 100 / S[pool_bytes])); }

create z "$size" - algorithm zstd
fragment 1
before=$(percent)
msg z compact
after=$(percent)
snap z
note "efficiency: $before % before, $after % after; moved=${S[compact_moved]} freed=${S[compact_freed_pages]} pages"
check "percent of a fragmented pool that are data" "$before" -lt 75
check "percent after compaction" "$after" -ge 90
check "a second compaction frees pages" "$(msg z compact; echo $(($(stat z compact_freed_pages) - S[compact_freed_pages])))" -le 16

# More slack: a third of the pool stays free, and no less.
msg z set compact_slack 33
fragment 2
msg z compact
some=$(percent)
check "percent with a third of slack" "$some" -le 68
check "percent with a third of slack" "$some" -ge 55
# None: all that whole zspages can give.
msg z set compact_slack 0
msg z compact
check "percent without slack" "$(percent)" -gt "$after"
dmsetup table z | grep -q ' compact_slack 0' || fail "the table does not show compact_slack 0"
msg z set compact_slack 2

# The holds that all this took, by debugfs.
file=$(echo /sys/kernel/debug/dm-zram/dm-*/allocator)
[ -r "$file" ] || fail "$file cannot be read"
grep -q '^class lock held by compaction: longest [1-9]' "$file" || fail "no holds: $(cat "$file")"
objects=$(awk '/^ *[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ / { n += $7 } END { print n }' "$file")
snap z
check "objects of all classes" "$objects" -le $((S[hot_blocks] + S[clean_blocks]))
check "objects of all classes" "$objects" -gt $((S[hot_blocks] / 2))
msg z reset_peak
grep -q '^class lock held by compaction: longest 0 ns' "$file" || fail "reset_peak forgets nothing"

# Reclaim asks, but the device is busy: later. The readers do little else than wait for it. Yet on a
# machine that is busy with something else they may stand still, and the device be idle: some tries.
load=${file%allocator}load
busy() { sleep 1; grep -q busy "$load"; }
is_compact() { [ "$(percent)" -ge 90 ]; }
for try in 1 2 3 4; do
	fragment $((try + 2))
	snap z
	freed=${S[compact_freed_pages]} was=$(reclaimed)
	in_background fio --name=busy --filename=/dev/mapper/z --rw=randread --bs=1M --direct=1 \
		--numjobs=2 --thread --time_based --runtime=600 --output="$T/fio"
	readers=$!
	wait_until 60 "the device to be busy" busy
	unasked=$(($(stat z compact_freed_pages) - freed))
	[ "$(reclaimed)" != "$was" ] || check "pages freed before reclaim asks" $unasked -eq 0
	echo 2 >/proc/sys/vm/drop_caches
	sleep 1
	while_busy=$(($(stat z compact_freed_pages) - freed))
	end_background
	wait $readers || true
	# What was put off is done once the device is idle, to the end.
	wait_until 60 "the pool to be compact" is_compact
	after=$(($(stat z compact_freed_pages) - freed))
	note "pages freed: $while_busy of $after while busy"
	# On the debug kernel a reader gets so little done in the target that the device looks idle now
	# and then.
	if $DEBUG || [ $((while_busy * 2)) -lt "$after" ]; then break; fi
done
$DEBUG || check "pages freed while the device was busy, twice" $((while_busy * 2)) -lt "$after"

within 60 verify "$helpers/dmz-blk" verify /dev/mapper/z --ratio 3 --batch 64 --report >"$T/verify"
grep -q 'wrong=0 failed=0 ' "$T/verify" || fail "at the end: $(cat "$T/verify")"
check_sane z
remove z
[ ! -e "$file" ] || fail "$file is still there"

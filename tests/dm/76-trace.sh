#!/bin/bash
# The tracepoints: each event is made to happen, is seen as often as the status counts it, and its
# fields add up to the status numbers. One that is off says nothing.
# vm: uml qemu-6.12
# mem: 384M
# cold: 96M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
size=24M
blocks=$((24 << 8))
segment=$((256 << 10))
sectors=$((12 << 11)) # a third more than the data compressed: the cleaner has to work
trace=/sys/kernel/tracing
[ -d $trace/events ] || mount -t tracefs none $trace
[ -d $trace/events/dm_zram ] || fail "there is no trace/events/dm_zram"
check "events" "$(find $trace/events/dm_zram -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 9
echo 16384 >$trace/buffer_size_kb

dmsetup create under --table "0 $sectors linear $COLD 0"
[ -e /dev/mapper/under ] || dmsetup mknodes under
under() {
	dmsetup reload under --table "$1"
	within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs under
	within 30 "resume the device below" dmsetup resume under
}
number() { dmsetup info -c --noheadings -o major,minor --separator : "$1"; }

# Events and numbers can be compared only if nothing happens between the one and the other, and the
# cleaner works by itself. While the device is suspended nothing does.
still() {
	within 60 "suspend z" dmsetup suspend --nolockfs z
	"$@"
	within 60 "resume z" dmsetup resume z
}
# trace_on: from here on events are seen, and numbers grow from those in the array B.
trace_on() { still start_trace; }
start_trace() {
	local k
	snap z
	for k in "${!S[@]}"; do B[$k]=${S[$k]}; done
	echo >$trace/trace
	echo 1 >$trace/events/dm_zram/enable
}
# trace_off: what was seen, in $T/trace; one line an event, "name key value key value ...".
# Leaves S.
trace_off() {
	still stop_trace
	check "events lost" "$(cat $trace/per_cpu/cpu*/stats | awk '/^(overrun|dropped events):/ { n += $NF } END { print n + 0 }')" -eq 0
	sed -n 's/^.*: \(dzr_[a-z_]*\): /\1 /p' $trace/trace | tr '=' ' ' >"$T/trace"
}
stop_trace() {
	echo 0 >$trace/events/dm_zram/enable
	snap z
}
# seen EVENT [KEY VALUE]: how many there were. total EVENT KEY: the sum of a field; most: the largest.
seen() {
	awk -v e="$1" -v k="${2:-}" -v v="${3:-}" '$1 == e {
		ok = k == ""
		for (i = 2; i < NF; i += 2) if ($i == k && $(i + 1) == v) ok = 1
		n += ok } END { print n + 0 }' "$T/trace"
}
total() { awk -v e="$1" -v k="$2" '$1 == e { for (i = 2; i < NF; i += 2) if ($i == k) n += $(i + 1) } END { printf "%d\n", n }' "$T/trace"; }
most() { awk -v e="$1" -v k="$2" '$1 == e { for (i = 2; i < NF; i += 2) if ($i == k && $(i + 1) > m) m = $(i + 1) } END { printf "%d\n", m }' "$T/trace"; }

# grew FIELD: since trace_on.
declare -A B
grew() { echo $((S[$1] - B[$1])); }

# agree EVENT FIELD: as many events as the status counts, and some of them.
agree() {
	check "$1 events, and what $2 has grown by" "$(seen "$1")" -eq "$(grew "$2")"
	check "$1 events" "$(seen "$1")" -gt 0
}

note "compaction"
create z $size -
blk write $dev --ratio 3 --count 512 --batch 64
trace_on
for i in $(seq 0 2 510); do blkdiscard -f -o $((i * BLOCK)) -l $BLOCK $dev 2>/dev/null; done
msg z compact
trace_off
agree dzr_compact compactions
check "objects moved" "$(grew compact_moved)" -gt 0
check "objects moved by compaction" "$(total dzr_compact moved)" -eq "$(grew compact_moved)"
check "pages freed by compaction" "$(total dzr_compact freed)" -eq "$(grew compact_freed_pages)"
check "longest hold" "$(most dzr_compact max_hold_ns)" -gt 0
remove z

create z $size /dev/mapper/under segment_size $segment overcommit mem_limit 0 demote_age 0
note "demotion by message, segment writes"
blk write $dev --ratio 3 --batch 64
trace_on
msg z demote $((blocks / 2))
msg z drain
trace_off
agree dzr_demote demotions
check "demotions by message" "$(seen dzr_demote cause message)" -eq "$(seen dzr_demote)"
check "events of this device" "$(seen dzr_demote dev "$(number z)")" -eq "$(seen dzr_demote)"
check "bytes demoted" $(($(total dzr_demote len) + 16 * $(seen dzr_demote))) -le "$(grew cold_live_bytes)"
check "bytes demoted" $(($(total dzr_demote len) + 24 * $(seen dzr_demote))) -ge "$(grew cold_live_bytes)"
check "largest segment number" "$(most dzr_demote segment)" -lt "${S[segments]}"
check "largest block number" "$(most dzr_demote block)" -lt $blocks
check "largest age" "$(most dzr_demote age)" -le 7
agree dzr_segment_write segment_writes
check "bytes written" "$(total dzr_segment_write bytes)" -eq "$(grew cold_write_bytes)"
check "writes that failed" "$(seen dzr_segment_write status 0)" -eq "$(seen dzr_segment_write)"
check "longest write" "$(most dzr_segment_write latency_us)" -gt 0
check "faults, spills, promotions" $(($(seen dzr_fault) + $(seen dzr_spill) + $(seen dzr_promote))) -eq 0

note "cold reads, promotion, drops"
trace_on
for _ in 1 2 3; do blk verify $dev --ratio 3 --count 512 --batch 16; done
blk verify $dev --ratio 3 --from $((blocks - 512)) --count 512 --batch 16
snap z
promoted=$(grew promotions)
check "promotions" "$promoted" -gt 0
msg z demote all
trace_off
agree dzr_fault cold_reads
check "good faults" "$(seen dzr_fault error none)" -eq "$(seen dzr_fault)"
check "longest fault" "$(most dzr_fault latency_us)" -gt 0
agree dzr_promote promotions
check "clean promotions" "$(seen dzr_promote clean 1)" -gt 0
agree dzr_drop clean_drops
check "drops by message" "$(seen dzr_drop cause message)" -eq "$(seen dzr_drop)"
agree dzr_demote demotions

note "the limit, spills, cleaning"
trace_on
msg z set mem_limit 1M
blk write $dev --ratio 3 --seed 2 --batch 16 --random
blk write $dev --ratio 3 --seed 3 --batch 16 --random
msg z drain
trace_off
agree dzr_spill spills
agree dzr_demote demotions
check "demotions for the limit" "$(seen dzr_demote cause limit)" -gt 0
check "segments cleaned" "$(seen dzr_clean end emptied)" -eq "$(grew segments_cleaned)"
check "segments cleaned" "$(grew segments_cleaned)" -gt 0
# An event comes at the end of a victim, and the cleaner may be halfway through one: an object here
# is never as short as 512 bytes.
apart=$(($(total dzr_clean moved) - $(grew blocks_cleaned)))
check "blocks moved by the cleaner, events and status apart" ${apart#-} -le $((segment / 512))
check "live bytes of victims" "$(total dzr_clean live_bytes)" -ge "$(total dzr_clean moved)"
check "bytes written" "$(total dzr_segment_write bytes)" -eq "$(grew cold_write_bytes)"

note "age and reclaim"
trace_on
squeeze() { echo 2 >/proc/sys/vm/drop_caches; snap z; [ "$(grew demotions)" -gt 0 ]; }
wait_until 60 "demotion for reclaim" squeeze
msg z set demote_age 1
blk write $dev --ratio 3 --seed 3 --count 128 --batch 16
aged() { grep -q 'dzr_demote:.* cause=age' $trace/trace; }
wait_until 60 "demotion by age" aged
msg z set demote_age 0
trace_off
agree dzr_demote demotions
check "blocks written ahead" "$(seen dzr_preclean)" -eq "$(grew preclean_blocks)"
check "demotions for reclaim" "$(seen dzr_demote cause pressure)" -gt 0
check "demotions by age" "$(seen dzr_demote cause age)" -gt 0

note "errors"
msg z set mem_limit 0
msg z demote all
msg z drain
trace_on
under "0 $sectors error"
blk verify $dev --ratio 3 --seed 3 --count 64 --batch 16 --report
check "reads that failed" "$FAILED" -eq 64
blk write $dev --ratio 3 --seed 4 --count 256 --batch 16
msg z demote all 2>/dev/null || true
msg z drain 2>/dev/null || true
under "0 $sectors linear $COLD 0"
works() { dmsetup message z 0 demote all 2>/dev/null && dmsetup message z 0 drain 2>/dev/null; }
wait_until 30 "a log that writes again" works
trace_off
# The cleaner's reads fail, too.
check "reads with an I/O error" $(($(seen dzr_fault error io) + $(seen dzr_clean end unread))) \
	-eq "$(grew cold_read_errors)"
check "faults with an I/O error" "$(seen dzr_fault error io)" -ge 64
agree dzr_segment_write segment_writes
failed=$(($(seen dzr_segment_write) - $(seen dzr_segment_write status 0)))
check "segment writes that failed" $failed -eq "$(grew cold_write_errors)"
check "segment writes that failed" $failed -gt 0
check "segment writes with EIO" "$(seen dzr_segment_write status -5)" -eq $failed

echo >$trace/trace
blk verify $dev --ratio 3 --seed 4 --count 256 --batch 16
! grep -q dzr_ $trace/trace || fail "events while off"
blk verify $dev --ratio 3 --seed 3 --from 256 --batch 64
remove z
dmsetup remove under

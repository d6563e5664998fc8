#!/bin/bash
# Mixed fio load with crc32c over a device whose RAM is a tenth of the data, and whose log is too
# small to be filled once: everything that moves data must have happened, and no block be wrong.
# vm: uml-debug qemu-6.1 qemu-6.12
# mem: 512M
# cold: 256M
# cpus: 2
# timeout: 240
# packages: fio
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 256M 64M)
limit=$(by_kind 25M 6M)
# Data compresses to about 0.42: a log of 36 % of the device must be cleaned all the time.
log=$(($(bytes "$size") * 36 / 100 + (2 << 20)))
dmsetup create log --table "0 $((log / 512)) linear $COLD 0"
[ -e /dev/mapper/log ] || dmsetup mknodes log
create z "$size" /dev/mapper/log overcommit mem_limit "$limit" segment_size 128K

run_fio() { # run_fio SECONDS ARG...
	local limit=$1 rc=0
	shift
	within "$limit" fio fio --filename=/dev/mapper/z --thread --direct=1 --ioengine=libaio \
		--iodepth=32 --verify=crc32c --verify_interval=4k --verify_fatal=1 --verify_state_save=0 --exitall_on_error=1 \
		--buffer_compress_percentage=60 --buffer_compress_chunk=4k --refill_buffers=1 \
		--bssplit=4k/50:8k/10:16k/10:64k/10:256k/10:1m/10 --group_reporting "$@" >"$T/fio" 2>&1 || rc=$?
	if [ $rc != 0 ] || grep -Eq 'verify: bad|err= *[1-9]|error=' "$T/fio"; then
		tail -n 40 "$T/fio" >&2
		fail "fio ended with $rc: $*"
	fi
}

# Something to discard, and to be overwritten. It does not fit into RAM.
blk write /dev/mapper/z --ratio 3 --batch 64
has_moved() { snap z; [ "${S[demotions]}" -gt 0 ] && [ "${S[segment_writes]}" -gt 0 ]; }
wait_until 30 "blocks to be demoted, and segments to be written" has_moved

# The parts of the device that the jobs work on: full MiB, so that no block is left out.
part=$(($(bytes "$size") / 5 >> 20 << 20))

# Each job verifies what it wrote; every loop writes its whole part anew. A fifth job discards.
run_fio 200 --size=$part --loops=2 \
	--name=random1 --rw=randwrite --offset=0 \
	--name=random2 --rw=randrw --offset=$part --rwmixread=30 \
	--name=sequential1 --rw=write --offset=$((2 * part)) \
	--name=sequential2 --rw=write --offset=$((3 * part)) --bssplit=4k/60:128k/40 \
	--name=discard --rw=randtrim --offset=$((4 * part)) --verify=0 --bssplit=4k/50:64k/50
snap z
note "after the mixture: demotions=${S[demotions]} spills=${S[spills]} cleaned=${S[segments_cleaned]}" \
	"cold_reads=${S[cold_reads]} promotions=${S[promotions]} free segments=${S[segments_free]}/${S[segments]}"
check "cold reads" "${S[cold_reads]}" -gt 0
check "discarded blocks" "${S[discards]}" -gt 0
check "failed writes" "${S[write_fails]}" -eq 0

# Everything cold, then a small part of it read over and over: it must come back to RAM.
msg z demote all
msg z drain
snap z
check "blocks in RAM after demote all" $((S[hot_blocks])) -eq 0
before=${S[promotions]}
for _ in 1 2 3; do run_fio 60 --name=hot --rw=randread --offset=0 --size=4m --bssplit=4k/100; done # one pass each
check "promotions after hot reads" "$(stat z promotions)" -gt "$before"

# Polled I/O (RWF_HIPRI): there is no queue to be polled here or below, and it must end all the same.
msg z demote all
run_fio 60 --name=polled --rw=randrw --offset=0 --size=4m --bssplit=4k/100 --ioengine=pvsync2 --iodepth=1 --hipri=1

# Random overwrites leave no segment of the full log untouched, and none empty.
run_fio 60 --name=scatter --rw=randwrite --offset=0 --size=$((2 * part)) --io_size=$((4 * part)) --norandommap --bssplit=4k/80:16k/20
snap z
note "after random overwrites: cleaned=${S[segments_cleaned]} blocks moved=${S[blocks_cleaned]}" \
	"free segments=${S[segments_free]}/${S[segments]}"
check "segments cleaned" "${S[segments_cleaned]}" -gt 0
check "live blocks moved by the cleaner" "${S[blocks_cleaned]}" -gt 0

# Holes in the pool, for compaction: overwrite and discard at random, then ask for it.
run_fio 60 --name=fill --rw=randwrite --offset=0 --size=$((part / 2)) --bssplit=4k/100
run_fio 60 --name=holes --rw=randtrim --offset=0 --size=$((part / 2)) --io_size=$((part / 4)) --verify=0 --bssplit=4k/100
msg z compact
snap z
check "compaction runs" "${S[compactions]}" -gt 0
check "objects moved by compaction" "${S[compact_moved]}" -gt 0
check "pages freed by compaction" "${S[compact_freed_pages]}" -gt 0

# What the first phase wrote must still be there, from wherever it is now.
run_fio 120 --name=again --rw=read --offset=$((2 * part)) --size=$((2 * part)) --bssplit=256k/100
check_sane z
check "errors of the cold device" $((S[cold_read_errors] + S[cold_write_errors])) -eq 0
check "failed writes" "${S[write_fails]}" -eq 0
check "promotions" "${S[promotions]}" -gt 0
remove z
remove log

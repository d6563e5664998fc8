#!/bin/bash
# Neighbours that leave RAM together are compressed as one: what is written is what is read, however
# members change, die, move, or are damaged; and neighbours of what is read come along while that
# pays.
# vm: uml-debug qemu-6.12
# mem: 320M
# cold: 48M
# cpus: 2
# timeout: 300
# packages: fio
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
size=$(by_kind 32M 12M)
blocks=$(($(bytes "$size") / BLOCK))
groups=$((blocks / 4))
still="mem_limit 0 demote_age 0"

# put [OPTION...], same [OPTION...]: data of which four neighbours have much in common.
put() { blk write $dev --ratio 103 "$@"; }
same() { blk verify $dev --ratio 103 "$@"; }

# out: everything is on the cold device.
out() { msg z demote all; msg z drain; }

# calm: what goes on behind the readers' backs has ended.
calm() {
	within 60 "suspend" dmsetup suspend z
	within 60 "resume" dmsetup resume z
}

# fresh COLD_ALGORITHM [ARG...]
fresh() {
	local algorithm=$1
	shift
	create z "$size" "$COLD" demote_age 0 "$@" cold_algorithm "$algorithm"
}

# ---- fewer bytes, one read ---------------------------------------------------------------------
fresh none mem_limit 0
put
out
plain=$(stat z cold_write_bytes)
check "groups without zstd" "$(stat z groups)" -eq 0
same
remove z
fresh zstd mem_limit 0
put
msg z demote all
same --batch 1 # the last ones from the buffers
check "reads from a buffer" "$(stat z buffer_reads)" -gt 0
out
snap z
check "blocks on the device" "${S[cold_blocks]}" -eq $blocks
check "blocks in groups" "${S[grouped_blocks]}" -ge $blocks
check "bytes written with groups, of those without, percent" $((S[cold_write_bytes] * 100 / plain)) -lt 50
note "bytes written: $plain, in groups ${S[cold_write_bytes]}; ${S[groups]} groups"
# All members that a bio wants come by one read of the device.
calm
snap z
reads=${S[group_reads]} cold_reads=${S[cold_reads]} bytes=${S[cold_read_bytes]}
same --batch 64
calm
snap z
check "reads of groups" $((S[group_reads] - reads)) -eq $groups
check "blocks read by them" $((S[cold_reads] - cold_reads)) -eq $blocks
check "bytes of a read of a group" $(((S[cold_read_bytes] - bytes) / groups)) -le 8192

# ---- neighbours come along while it pays ---------------------------------------------------------
out
calm
ahead=$(stat z readahead_blocks) hits=$(stat z readahead_hits)
same --batch 1 --count 64 --stride 4
calm
snap z
came=$((S[readahead_blocks] - ahead))
check "neighbours that came along" $came -eq 48
check "clean blocks" "${S[clean_blocks]}" -ge $came
cold_reads=${S[cold_reads]}
for i in 1 2 3; do same --batch 1 --from $i --count 61 --stride 4; done
snap z
check "of them, hits" $((S[readahead_hits] - hits)) -eq $came
check "cold reads for them" "${S[cold_reads]}" -eq "$cold_reads"
# One block of each group, and no more: soon only a test now and then.
out
calm
ahead=$(stat z readahead_blocks)
same --batch 1 --from 64 --count 1600 --stride 4
calm
snap z
check "neighbours of no use that came" $((S[readahead_blocks] - ahead)) -le $((3 * (60 + 400 / 16)))
check "hits without a reader" "${S[readahead_hits]}" -eq $((hits + came))
# None when the pool is where it starts to make room: they must not push others out. (An object may
# bring a zspage of up to four pages.)
out
msg z set mem_limit 1M
mark=$((960 << 10))
put --count 1024
has_room() { [ "$(stat z pool_bytes)" -le $mark ]; }
wait_until 30 "the pool to get below its mark" has_room
calm
ahead=$(stat z readahead_blocks)
same --batch 1 --from 1024 --count 500 --stride 4
calm
snap z
note "$((S[readahead_blocks] - ahead)) neighbours of 500 blocks, and a pool of $((S[pool_bytes] >> 10)) KiB"
check "the pool with neighbours" "${S[pool_bytes]}" -le $((mark + (16 << 10)))
msg z set mem_limit 0
same
check_sane z

# ---- turned off, and a new table ----------------------------------------------------------------
msg z set cold_algorithm none
[[ $(dmsetup table z) == *" cold_algorithm none" ]] || fail "table: $(dmsetup table z)"
n=$(stat z groups)
put --count 64 --seed 7
out
check "groups written after none" "$(stat z groups)" -eq "$n"
same --from 64
# shellcheck disable=SC2086 # words
reload z "$size" "$COLD" $still cold_algorithm zstd
[[ $(dmsetup table z) == *" cold_algorithm zstd" ]] || fail "table: $(dmsetup table z)"
same --count 64 --seed 7
put
out
check "groups written after zstd" "$(stat z groups)" -gt "$n"
same
remove z

# ---- damage -------------------------------------------------------------------------------------
fresh zstd mem_limit 0
put
out
# A byte of the first frame of the first segment: behind 1 MiB and the headers of segment, object,
# and group.
at=$(((1 << 20) + 64 + 16 + 24 + 100))
byte=$(od -An -tu1 -j $at -N 1 "$COLD")
# shellcheck disable=SC2059
printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$COLD" bs=1 seek=$at conv=notrunc,fsync status=none
drop_caches
same --batch 1 --report
check "blocks that cannot be read" "$FAILED" -eq 4
first=$FIRST_FAILED
check "the first of them, a multiple of" $((first % 4)) -eq 0
check "blocks that are right" "$GOOD" -eq $((blocks - 4))
check "damaged objects" "$(stat z cold_bad_objects)" -ge 4
put --from "$first" --count 2
same --from "$first" --count 4 --batch 1 --report
check "blocks that cannot be read, two of them written anew" "$FAILED" -eq 2
remove z

# ---- a mixture, written while it is demoted ------------------------------------------------------
fresh zstd mem_limit 1M segment_size 64K
for seed in 1 2; do
	"$helpers/dmz-blk" write $dev --ratio 0 --seed $seed --random --batch 1 >"$T/writer" &
	writer=$!
	while kill -0 $writer 2>/dev/null; do msg z demote all; done
	wait $writer || fail "the writer: $(cat "$T/writer")"
	msg z demote all
	blk verify $dev --ratio 0 --seed $seed --random --batch 4
done
# Members die one by one, by writes and discards.
blk write $dev --count 900 --ratio 0 --seed 4 --batch 1 --stride 9
for i in $(seq 0 29); do blkdiscard -o $(((i * 9 + 4) * BLOCK)) -l $BLOCK $dev; done
out
blk verify $dev --count 900 --ratio 0 --seed 4 --batch 1 --stride 9
blk zero $dev --from 4 --count 262 --batch 1 --stride 9
for i in 1 2 3 5 6 7 8; do
	blk verify $dev --from $i --count $((900 - i)) --ratio 0 --seed 2 --batch 1 --stride 9
done
check_sane z
check "groups" "${S[groups]}" -gt 0
remove z

# ---- fio verifies, with demotion and spills at once -----------------------------------------------
fresh zstd mem_limit 1M segment_size 64K
half=$(($(bytes "$size") / 2))
fio --filename=$dev --thread --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c \
	--verify_interval=4k --verify_fatal=1 --verify_state_save=0 --exitall_on_error=1 \
	--buffer_compress_percentage=70 --buffer_compress_chunk=512 --refill_buffers=1 \
	--bssplit=4k/60:16k/30:64k/10 --size=$half \
	--name=random --rw=randwrite --name=mixed --rw=randrw --offset=$half \
	>"$T/fio" 2>&1 &
fio=$!
while kill -0 $fio 2>/dev/null; do msg z demote all; done
wait $fio || fail "fio ended with $?: $(tail -n 30 "$T/fio")"
check_sane z
check "groups" "${S[groups]}" -gt 0
check "reads of groups" "${S[group_reads]}" -gt 0
remove z

# ---- the cleaner -------------------------------------------------------------------------------
# A log with little room, and members that die: what is left of
# groups is moved, or taken apart when it is little. The data is always right, and there is always
# room.
small=$((blocks / 2))
segments=$((plain / 2 / 65536 + 12))
dmsetup create tight --table "0 $(((1 << 11) + segments * 128)) linear $COLD 0"
dmsetup mknodes tight
create z $((small * BLOCK)) /dev/mapper/tight mem_limit 0 demote_age 0 segment_size 64K overcommit \
	cold_algorithm zstd
half=$((small / 2))
put --count $half
blk write $dev --ratio 3 --from $half
out
for round in $(seq 10); do
	# One of each second group; three of each third.
	put --batch 1 --from $((round % 8)) --count $((half - 8)) --stride 8
	blk write $dev --ratio 3 --batch 1 --from $((half + round % 8)) --count $((half - 8)) --stride 8
	out
	put --batch 3 --from $((round % 3 * 4)) --count $((half - 8)) --stride 4
	blk write $dev --ratio 3 --batch 3 --from $((half + round % 3 * 4)) --count $((half - 8)) --stride 4
	out
	same --count $half
	blk verify $dev --ratio 3 --from $half
done
snap z
note "$segments segments, ${S[segments_free]} free; ${S[segments_cleaned]} cleaned," \
	"${S[blocks_cleaned]} blocks moved, ${S[groups_split]} groups taken apart"
check "segments cleaned" "${S[segments_cleaned]}" -gt 0
check "blocks moved" "${S[blocks_cleaned]}" -gt 0
check "groups taken apart" "${S[groups_split]}" -gt 0
check_sane z
blkdiscard $dev
out
all_free() { [ "$(stat z segments_free)" = $segments ]; }
wait_until 30 "an empty log" all_free
check "bytes that are live in an empty log" "$(stat z cold_live_bytes)" -eq 0
remove z
dmsetup remove tight

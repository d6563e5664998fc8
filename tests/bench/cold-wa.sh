#!/bin/bash
# Write amplification of the cold log, measured with the module and compared with the simulation of
# tests/unit/wa for a log of the same size, as full, with objects of the same size.
#
#   scripts/vm uml --mem 512M --cold 257M --timeout 900 -- tests/bench/cold-wa.sh
#
# 4080 segments of 64 KiB are filled to 80 % with blocks of 3:1, and the blocks overwritten by fio:
# all as often, or 80 % of the writes to 20 % of them. There is next to no room in RAM, so what is
# written goes to the log. Counted are the bytes that the device wrote, by the bytes of objects that
# users appended (demotions and spills). The rows of JSON are in build/bench/cold-wa.json.
# vm: uml
# mem: 512M
# cold: 257M
mkdir -p "$(dirname "$0")/../../build/bench/rows"
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

WARM_UP=${DMZ_WARM_UP:-6} # times that what is live is overwritten before it is measured
ROUNDS=${DMZ_ROUNDS:-3}
LIVE=80
RESERVE=6 # segments that only the cleaner may take: DZR_CLEANER_SEGS
SEGMENT=65536
HEADER=64

json=$top/build/bench/cold-wa.json
wa=$top/build/unit/wa
make -s -C "$top/tests/unit" OUT="$top/build/unit" "$wa"

# fio_write FROM BLOCKS TIMES [OPTION...]
fio_write() {
	local from=$1 blocks=$2 times=$3
	shift 3
	fio --name=w --filename="$DEV" --direct=1 --bs=4k --ioengine=libaio --iodepth=128 \
		--iodepth_batch_submit=64 --iodepth_batch_complete_min=32 --offset=$((from * 4096)) \
		--size=$((blocks * 4096)) --io_size=$((blocks * times * 4096)) --refill_buffers \
		--buffer_compress_percentage=67 --buffer_compress_chunk=4096 --randrepeat=0 \
		--thread --minimal "$@" >/dev/null
}

appended() { echo $(($(status demotions) + $(status spills))); }
object() { # bytes that an object takes in the log
	echo $(($(status cold_live_bytes) / ($(status cold_blocks) + $(status clean_blocks))))
}

# measure PATTERN OPTION...: as tests/unit/wa calls it, and how fio makes it
measure() {
	local pattern=$1 segments blocks size user written wa_now wa_all=0 least=999 most=0 live sim words
	shift
	up ours $((1 << 30)) "$COLD" overcommit mem_limit 1M segment_size 64K demote_age 0
	segments=$(status segments)
	fio_write 0 8192 1 --rw=write
	dmsetup message z 0 drain
	size=$(object)
	blocks=$(((segments - RESERVE) * (SEGMENT - HEADER) * LIVE / 100 / size))
	fio_write 8192 $((blocks - 8192)) 1 --rw=write
	for ((round = 0; round < WARM_UP; round++)); do fio_write 0 "$blocks" 1 "$@"; done
	for ((round = WARM_UP; round < WARM_UP + ROUNDS; round++)); do
		user=$(appended) written=$(status cold_write_bytes)
		fio_write 0 "$blocks" 1 "$@"
		user=$((($(appended) - user) * $(object))) written=$(($(status cold_write_bytes) - written))
		wa_now=$(awk "BEGIN { printf \"%.4f\", $written / $user }")
		echo "$bench: $pattern: $((user >> 20)) MiB appended, $((written >> 20)) MiB written: $wa_now"
		wa_all=$(awk "BEGIN { printf \"%.4f\", $wa_all + $wa_now / $ROUNDS }")
		least=$(awk "BEGIN { print ($wa_now < $least) ? $wa_now : $least }")
		most=$(awk "BEGIN { print ($wa_now > $most) ? $wa_now : $most }")
	done
	live=$(awk "BEGIN { printf \"%.3f\", 100 * $(status cold_live_bytes) / (($segments - $RESERVE) * ($SEGMENT - $HEADER)) }")
	size=$(object)
	down ours
	words=$("$wa" /dev/null $SEGMENT "$segments" "$live" $((size / 8 * 8)) "$pattern")
	echo "$words"
	sim=$(awk 'END { sub(/.*%/, ""); print $1 }' <<<"$words")
	awk -v p="$pattern" -v o="$wa_all" -v s="$sim" -v l="$live" \
		'BEGIN { printf "%s at %s %% live: module %.3f, simulation %.3f, ratio %.3f\n", p, l, o, s, o / s }'
	printf '%s\n  {"bench": "cold-wa", "metric": "%s, %s %% live, %s segments of 64K, one size", "unit": "bytes written by bytes appended", "ours": %s, "peer": "simulation", "peer_value": %s, "ratio": %s, "rounds": %s, "spread": {"ours": [%s, %s], "peer": [%s, %s]}}' \
		"$comma" "$pattern" "$live" "$segments" "$wa_all" "$sim" "$(awk "BEGIN { printf \"%.4f\", $wa_all / $sim }")" \
		"$ROUNDS" "$least" "$most" "$sim" "$sim" >>"$json"
	comma=,
}

comma=
printf '[' >"$json"
measure uniform --rw=randwrite --norandommap
measure 80/20 --rw=randwrite --norandommap --random_distribution=zoned:80/20:20/80
printf '\n]\n' >>"$json"

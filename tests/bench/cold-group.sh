#!/bin/bash
# What cold_algorithm zstd saves, and what it costs, with data that nobody made up: the heap of a
# Python program, and programs and libraries of this system. Not part of a suite, since there is no
# peer: scripts/vm uml --mem 1G --cold 256M -- tests/bench/cold-group.sh [MIB]
#
# A line for each: bytes on the device, CPU time of demotion for a block, and what it costs to read
# blocks back one by one, one of each 16 KiB: bytes of the device, and busy CPU time of the guest.
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/../dm/lib.sh"

mib=${1:-48}
dev=/dev/mapper/z

heap() {
	python3 - "$mib" "$1" <<-'END'
		import json, random, sys
		limit = int(sys.argv[1]) << 20
		random.seed(1)
		words = dir(__builtins__)
		rows = [{"id": i, "name": random.choice(words) + str(random.randrange(10**6)),
		         "price": random.random() * 100, "tags": random.sample(words, 4),
		         "seen": [random.randrange(10**4) for _ in range(6)]} for i in range(60000)]
		text = [json.dumps(r) for r in rows[:20000]]
		index = {r["name"]: r for r in rows}
		left = limit
		with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as mem, open(sys.argv[2], "wb") as out:
		    for line in maps.readlines():
		        span, mode, _, _, inode = line.split()[:5]
		        if mode[:2] != "rw" or inode != "0" or "[v" in line:
		            continue
		        at, end = (int(x, 16) for x in span.split("-"))
		        while at < end and left > 0:
		            mem.seek(at)
		            n = min(end - at, left, 1 << 20)
		            out.write(mem.read(n))
		            at += n
		            left -= n
	END
}

# find stops by SIGPIPE, and that is all right.
programs() { find /usr/bin /usr/lib -xdev -type f -size +64k 2>/dev/null | sort | xargs cat 2>/dev/null | head -c $((mib << 20)) >"$1" || true; }

# busy: CPU time of the guest so far that was not idle, in ms.
busy() { awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 10 }' /proc/stat; }

# measure WHAT FILE ALGORITHM COLD_ALGORITHM
measure() {
	local n cpu read_cpu TIMEFORMAT=%S
	n=$(($(stat -c %s "$2") / BLOCK))
	create z $((n * BLOCK)) "$COLD" mem_limit 0 demote_age 0 overcommit algorithm "$3" cold_algorithm "$4"
	dd if="$2" of=$dev bs=64K count=$((n * BLOCK)) iflag=count_bytes oflag=direct status=none
	cpu=$({ time dmsetup message z 0 demote all; } 2>&1)
	msg z drain
	snap z
	local left=$((S[demotions] + S[spills])) written=${S[cold_write_bytes]} in_groups=${S[grouped_blocks]}
	local reads=${S[cold_reads]} bytes=${S[cold_read_bytes]} greads=${S[group_reads]}
	read_cpu=$(busy)
	"$helpers/dmz-blk" verify $dev --batch 1 --stride 4 --random --report >/dev/null
	read_cpu=$(($(busy) - read_cpu))
	snap z
	reads=$((S[cold_reads] - reads)) bytes=$((S[cold_read_bytes] - bytes)) greads=$((S[group_reads] - greads))
	cmp -n $((n * BLOCK)) "$2" <(dd if=$dev bs=64K iflag=direct status=none) || fail "the data differs"
	awk -v what="$1" -v hot="$3" -v cold="$4" -v left=$left -v w="$written" -v g="$in_groups" \
		-v cpu="$cpu" -v r=$reads -v b=$bytes -v rc=$read_cpu -v gr=$greads 'BEGIN {
		printf "%-9s %-8s %-5s %6d blocks, %3d %% in groups: %7.1f bytes a block, %5.1f us; read back: %6.0f bytes, %5.1f us, %3d %% groups\n",
			what, hot, cold, left, g * 100 / left, w / left, cpu * 1e6 / left, b / r, rc * 1e3 / r, gr * 100 / r }'
	remove z
}

heap "$T/heap"
programs "$T/programs"
for algorithm in lz4 zstd; do
	for what in heap programs; do
		for cold in none zstd; do measure $what "$T/$what" $algorithm $cold; done
	done
done

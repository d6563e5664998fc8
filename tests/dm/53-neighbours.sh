#!/bin/bash
# Neighbours on the cold device that are wanted at the same time, by one large read or by many under
# one plug, come by few reads; what cannot be read, or is damaged, is an error of its own block.
# vm: uml-debug qemu-6.1
# mem: 320M
# cold: 96M
# cpus: 2
# timeout: 300
# packages: fio
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
size=$(by_kind 48M 24M)
blocks=$(($(bytes "$size") / BLOCK))
sectors=$(($(bytes 96M) / 512))
under=/dev/mapper/under

dmsetup create under --table "0 $sectors linear $COLD 0"
[ -e $under ] || dmsetup mknodes under
beneath() { # beneath LINE...: what the cold device is from now on
	printf '%s\n' "$@" >"$T/table"
	dmsetup reload under "$T/table"
	within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs under
	within 30 "resume the device below" dmsetup resume under
}
disk_reads() {
	local numbers
	read -ra numbers <"$(sysfs $under)/stat"
	echo "${numbers[0]}"
}

# plugged RW: reads of a block each, 64 under one plug, of every block once.
plugged() {
	within 120 fio fio --name=plug --filename=$dev --direct=1 --rw="$1" --bs=4k --size="$size" \
		--ioengine=libaio --iodepth=64 --iodepth_batch_submit=64 --iodepth_batch_complete_min=64 \
		--random_generator=lfsr --continue_on_error=io --output="$T/fio" || true
}

# counted COMMAND...: what it adds to the counters, in D, all blocks being cold at its beginning; the
# reads that the block layer saw in DISK.
declare -A D
counted() {
	local k disk
	local -A before
	msg z demote all
	msg z drain
	snap_at_rest z
	check "cold blocks" "${S[cold_blocks]}" -eq $blocks
	for k in "${!S[@]}"; do before[$k]=${S[$k]}; done
	disk=$(disk_reads)
	"$@"
	snap_at_rest z
	DISK=$(($(disk_reads) - disk))
	D=()
	for k in "${!S[@]}"; do D[$k]=$((S[$k] - before[$k])); done
	note "$algorithm, $1 ${*:2}: ${D[cold_reads]} blocks by ${D[cold_read_ios]} reads of $((D[cold_read_bytes] / D[cold_read_ios])) bytes"
	# (It does not count what an error target refuses.)
	[ "${D[cold_read_errors]}" -gt 0 ] ||
		check "reads, as the block layer counts" $DISK -eq "${D[cold_read_ios]}"
}
all() { blk verify $dev --ratio 3 "$@"; }
broken() { all --report "$@"; }
# read_once: no block but by a read of it; members of groups may come along with another.
read_once() { [ $algorithm = zstd ] || check "blocks read" "${D[cold_reads]}" -eq $blocks; }

for algorithm in none zstd; do
	create z "$size" $under mem_limit 0 demote_age 0 cold_algorithm $algorithm
	blk write $dev --ratio 3 --batch 64

	# One by one: nobody waits for others. (A large bio is done in parts of 64 KiB: helped_parts.)
	counted all --batch 1
	alone=${D[cold_read_bytes]}
	check "reads of one block" "${D[cold_read_ios]}" -ge $((blocks / 4))
	[ $algorithm = zstd ] || check "reads of one block" "${D[cold_read_ios]}" -eq $blocks

	counted all --batch 64
	check "blocks read" "${D[cold_reads]}" -eq $blocks
	check "blocks of a read, of the 16 of a part" $((blocks / D[cold_read_ios])) -ge 12
	[ $algorithm = zstd ] || check "bytes, of those that single reads take, percent" $((D[cold_read_bytes] * 100 / alone)) -le 75

	# Many reads of a block each, under a plug, in no order.
	counted plugged randread
	read_once
	check "reads that were saved" $((blocks - D[cold_read_ios])) -gt 0
	counted plugged read
	read_once
	check "blocks of a read, of 64 in order" $((blocks / D[cold_read_ios])) -ge 16

	# A bad spot of 4 KiB, in the middle of what is in use.
	bad=$(((sectors / 16) & ~7))
	beneath "0 $bad linear $COLD 0" "$bad 8 error" "$((bad + 8)) $((sectors - bad - 8)) linear $COLD $((bad + 8))"
	counted broken --batch 1
	errors=${D[cold_read_errors]}
	check "blocks that cannot be read" "$errors" -gt 0
	check "blocks that failed" "$FAILED" -ge "$errors"
	counted plugged read
	read_once
	check "blocks that cannot be read, neighbours at once" "${D[cold_read_errors]}" -eq "$errors"
	broken --batch 64
	check "wrong blocks" "$WRONG" -eq 0
	beneath "0 $sectors linear $COLD 0"
	counted all --batch 64

	# The same spot with something else in it.
	dd if=/dev/urandom of="$COLD" bs=512 seek=$bad count=8 conv=notrunc oflag=direct status=none
	counted broken --batch 1
	errors=${D[cold_bad_objects]}
	check "blocks that are damaged" "$errors" -gt 0
	counted plugged read
	read_once
	check "blocks that are damaged, neighbours at once" "${D[cold_bad_objects]}" -eq "$errors"
	broken --batch 64
	check "wrong blocks" "$WRONG" -eq 0
	remove z
done
dmsetup remove under

#!/bin/bash
# Writing back: what it costs to bring data at 3:1 from RAM to a disk of 10 000 I/Os and 200 MB a
# second, with zram's writeback beside it, and what it costs to read single blocks back.
# suite: cold
# vm: uml
# mem: 3G
# cold: none
# timeout: 3000
# modules: clock
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/null-disk.sh
. "$top/tests/null-disk.sh"
# shellcheck source=tests/bench/cold-peers.sh
. "$top/tests/bench/cold-peers.sh"

IOPS=10000 BYTES_A_SECOND=200000000 LATENCY_NS=100000
QUIET_MS=2500 # longer than a tick of the sweep
READS=4000
AGE=15 # seconds, the least that has all steps of age
size=${DMZ_SIZE:-1G}
BLOCKS=$(($(numfmt --from=iec "$size") / 4096))
LIMIT=$((BLOCKS * 64)) # bytes of RAM in the benches of that name
CPU_BLOCKS=$((BLOCKS < 65536 ? BLOCKS : 65536))
# More than a table without overcommit asks for.
DISK_MIB=$((BLOCKS * 26 / 25 / 256 + 64))

touch_memory
insmod "$DMZ_BENCH_KO/dzb-clock.ko"
modprobe dm-iops
modprobe brd rd_nr=1 rd_size=$(((CPU_BLOCKS * 26 / 25 / 256 + 64) << 10))

disk_up() {
	null_disk $DISK_MIB irqmode=2 completion_nsec=$LATENCY_NS blocksize=4096 submit_queues=2 hw_queue_depth=128
	dmsetup create cold --table "0 $(blockdev --getsz "$NULL_DISK") iops $NULL_DISK 0 $IOPS $BYTES_A_SECOND"
	[ -e /dev/mapper/cold ] || dmsetup mknodes cold
	DISK=/dev/mapper/cold
}

disk_down() {
	dmsetup remove --retry cold
	rmdir "$NULL_CONFIG"
	rmmod null_blk
}

# stat_of NODE: its numbers in sysfs.
stat_of() { printf '/sys/dev/block/%d:%d/stat' "0x$(stat -Lc %t "$1")" "0x$(stat -Lc %T "$1")"; }
# written: WRITES and BYTES of the disk so far.
written() {
	local numbers
	read -ra numbers <"$(stat_of "$DISK")"
	WRITES=${numbers[4]} BYTES=$((numbers[6] * 512))
}
per_block() { awk -v a="$1" -v n="$2" 'BEGIN { printf "%.6f", a / n }'; }

# begin: what the disk gets from here on is counted by costs().
begin() {
	written
	writes_before=$WRITES bytes_before=$BYTES
}
# watch, watched: times from here until the disk has come to rest; in SAID.
watch() {
	"$top/build/bench/dzb" watch "$(stat_of "$DISK")" $QUIET_MS 600 >/tmp/watched &
	watch_pid=$!
}
watched() {
	wait "$watch_pid"
	SAID=$(cat /tmp/watched)
}

# zram's trigger in user space: all is idle, and idle goes.
trigger() {
	echo all >/sys/block/zram0/idle
	echo type=idle >/sys/block/zram0/writeback
}

# left_ram SIDE: blocks that are on the disk now, and no longer in RAM, in LEFT.
left_ram() {
	local stat
	case $1 in
	ours) LEFT=$(($(status demotions) + $(status spills))) ;;
	peer)
		read -ra stat </sys/block/zram0/bd_stat
		LEFT=${stat[0]}
		;;
	zswap) LEFT=$((BLOCKS - $(cat /sys/kernel/debug/zswap/stored_pages))) ;;
	dm-cache) LEFT=$((BLOCKS - $(dmcache_dirty))) ;;
	esac
	[ "$LEFT" -le "$BLOCKS" ]
}

# costs SIDE WHAT BLOCKS: rows of what the disk got for each block, once it has got all.
costs() {
	local side=$1 what=$2 least=$(($3 * 9 / 10))
	# The last segment, partly filled, is part of it.
	[ "$side" != ours ] || dmsetup message z 0 drain
	written
	left_ram "$side"
	echo "$bench: round $round $side $what: $SAID left=$LEFT early=$EARLY writes=$((WRITES - writes_before))" \
		"bytes=$((BYTES - bytes_before))"
	if [ "$LEFT" -lt $least ]; then
		echo "$bench: only $LEFT blocks left RAM" >&2
		return 1
	fi
	row "${what}_bytes_block" bytes "$side" "$(per_block $((BYTES - bytes_before)) "$LEFT")"
	row "${what}_ios_block" I/Os "$side" "$(per_block $((WRITES - writes_before)) "$LEFT")"
}

# Everything is in RAM first, and goes when nothing is written any more: by age; by the trigger.
# What does not compress may have gone before: EARLY blocks.
writeback() { # SIDE BLOCKS
	local side=$1
	up "$side" $(($2 * 4096)) "$DISK" mem_limit 0 demote_age $AGE
	begin
	dzb fill "$DEV" "$2" "$round"
	left_ram "$side"
	EARLY=$LEFT
	watch
	if [ "$side" = peer ]; then
		sleep 0.2
		trigger
	fi
	watched
}

measure_writeback() {
	local side=$1
	disk_up
	writeback "$side" "$BLOCKS"
	costs "$side" writeback "$BLOCKS"
	row writeback_time_block ns "$side" "$(per_block "$(field busy_ns "$SAID")" $((LEFT - EARLY)))"
	cold_reads "$side"
	dzb verify "$DEV" "$BLOCKS" "$round" all
	down "$side"
	disk_down
}

# How many reads the disk has done.
disk_reads() { cut -d' ' -f1 < <(xargs <"$(stat_of "$DISK")"); }

cold_reads() {
	local side=$1 before blocks
	before=$(disk_reads)
	dzb reads "$DEV" "$BLOCKS" "$round" $READS all
	reads_rows cold "$side"
	if [ $(($(disk_reads) - before)) -lt $((READS * 99 / 100)) ]; then
		echo "$bench: only $(($(disk_reads) - before)) of $READS reads were cold" >&2
		return 1
	fi
	[ "$side" = ours ] || return 0
	# The disk alone, in the part of it that has been written.
	blocks=$(((BYTES - bytes_before) / 4096))
	dzb reads "$DISK" $blocks "$round" $((blocks < READS ? blocks : READS)) -
	reads_rows cold disk
}

reads_rows() { # WHAT SIDE
	row "$1_read_p50" ns "$2" "$(field p50_ns "$SAID")"
	row "$1_read_p99" ns "$2" "$(field p99_ns "$SAID")"
	echo "$bench: round $round $2 $1 reads: $SAID"
}

# What decompression takes: a block in RAM less a block of zeroes.
measure_decompression() {
	up ours $((CPU_BLOCKS * 4096))
	dzb fill "$DEV" "$CPU_BLOCKS" "$round"
	dzb reads "$DEV" "$CPU_BLOCKS" "$round" $READS all
	reads_rows ram ours
	dzb discard "$DEV" "$CPU_BLOCKS"
	dzb reads "$DEV" "$CPU_BLOCKS" "$round" $READS none
	reads_rows zero ours
	down ours
}

# More than RAM may hold, by one writer. zram has no such limit that would not fail the write.
measure_limit() {
	local side=$1
	EARLY=0
	disk_up
	case $side in
	zswap)
		limit_zswap
		disk_down
		return
		;;
	dm-cache) dmcache_up ;;
	*) up "$side" $((BLOCKS * 4096)) "$DISK" mem_limit $LIMIT demote_age 0 ;;
	esac
	begin
	watch
	dzb fill "$DEV" "$BLOCKS" "$round"
	[ "$side" != peer ] || trigger
	watched
	costs "$side" limit "$BLOCKS"
	row limit_time_block ns "$side" "$(per_block "$(field since_ns "$SAID")" "$LEFT")"
	dzb verify "$DEV" "$BLOCKS" "$round" all
	if [ "$side" = dm-cache ]; then
		dmcache_down
	else
		down "$side"
	fi
	disk_down
}

# The processors' time, on a disk that has next to none of its own and no limit.
measure_cpu() {
	local side=$1 cpu
	blkdiscard /dev/ram0
	# brd does not count; a linear device does.
	dmsetup create cheap --table "0 $(blockdev --getsz /dev/ram0) linear /dev/ram0 0"
	[ -e /dev/mapper/cheap ] || dmsetup mknodes cheap
	DISK=/dev/mapper/cheap
	writeback "$side" $CPU_BLOCKS
	left_ram "$side"
	cpu=$(($(field cpu_ns "$SAID") - $(field idle_ns "$SAID")))
	echo "$bench: round $round $side cpu: $SAID left=$LEFT"
	[ "$LEFT" -ge $((CPU_BLOCKS * 9 / 10)) ]
	row writeback_cpu_block ns "$side" "$(per_block $cpu $((LEFT - EARLY)))"
	dzb verify "$DEV" $CPU_BLOCKS "$round" all
	down "$side"
	dmsetup remove --retry cheap
}

measure() {
	measure_limit "$1"
	case $1 in
	ours | peer)
		measure_writeback "$1"
		measure_cpu "$1"
		;;
	esac
	[ "$1" != ours ] || measure_decompression
}

in_turn measure ours peer zswap dm-cache

# shellcheck shell=bash disable=SC2034,SC2154 # variables are of and for lib.sh, 70-cold.sh, 71-idle.sh, which source this
# What the benches of writing back share: the disk, the device over it, and what the disk got.
# shellcheck source=tests/null-disk.sh
. "$top/tests/null-disk.sh"

IOPS=10000 BYTES_A_SECOND=200000000 LATENCY_NS=100000
QUIET_MS=2500 # longer than a tick of the sweep
AGE=15 # seconds: a rotation of the sweep takes 5
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

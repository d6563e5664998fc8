# shellcheck shell=bash
# What the guests of the scenarios and of the pressure cases share: kinds of swap, and what is measured.
# Sourced, in a guest of scripts/vm, with $row (a name) and $result set: the file that gets the
# numbers, as they come, since the guest may not live to the end.
set -eu
: "${top:?}" "${row:?}" "${result:?}" "${COLD:?run me by tests/oom/run or tests/oom/pressure}"
helpers=$top/build/tests-dm
export DM_DISABLE_UDEV=1 LC_ALL=C

ram=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo) # MiB

say() { echo "$row: $*"; }
put() { echo "$1 $2" >>"$result"; }
: >"$result"
: >"$result.series"
# job COMMAND...: one that the OOM killer may take; all else here is spared.
echo -1000 >/proc/self/oom_score_adj
job() { choom -n 0 -- "$@"; }
# The guest goes away after the row, but what holds its console open must not outlive it.
background=""
end_background() { for p in $background; do kill -9 "$p" 2>/dev/null || true; done; }
trap end_background EXIT

# --- devices

disk() { # NAME FIRST-MIB MIB: a part of the disk
	dmsetup create "$1" --table "0 $(($3 << 11)) linear $COLD $(($2 << 11))"
	dmsetup mknodes "$1"
}
zram_up() { # MIB [BACKING]: a zram; its name in $zram
	[ -d /sys/class/zram-control ] || modprobe zram num_devices=0
	zram=zram$(cat /sys/class/zram-control/hot_add)
	echo lz4 >"/sys/block/$zram/comp_algorithm"
	[ -z "${2:-}" ] || echo "$2" >"/sys/block/$zram/backing_dev"
	echo "${1}M" >"/sys/block/$zram/disksize"
	[ -b "/dev/$zram" ] || mknod "/dev/$zram" b "$(cut -d: -f1 "/sys/block/$zram/dev")" "$(cut -d: -f2 "/sys/block/$zram/dev")"
}
# zram_writeback_up MIB: a zram with a backing device, and a loop in user space that uses it: what does
# not compress goes at once, the rest when it was idle for a while.
zram_writeback_up() {
	disk backing 0 "$1"
	zram_up "$1" /dev/mapper/backing
	local z=/sys/block/$zram
	[ ! -e "$z/compressed_writeback" ] || echo 1 >"$z/compressed_writeback" 2>/dev/null || true
	(
		while :; do
			echo huge >"$z/writeback" 2>/dev/null || true
			sleep 1
			echo all >"$z/idle"
			sleep 4
			echo idle >"$z/writeback" 2>/dev/null || true
		done
	) &
	background+=" $!"
}
cold_mib() { echo $(($1 * 105 / 100 + 24)); } # MIB: what is surely enough behind a dm-zram of that size
swap_on() { # DEVICE [PRIORITY]
	mkswap "$1" >/dev/null
	swapon ${2:+-p "$2"} --discard=pages "$1" 2>/dev/null || swapon ${2:+-p "$2"} "$1"
}

# --- what is measured

us() { echo "${EPOCHREALTIME/./}"; }
seconds() { awk -v a="$1" -v b="$(us)" 'BEGIN { printf "%.2f", (b - a) / 1e6 }'; }
psi() { sed -n "s/^full.*total=//p" "/proc/pressure/$1"; }
oom_kills() { awk '$1 == "oom_kill" { print $2 }' /proc/vmstat; }
disk_stat=$(printf '/sys/dev/block/%d:%d/stat' "0x$(stat -Lc %t "$COLD")" "0x$(stat -Lc %T "$COLD")")
disk_numbers() {
	local disk
	read -ra disk <"$disk_stat"
	reads=${disk[0]} read_sectors=${disk[2]} writes=${disk[4]} write_sectors=${disk[6]}
}
zram_targets() { dmsetup ls --target zram 2>/dev/null | sed '/^No devices/d; s/\t.*//'; }

# beat NAME [OPTION...]: a heartbeat; its numbers end in /run/beat.NAME, its process is in $beats. If it is the one of
# DMZ_TRACE_BEAT (fair), a trace of the scheduler, of reclaim and of dm-zram is kept in $result.trace at its first
# gap of more than DMZ_TRACE_GAP ms, and again at each that is longer still: at once, the guest may not live long.
beats=""
beat() {
	local name=$1 t=/sys/kernel/tracing e
	shift
	if [ -n "${DMZ_TRACE_GAP:-}" ] && [ "$name" = "${DMZ_TRACE_BEAT:-fair}" ]; then
		[ -e $t/trace ] || mount -t tracefs tracefs $t
		echo mono >$t/trace_clock
		echo 2048 >$t/buffer_size_kb
		for e in sched/sched_switch sched/sched_wakeup vmscan/mm_vmscan_direct_reclaim_begin vmscan/mm_vmscan_direct_reclaim_end \
			vmscan/mm_vmscan_write_folio vmscan/mm_shrink_slab_start vmscan/mm_shrink_slab_end block/block_rq_issue \
			block/block_rq_complete timer/hrtimer_expire_entry dm_zram; do
			echo 1 >$t/events/$e/enable 2>/dev/null || true
		done
		(
			while :; do
				while [ "$(cat $t/tracing_on)" = 1 ]; do sleep 0.5; done
				cat $t/trace >"$result.trace"
				echo >$t/trace
				echo 1 >$t/tracing_on
			done
		) &
		background+=" $!"
		set -- "$@" "$DMZ_TRACE_GAP" $t/tracing_on
	fi
	"$helpers/dmz-beat" "$@" >"/run/beat.$name" &
	beats+=" $name:$!"
	background+=" $!"
}

# begin_measure: when all devices are there; the time of it in $start. The mark in the kernel's log is what
# the times of kills count from.
begin_measure() {
	dm_zrams=$(zram_targets)
	sync
	put ram_mib "$ram"
	# shellcheck disable=SC2086 # names are words
	"$helpers/dmz-series" "$result.series" "$disk_stat" $dm_zrams &
	series=$!
	background+=" $series"
	beat fair -g 10
	beat rt -r -g 10
	disk_numbers
	r0=$reads rs0=$read_sectors w0=$writes ws0=$write_sectors
	psi_memory=$(psi memory) psi_io=$(psi io) kills=$(oom_kills)
	echo "dmz-oom: begin" >/dev/kmsg
	start=$(us)
}

# end_measure: all the numbers.
end_measure() {
	local words word b
	put wall_s "$(seconds "$start")"
	put psi_memory_full_us $(($(psi memory) - psi_memory))
	put psi_io_full_us $(($(psi io) - psi_io))
	disk_numbers
	put disk_reads $((reads - r0))
	put disk_read_bytes $(((read_sectors - rs0) * 512))
	put disk_writes $((writes - w0))
	put disk_write_bytes $(((write_sectors - ws0) * 512))
	for b in $beats; do
		kill "${b#*:}"
		wait "${b#*:}" || true
		read -ra words <"/run/beat.${b%:*}"
		for word in "${words[@]}"; do put "${b%:*}_${word%%=*}" "${word#*=}"; done
		sed -n 's/^gap //p' "/run/beat.${b%:*}" >"$result.gaps.${b%:*}"
	done
	put oom_kills $(($(oom_kills) - kills))
	kill "$series" 2>/dev/null || true
	wait "$series" || { say "dmz-series has failed"; exit 1; }
	put pool_peak_kib "$(awk '$2 > peak { peak = $2 } END { print peak + 0 }' "$result.series")"
}

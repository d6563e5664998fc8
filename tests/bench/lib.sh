# shellcheck shell=bash
# What the benches share. A bench sources this file; it runs as root in a guest of scripts/vm, and
# measures a dm-zram device ("ours") and a zram ("peer") in turn. tests/bench/run starts it.
#
#   ROUNDS                     how many; round is the number of the present one
#   in_turn FUNCTION [SIDE...] call it with ours and peer (or these) in each round; who begins changes
#   up SIDE SIZE [DISK [ARG...]], down SIDE   the device, its node in DEV; the codec is lz4
#   row METRIC UNIT SIDE VALUE write a result down
#   field NAME TEXT...         the number behind "NAME=" in what a program said
#   pool SIDE                  sets POOL and STORED: bytes of the pool, compressed bytes in it
#   touch_memory               so that the host's page faults do not come later
#   dzb VERB ...               the program, build/bench/dzb; its words in SAID
set -eu
export DM_DISABLE_UDEV=1 LC_ALL=C

bench=$(basename "$0" .sh)
bench=${bench#[0-9][0-9]-}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ROUNDS=${DMZ_ROUNDS:-5}
rows=${DMZ_ROWS:-$top/build/bench/rows.$bench}
round=0
: "${COLD:=}" # of scripts/vm

# shellcheck disable=SC2154
trap 'echo "$bench: line $LINENO: \"$BASH_COMMAND\" ended with $?" >&2' ERR
set -E

: >"$rows"
row() { echo "$bench $1 $2 $3 $round $4" >>"$rows"; }

field() {
	local name=$1 word
	shift
	# shellcheck disable=SC2048 # words of one text
	for word in $*; do
		case $word in "$name="*) echo "${word#*=}"; return ;; esac
	done
	echo "$bench: no $name in: $*" >&2
	return 1
}

in_turn() {
	local what=$1 i
	shift
	[ $# -gt 0 ] || set -- ours peer
	for ((round = 1; round <= ROUNDS; round++)); do
		for ((i = 0; i < $#; i++)); do
			"$what" "${@:(i + round - 1) % $# + 1:1}"
		done
	done
}

# shellcheck disable=SC2034 # DEV is for the benches
# up SIDE BYTES [DISK [ARG...]]: with a disk for what is cold; "-" is none. ARG is for ours only.
# zram writes compressed pages there, many at a time, and without a limit: its best settings.
up() {
	local side=$1 bytes=$2 cold=${3:--}
	shift $(($# < 3 ? $# : 3))
	if [ "$side" = ours ]; then
		dmsetup create z --table "0 $((bytes / 512)) zram $cold${*:+ $# $*}"
		[ -e /dev/mapper/z ] || dmsetup mknodes z
		DEV=/dev/mapper/z
	else
		modprobe zram num_devices=1
		echo lz4 >/sys/block/zram0/comp_algorithm
		if [ "$cold" != - ]; then
			echo "$cold" >/sys/block/zram0/backing_dev
			echo 1 >/sys/block/zram0/compressed_writeback
			echo 256 >/sys/block/zram0/writeback_batch_size
			echo 0 >/sys/block/zram0/writeback_limit_enable
		fi
		echo "$bytes" >/sys/block/zram0/disksize
		DEV=/dev/zram0
	fi
}

down() {
	local i
	# A program that only just ended may still have it open.
	for ((i = 0; i < 50; i++)); do
		case $1 in
		ours) ! dmsetup remove z 2>/dev/null || return 0 ;;
		peer) ! { echo 1 >/sys/block/zram0/reset; } 2>/dev/null || { rmmod zram && return 0; } ;;
		esac
		sleep 0.1
	done
	echo "$bench: the device is busy" >&2
	return 1
}

fields=""
# status NAME: a number of our STATUS line.
status() {
	local names values i
	[ -n "$fields" ] || fields=$(dmsetup message z 0 fields)
	read -ra names <<<"$fields"
	read -ra values <<<"$(dmsetup status z)"
	for i in "${!names[@]}"; do
		[ "${names[i]}" != "$1" ] || { echo "${values[i + 3]}"; return; }
	done
	echo "$bench: STATUS has no $1" >&2
	return 1
}

# shellcheck disable=SC2034 # for the benches
pool() {
	local stat
	if [ "$1" = ours ]; then
		POOL=$(status pool_bytes)
		STORED=$(status pool_stored_bytes)
	else
		read -ra stat </sys/block/zram0/mm_stat
		POOL=${stat[2]} STORED=${stat[1]}
	fi
}

# shellcheck disable=SC2034 # for the benches
dzb() { SAID=$("$top/build/bench/dzb" "$@"); }

drop_caches() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# Memory of a guest is memory of the host, which comes at the first touch, and takes time then: once,
# before anything is measured.
touch_memory() {
	"$top/build/bench/dzb" touch "$(awk '/^MemAvailable/ { print int($2 / 1024 * 9 / 10) }' /proc/meminfo)"
}

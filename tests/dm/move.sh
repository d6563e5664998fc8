# shellcheck shell=bash
# What the tests of moves between cold devices share. They source it behind lib.sh.
#
# cold_disk NAME OFFSET SECTORS      a part of $COLD as a disk of its own
# table_of NAME SECTORS [BAD]        it is larger or smaller now; from sector BAD on, it fails
# to NAME [ARG...]                   the blocks of z are to move there
# moved, wait_moved                  have they?
# is_busy NAME, is_free NAME         may somebody else have that disk?
# shellcheck disable=SC2034,SC2154 # dev is for the test, size is the test's

dev=/dev/mapper/z
args="mem_limit 4M segment_size 64K demote_age 0"
declare -A offset

cold_disk() {
	offset[$1]=$2
	dmsetup create "$1" --table "0 $3 linear $COLD $2"
	[ -e "/dev/mapper/$1" ] || dmsetup mknodes "$1"
}

table_of() {
	local bad=${3:-$2}
	{
		[ "$bad" = 0 ] || echo "0 $bad linear $COLD ${offset[$1]}"
		[ "$bad" = "$2" ] || echo "$bad $(($2 - bad)) error"
	} | dmsetup reload "$1"
	within 30 "suspend $1" dmsetup suspend --noflush --nolockfs "$1"
	within 30 "resume $1" dmsetup resume "$1"
}

moved() { [ "$(stat z cold_devices)" = 1 ]; }

wait_moved() {
	wait_until 120 "the end of the move" moved
	check "segments left" "$(stat z moving_segments)" -eq 0
}

to() {
	local disk=$1
	shift
	# shellcheck disable=SC2086
	reload z "$size" "/dev/mapper/$disk" $args "$@" || fail "cannot move to $disk"
}

make_fs() { within 60 mkfs mkfs.ext4 -q -F "/dev/mapper/$1" >"$T/mkfs" 2>&1; }

is_busy() {
	! make_fs "$1" || fail "$1 could be formatted while it was in use"
	grep -q "in use" "$T/mkfs" || fail "$1 is not in use: $(cat "$T/mkfs")"
}

is_free() {
	check "opens of $1" "$(dmsetup info -c --noheadings -o open "$1")" -eq 0
	make_fs "$1" || fail "$1 is not free: $(cat "$T/mkfs")"
}

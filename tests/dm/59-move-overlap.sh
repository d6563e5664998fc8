#!/bin/bash
# A table that is loaded while another one is about to take effect: device-mapper has taken that one
# off, and waits for the device to be suspended. What the second has made is for the log as it was:
# it is refused, if the first has given the log other segments, and can be loaded again. The data is
# right throughout.
# vm: uml-debug qemu-6.12
# mem: 256M
# cold: 256M
# cpus: 2
# kmemleak: yes
# timeout: 240
# packages: e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/dm/move.sh
. "$dm_dir/move.sh"

size=8M
blocks=$(($(bytes $size) / BLOCK))
part=$(($(bytes $size) * 5 / 4 / 512 + 8192)) # sectors of a cold device: enough
grown=$((part + 4096))
# Accounts of segments come in pieces of 2048. Of a and b, each needs one; c needs two.
segments_c=2100
large=$((2048 + segments_c * 128))
cold_disk a 0 $part
cold_disk b $grown $part
cold_disk c $((2 * grown)) $large
args="mem_limit 0 segment_size 64K demote_age 0" # nothing leaves RAM by itself
check "sectors of the disk" "$(blockdev --getsz "$COLD")" -ge $((2 * grown + large))

loaded() { dmsetup info -c --noheadings -o tables_loaded z; }
taken_off() { [ "$(loaded)" = Live ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }
# shellcheck disable=SC2086 # words
load() { # load DISK [ARG...]: a table for z
	local disk=$1
	shift
	dmsetup reload z --table "$(table $size "/dev/mapper/$disk" $args "$@")" || fail "cannot load a table for $disk"
}
# same: everything is what was written last, and read from the cold device. fresh: all is there but the
# last quarter, which is written anew.
seed=1
out() { msg z demote all; msg z drain; }
same() {
	out
	blk verify $dev --ratio 3 --batch 64 --count $((blocks * 3 / 4))
	blk verify $dev --ratio 3 --batch 64 --from $((blocks * 3 / 4)) --seed $seed
}
fresh() {
	out
	seed=$((seed + 1))
	blk write $dev --ratio 3 --batch 64 --from $((blocks * 3 / 4)) --seed $seed
}
# overlap LIVE FIRST SECOND: a table for FIRST is being resumed, and waits for segments that are being
# written to the live cold device; one for SECOND is loaded; then the first takes effect.
overlap() {
	local live=$1 first=$2 second=$3 job
	fresh
	within 30 "suspend $live" dmsetup suspend --noflush --nolockfs "$live"
	# Two segments and a bit; four can be on their way.
	msg z demote 100
	# shellcheck disable=SC2086 # words
	load $first
	check "tables" "$(loaded)" = Both
	in_background dmsetup resume z
	job=$!
	wait_until 30 "the first table to be taken off" taken_off
	# shellcheck disable=SC2086 # words
	load $second
	! ended $job || fail "the first table took effect before the second was loaded"
	within 30 "resume $live" dmsetup resume "$live"
	wait_until 60 "the first table to take effect" ended $job
	wait $job || fail "the first table did not take effect"
	check "tables" "$(loaded)" = Both
}
# refused: the second table does not take effect, and leaves all as it is.
refused() {
	log_mark
	! within 60 "resume z" dmsetup resume z 2>"$T/resume" || fail "a table took effect that was made for another log"
	want_log "The device has changed since this table was loaded: load it again"
	check "cold devices" "$(stat z cold_devices)" -eq 1
}
resumed() { within 60 "resume z" dmsetup resume z || fail "cannot resume z: $(dmesg | tail -n 1)"; }

# shellcheck disable=SC2086 # words
create z $size /dev/mapper/a $args
blk write $dev --ratio 3 --batch 64
out

note "to b, and meanwhile to a larger one"
overlap a b c
wait_moved
is_free a
same
refused
# As it was: to where it is, then to where it was to go.
to b
same
to c
wait_moved
is_free b
same
check "segments" "$(stat z segments)" -eq $segments_c
to a
wait_moved
is_free c

note "to b, and meanwhile to where it is, which has grown"
table_of a $grown
overlap a b a
wait_moved
same
refused
to b
is_free a
same
to a
wait_moved
is_free b
same
check "segments" "$(stat z segments)" -eq $(((grown - 2048) / 128))

note "it grows, and meanwhile to a larger one"
to b
wait_moved
table_of b $grown
overlap b b c
same
refused
load c
resumed
wait_moved
is_free b
same

note "nothing of the log changes, and meanwhile to another one"
overlap c "c policy fifo" b
resumed
wait_moved
is_free c
same
check_sane z
check "errors" $((S[write_fails] + S[cold_read_errors] + S[cold_bad_objects] + S[cold_write_errors])) -eq 0
remove z
is_free a
is_free b
is_free c

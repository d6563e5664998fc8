#!/bin/bash
# Wrong table lines and messages: each is refused with an error text of its own, leaves no device
# behind, opens nothing, and leaks nothing.
# vm: uml-debug qemu-6.1
# mem: 256M
# cold: 64M
# kmemleak: yes
# timeout: 400
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

n=0
sectors=65536 # 32 MiB, which COLD can back
cold_bytes=$(blockdev --getsize64 "$COLD")

# Nothing may hold the cold device, or have written to it.
untouched() {
	local numbers
	"$helpers/dmz-blk" excl "$COLD" || fail "$1: the cold device cannot be opened exclusively"
	read -ra numbers <"$cold_stat"
	check "$1: sectors written to the cold device" "${numbers[6]}" -eq "$written"
}
cold_stat=$(sysfs "$COLD")/stat

# make_dm NAME TABLE OPTION...
make_dm() {
	dmsetup create "$1" --table "$2" "${@:3}"
	[ -e "/dev/mapper/$1" ] || dmsetup mknodes "$1"
}

# bad_table REGEX TABLE...: `dmsetup create` with that table fails, and the kernel log says REGEX.
bad_table() {
	local want=$1
	shift
	n=$((n + 1))
	log_mark
	! dmsetup create bad --table "$*" >"$T/out" 2>&1 || fail "table \"$*\" was accepted"
	log_since
	[[ $LOG =~ zram:\ ($want) ]] || fail "table \"$*\": no \"$want\" in the kernel log, but: $LOG $(cat "$T/out")"
	[[ $LOG =~ zram:\ [^$'\n']* ]]
	texts+=("${BASH_REMATCH[0]}")
	[[ $(dmsetup info -c --noheadings -o name) != *bad* ]] || fail "table \"$*\": a device was left behind"
	untouched "table \"$*\""
}

all_bad_tables() {
	local t="0 $sectors zram"
	# the cold device
	bad_table 'Cold device is missing' "$t"
	bad_table '[Cc]old device' "$t /dev/no-such-device"
	bad_table '[Cc]old device' "$t /dev/null"
	bad_table '[Cc]old device' "$t /"
	bad_table '[Cc]old device' "$t /dev/mapper/empty" # no table: the kernel itself may refuse it
	bad_table 'Cold device has no size' "$t /dev/loop0"
	bad_table '[Cc]old device .*small' "$t /dev/mapper/small"
	bad_table '[Cc]old device .*small' "0 $(((cold_bytes / 512) & ~7)) zram $COLD"
	bad_table '[Cc]old device' "$t /dev/mapper/readonly"
	# the length
	bad_table 'Size is not a multiple of 4096 bytes' "0 $((sectors + 1)) zram $COLD"
	bad_table 'Size is not a multiple of 4096 bytes' "0 4 zram -"
	# the count
	bad_table 'Argument count is missing' "$t $COLD mem_limit 1M"
	bad_table 'Invalid argument count' "$t $COLD x mem_limit 1M"
	bad_table 'Invalid argument count' "$t $COLD -2 mem_limit 1M"
	bad_table 'Argument count is more than 32' "$t $COLD 33"
	bad_table 'Fewer arguments than the argument count says' "$t $COLD 3 mem_limit 1M"
	bad_table 'More arguments than the argument count says' "$t $COLD 1 mem_limit 1M"
	bad_table 'More arguments than the argument count says' "$t $COLD 0 overcommit"
	# the arguments
	bad_table 'Unknown argument' "$t $COLD 2 memory 1M"
	bad_table 'Unknown cold_algorithm' "$t $COLD 2 cold_algorithm lz4"
	bad_table 'Unknown argument' "$t $COLD 2 wear 1G"
	bad_table 'Unknown argument' "$t $COLD 2 MEM_LIMIT 1M"
	bad_table 'Unknown argument to mode' "$t $COLD 2 mode durable"
	bad_table 'Argument mem_limit is given twice' "$t $COLD 4 mem_limit 1M mem_limit 1M"
	bad_table 'Argument overcommit is given twice' "$t $COLD 2 overcommit overcommit"
	bad_table 'Argument algorithm has no value' "$t $COLD 4 overcommit mode volatile algorithm"
	bad_table 'Argument algorithm has no value' "$t $COLD 1 algorithm"
	bad_table 'mem_limit is neither a size nor a percentage' "$t $COLD 2 mem_limit much"
	bad_table 'mem_limit is neither a size nor a percentage' "$t $COLD 2 mem_limit -1M"
	bad_table 'mem_limit is neither a size nor a percentage' "$t $COLD 2 mem_limit 1MB"
	bad_table 'mem_limit is beyond 64 bits' "$t $COLD 2 mem_limit 99999999999999999999"
	bad_table 'mem_limit is beyond 64 bits' "$t $COLD 2 mem_limit 16777216T"
	bad_table 'mem_limit is not from 1% to 100%' "$t $COLD 2 mem_limit 101%"
	bad_table 'mem_limit is not from 1% to 100%' "$t $COLD 2 mem_limit 0%"
	bad_table 'Unknown algorithm' "$t $COLD 2 algorithm lz5"
	bad_table 'Unknown policy' "$t $COLD 2 policy random"
	bad_table 'segment_size is not a size' "$t $COLD 2 segment_size big"
	bad_table 'segment_size is not from 64K to 1M' "$t $COLD 2 segment_size 32K"
	bad_table 'segment_size is not from 64K to 1M' "$t $COLD 2 segment_size 2M"
	bad_table 'segment_size is not a power of two' "$t $COLD 2 segment_size 96K"
	bad_table 'segment_size is beyond 64 bits' "$t $COLD 2 segment_size 99999999T"
	bad_table 'reserve is not a size' "$t $COLD 2 reserve x"
	bad_table 'reserve is more than 1G' "$t $COLD 2 reserve 2G"
	bad_table 'demote_age is not a number of seconds' "$t $COLD 2 demote_age 5m"
	bad_table 'demote_age is more than 30 days' "$t $COLD 2 demote_age 2592001"
	bad_table 'compact_slack is not a number of percent' "$t - 2 compact_slack little"
	bad_table 'compact_slack is more than 50' "$t - 2 compact_slack 51"
	bad_table 'discard_passdown is neither on nor off' "$t $COLD 2 discard_passdown yes"
	bad_table 'wear_budget is not a size' "$t $COLD 2 wear_budget 1G/day"
	bad_table 'wear_budget is more than 1024T a day' "$t $COLD 2 wear_budget 2000T"
	# what needs a cold device
	bad_table 'Argument policy needs a cold device' "$t - 2 policy age"
	bad_table 'Argument overcommit needs a cold device' "$t - 1 overcommit"
	bad_table 'Argument segment_size needs a cold device' "$t - 2 segment_size 256K"
	bad_table 'Argument demote_age needs a cold device' "$t - 2 demote_age 7"
	bad_table 'Argument discard_passdown needs a cold device' "$t - 2 discard_passdown on"
	bad_table 'Argument wear_budget needs a cold device' "$t - 2 wear_budget 1G"
}

# ---- tables ----------------------------------------------------------------------------------

# Devices which are no good as a cold device. dmsetup makes the one without a table.
make_dm small "0 2048 error" # 1 MiB: no more than the header area
make_dm readonly "0 $((cold_bytes / 512)) error" --readonly
dmsetup create empty --notable
[ -e /dev/mapper/empty ] || dmsetup mknodes empty

modprobe loop 2>/dev/null || true
[ -b /dev/loop0 ] || mknod /dev/loop0 b 7 0
check "size of /dev/loop0" "$(blockdev --getsize64 /dev/loop0)" -eq 0

written=$(disk_sectors_written "$COLD")
texts=()
watch_over 180 $$ "wrong tables"
all_bad_tables
tables=$n
different=$(printf '%s\n' "${texts[@]}" | sort -u | wc -l)
note "$tables wrong tables, $different different texts"
check "wrong tables" "$tables" -ge 25
check "different error texts" "$different" -ge 25

# A second time: what leaks, leaks again, and again; what the kernel's caches grow by becomes less. The
# debug kernel keeps a record of each stack that it has seen: there kmemleak looks for what is lost.
end_watch
for try in 1 2 3; do
	! $DEBUG || break
	before=$(kernel_kib)
	watch_over 180 $$ "wrong tables again"
	all_bad_tables
	end_watch
	kept=$(($(kernel_kib) - before))
	note "try $try: $kept KiB of kernel memory kept"
	[ "$kept" -gt 400 ] || break
done
$DEBUG || check "KiB of kernel memory that $tables wrong tables keep" "$kept" -le 400

blockdev --setro "$COLD"
bad_table '[Cc]old device' "0 $sectors zram $COLD"
blockdev --setrw "$COLD"

# In use by a file system, or by another of our own kind.
mkfs.ext4 -q -F "$COLD"
mkdir "$T/mnt"
mount "$COLD" "$T/mnt"
untouched() { :; }
bad_table '[Cc]old device' "0 $sectors zram $COLD"
umount "$T/mnt"
create good $((sectors / 2))K "$COLD"
blk write /dev/mapper/good --count 1000 --ratio 1
log_mark
! dmsetup create bad --table "0 $sectors zram $COLD" 2>"$T/out" || fail "one cold device was accepted for two"
want_log 'zram: .*([Cc]old device|in use)'
! dmsetup info bad >/dev/null 2>&1 || fail "device bad was left behind"

# ---- a running device ------------------------------------------------------------------------

# bad_reload REGEX TABLE: refused at load or at resume; the device goes on as it was.
bad_reload() {
	n=$((n + 1))
	log_mark
	! within 30 "reload with \"$2\"" dmsetup reload good --table "$2" 2>"$T/out" ||
		fail "a running device took the table \"$2\""
	want_log "zram: .*($1)"
	check "table after refusing \"$2\"" "$(dmsetup table good)" = "$table"
	dmsetup clear good
}
table=$(dmsetup table good)
bad_reload '[Ii]tself|own|[Cc]old device' "0 $sectors zram /dev/mapper/good"
bad_reload 'The size of an active device cannot be reduced' "0 $((sectors / 2)) zram $COLD"
bad_reload '.' "0 $sectors zram -"
bad_reload 'segment_size of an active device cannot be changed' "0 $sectors zram $COLD 2 segment_size 512K"
bad_reload 'Cold device is too small' "0 $((2 * sectors)) zram $COLD"
bad_reload 'Unknown argument' "0 $sectors zram $COLD 2 speed 11"

# bad_message REGEX WORD...: refused, with that text in the answer or in the kernel log.
bad_message() {
	local want=$1
	shift
	n=$((n + 1))
	log_mark
	! within 30 "message $*" dmsetup message good 0 "$@" >"$T/out" 2>&1 || fail "message \"$*\" was accepted"
	log_since
	[[ $LOG =~ $want ]] || fail "message \"$*\": no \"$want\" in: $LOG $(cat "$T/out")"
	check "table after message \"$*\"" "$(dmsetup table good)" = "$table"
}
bad_message '[Uu]n(known|recogni[sz]ed) message' nonsense
bad_message '[Uu]n(known|recogni[sz]ed) message' Demote all
bad_message '.' demote
bad_message '.' demote 1 2
bad_message '.' demote some
bad_message '.' demote 1x
bad_message '.' demote 1%
bad_message '.' demote 99999999999999999999
bad_message '.' drain now
bad_message '.' compact 1
bad_message '.' reset_peak 0
bad_message '.' fields all
bad_message '.' latency all
bad_message '.' ages all
bad_message '.' set
bad_message '.' set mem_limit
bad_message '.' set mem_limit 1M 2M
bad_message 'Unknown key' set speed 11
bad_message 'Unknown algorithm' set algorithm lz5
bad_message 'reserve is more than 1G' set reserve 2G
bad_message 'Key cannot change while the device is active' set overcommit on
bad_message 'Key cannot change while the device is active' set segment_size 64K
bad_message 'mem_limit is neither a size nor a percentage' set mem_limit lots
bad_message 'mem_limit is not from 1% to 100%' set mem_limit 200%
bad_message 'mem_limit is beyond 64 bits' set mem_limit 99999999T
bad_message 'demote_age is not a number of seconds' set demote_age soon
bad_message 'demote_age is more than 30 days' set demote_age 99999999
bad_message 'compact_slack is more than 50' set compact_slack 100
bad_message 'discard_passdown is neither on nor off' set discard_passdown maybe
bad_message 'wear_budget is not a size' set wear_budget little

blk verify /dev/mapper/good --count 1000 --ratio 1
check_sane good
remove good
"$helpers/dmz-blk" excl "$COLD" || fail "the cold device cannot be opened exclusively after removal"
remove small
remove readonly
remove empty
note "$n wrong lines in all"

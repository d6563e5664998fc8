# shellcheck shell=bash
# What the guest tests share. A test sources this file; it runs as root in a guest of scripts/vm
# with the module loaded and COLD naming the cold device.
#
#   KIND          uml, uml-debug, qemu-6.1 or qemu-6.12
#   T             a directory in memory for the test's files
#   by_kind FAST SLOW   prints what suits the speed of the guest: FAST is for uml
#   DMZ_TIME_SCALE  from outside: factor of all limits of time, for a busy machine
#
# Devices:      create NAME SIZE COLD [ARG...], remove NAME, reload NAME SIZE COLD [ARG...],
#               msg NAME WORD..., stat NAME FIELD, snap NAME (all fields, in the array S)
#               hold NAME, release NAME: between them nothing moves by itself; snap_at_rest NAME
# Waiting:      within SECONDS WHAT COMMAND..., wait_until SECONDS WHAT COMMAND...
# Judging:      fail TEXT..., check WHAT GOT OP WANT, want_log REGEX, note TEXT...
# Programs:     blk VERB DEVICE [OPTION...], and GOOD, WRONG ... of its answer; $helpers/dmz-mem
set -eu
export DM_DISABLE_UDEV=1 LC_ALL=C

# shellcheck disable=SC2034 # for the tests
BLOCK=4096
patience=${DMZ_TIME_SCALE:-1}
test_name=$(basename "$0" .sh)
dm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
helpers=$(cd "$dm_dir/../.." && pwd)/build/tests-dm

find_kind() {
	case $(uname -r) in
	*-dmz-debug*) echo uml-debug ;;
	*-dmz*) echo uml ;;
	6.1.*) echo qemu-6.1 ;;
	6.12.*) echo qemu-6.12 ;;
	*) uname -r ;;
	esac
}
KIND=${DMZ_KIND:-$(find_kind)}
[ "$KIND" = uml-debug ] && DEBUG=true || DEBUG=false
export DEBUG

by_kind() {
	case $KIND in
	uml) echo "$1" ;;
	*) echo "$2" ;;
	esac
}

note() { echo "$test_name: $*"; }

fail() {
	trap - ERR
	echo "$test_name: FAILED: $*" >&2
	local d
	for d in $(zram_devices); do
		echo "status of $d:" >&2
		show "$d" >&2 || true
	done
	echo "the kernel log ends with:" >&2
	dmesg | tail -n 20 >&2
	exit 1
}
# shellcheck disable=SC2154
trap 'fail "line $LINENO: \"$BASH_COMMAND\" ended with $?"' ERR
set -E

# The guest goes away after the test, but what holds the console open must not survive it.
background=""
end_background() {
	local p
	for p in $background; do kill "$p" 2>/dev/null || true; done
}
trap end_background EXIT

# in_background PROGRAM [ARG...]: its process in $!, ended with the test. No function: it would
# leave a child behind.
in_background() {
	"$@" &
	background="$background $!"
}

if [ -w /dev/shm ] && [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
	T=$(mktemp -d "/dev/shm/$test_name.XXXXXX")
else
	T=$(mktemp -d)
fi

# Devices are made, suspended and removed all the time: none has to wait for a lazy grace period.
echo 1 >/sys/kernel/rcu_expedited

[ -d /sys/kernel/debug/tracing ] || mount -t debugfs none /sys/kernel/debug 2>/dev/null || true

# ---- waiting ---------------------------------------------------------------------------------

# within SECONDS WHAT COMMAND...: run it; the end of the test if it is not done in time, even if it
# cannot be killed. The status is the command's.
within() {
	local limit=$1 what=$2 job watch rc=0 # end_watch sees this watch
	shift 2
	"$@" &
	job=$!
	watch_over "$limit" $job "$what"
	wait $job || rc=$?
	end_watch
	return $rc
}

# watch_over SECONDS PID WHAT, end_watch: the same around several commands.
watch_over() {
	"$helpers/dmz-watch" $(($1 * patience)) $$ "$2" "$test_name: $3" &
	watch=$!
}
end_watch() {
	# Not SIGTERM: bash has a handler for it, and a child that has not yet called exec loses it.
	kill -9 "$watch" 2>/dev/null || true
	wait "$watch" 2>/dev/null || true
}

# wait_until SECONDS WHAT COMMAND...: try it again until it succeeds. Clocks go on while the guest, or
# this shell, stands still, so that what is waited for has not had that time: some tries are made
# whatever they say.
wait_until() {
	local what=$2 end=$((SECONDS + $1 * patience)) tries=0
	shift 2
	until "$@"; do
		tries=$((tries + 1))
		[ "$SECONDS" -lt "$end" ] || [ $tries -lt 20 ] || fail "waited in vain for: $what"
		sleep 0.2
	done
}

# ---- judging ---------------------------------------------------------------------------------

# check WHAT GOT OP WANT, with OP one of -eq -ne -lt -le -gt -ge = !=
check() {
	[ $# = 4 ] || fail "check $*: four words needed"
	test "$2" "$3" "$4" || fail "$1: got $2, expected $3 $4"
}

# zram_devices: the names of all that there are.
zram_devices() { dmsetup ls --target zram 2>/dev/null | sed '/^No devices/d; s/\t.*//'; }

# Marks in the kernel log, so that a test looks at what came after.
log_marks=0
log_mark() {
	log_marks=$((log_marks + 1))
	echo "dmz-test: $test_name: mark $log_marks." >/dev/kmsg
}
# log_since: what came after, in LOG.
log_since() {
	LOG=$(dmesg)
	LOG=${LOG##*"dmz-test: $test_name: mark $log_marks."}
}

# want_log REGEX: the kernel said this since the last mark.
want_log() {
	log_since
	[[ $LOG =~ $1 ]] || fail "the kernel log has no \"$1\", but: $LOG"
}

# ---- devices ---------------------------------------------------------------------------------

# bytes SIZE: a number with K, M, G, T to bytes.
bytes() {
	case $1 in
	*K) echo $((${1%K} << 10)) ;;
	*M) echo $((${1%M} << 20)) ;;
	*G) echo $((${1%G} << 30)) ;;
	*T) echo $((${1%T} << 40)) ;;
	*) echo "$1" ;;
	esac
}

# table SIZE COLD [ARG...]: a table line; the arguments are counted here.
table() {
	local size=$1 cold=$2
	shift 2
	echo "0 $(($(bytes "$size") / 512)) zram $cold${*:+ $# $*}"
}

fields=""
# create NAME SIZE COLD [ARG...]
create() {
	local name=$1
	shift
	within 60 "create $name" dmsetup create "$name" --table "$(table "$@")" ||
		fail "cannot create $name with \"$(table "$@")\""
	[ -e "/dev/mapper/$name" ] || dmsetup mknodes "$name"
	[ -n "$fields" ] || fields=$(dmsetup message "$name" 0 fields)
}

# reload NAME SIZE COLD [ARG...]: a new table for a running device, data kept.
reload() {
	local name=$1
	shift
	dmsetup reload "$name" --table "$(table "$@")" || return
	within 60 "suspend $name" dmsetup suspend "$name"
	within 60 "resume $name" dmsetup resume "$name"
}

remove() {
	within 60 "remove $1" dmsetup remove "$1" || fail "cannot remove $1"
}

# msg NAME WORD...
msg() {
	local name=$1
	shift
	within "${MSG_LIMIT:-120}" "message $*" dmsetup message "$name" 0 "$@"
}

# show NAME: every field with its name.
show() {
	local values
	values=$(dmsetup status "$1" | cut -d' ' -f4-)
	paste -d= <(tr ' ' '\n' <<<"$fields") <(tr ' ' '\n' <<<"$values") | paste -sd' ' | fold -sw 100
}

# stat NAME FIELD: one number of STATUS.
stat() {
	# coreutils' stat(1) stays usable: that one always has an option here
	case $1 in -*) command stat "$@"; return ;; esac
	local names values i
	read -ra names <<<"$fields"
	read -ra values <<<"$(dmsetup status "$1")"
	for i in "${!names[@]}"; do
		if [ "${names[i]}" = "$2" ]; then
			echo "${values[i + 3]}"
			return
		fi
	done
	fail "STATUS has no field $2"
}

# snap NAME: all of STATUS in the array S.
declare -A S
snap() {
	local names values i
	read -ra names <<<"$fields"
	read -ra values <<<"$(dmsetup status "$1")"
	[ "$((${#names[@]} + 3))" = "${#values[@]}" ] ||
		fail "STATUS has $((${#values[@]} - 3)) numbers, but ${#names[@]} names"
	S=()
	for i in "${!names[@]}"; do S[${names[i]}]=${values[i + 3]}; done
}

# hold NAME: demotion, the cleaner and all writes of the log have stopped when this returns, and I/O
# waits, until "release NAME". STATUS, drain and the cold device can be read meanwhile: what they say
# belongs together.
hold() {
	within 60 "suspend $1" dmsetup suspend --nolockfs "$1"
}
release() {
	within 60 "resume $1" dmsetup resume "$1"
}

# snap_at_rest NAME: as snap, of one instant. While something is under way, the numbers of one STATUS
# are read one after the other.
snap_at_rest() {
	hold "$1"
	snap "$1"
	release "$1"
}

# reclaimed: what the kernel's reclaim has looked at so far, shrinkers and lists. As long as that does
# not grow, no demotion is for want of memory.
reclaimed() { awk '/^(slabs_scanned|pgscan_kswapd|pgscan_direct) / { n += $2 } END { print n + 0 }' /proc/vmstat; }

# check_sane NAME: what holds whatever has happened. Leaves S.
check_sane() {
	snap_at_rest "$1"
	local n
	for n in fill_blocks hot_blocks clean_blocks cold_blocks pool_bytes meta_bytes cold_live_bytes; do
		check "$1: $n" "${S[$n]}" -ge 0
	done
	check "$1: blocks in some state" $((S[fill_blocks] + S[hot_blocks] + S[clean_blocks] + S[cold_blocks])) \
		-le "${S[blocks]}"
	check "$1: free segments" "${S[segments_free]}" -le "${S[segments]}"
	check "$1: stored bytes in the pool" "${S[pool_stored_bytes]}" -le "${S[pool_bytes]}"
	check "$1: objects found damaged in the log" "${S[cold_bad_objects]}" -eq 0
}

# largest COLD: the largest device, in bytes and whole MiB, that COLD can back without overcommit:
# less the header area, 3.5 % and some segments of 256 KiB.
largest() {
	local size
	size=$(blockdev --getsize64 "$1")
	echo $((((size - (1 << 20) - 24 * (256 << 10)) * 100 / 104) >> 20 << 20))
}

drop_caches() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# blk VERB DEVICE [OPTION...]: dmz-blk, its answer in GOOD ZERO WRONG FAILED NOSPACE FIRST_FAILED.
blk() {
	local out word rc=0
	within "${BLK_LIMIT:-120}" "dmz-blk $*" "$helpers/dmz-blk" "$@" >"$T/blk.out" || rc=$?
	read -r out <"$T/blk.out" || fail "dmz-blk $* ended with $rc"
	[ "$rc" -le 1 ] || fail "dmz-blk $* ended with $rc"
	for word in $out; do
		local value=${word#*=}
		case ${word%%=*} in
		good) GOOD=$value ;;
		zero) ZERO=$value ;;
		wrong) WRONG=$value ;;
		failed) FAILED=$value ;;
		nospace) NOSPACE=$value ;;
		first_failed) FIRST_FAILED=$value ;;
		esac
	done
	[ "$rc" = 0 ] || fail "dmz-blk $*: $out"
}
# shellcheck disable=SC2034 # for the tests
GOOD=0 ZERO=0 WRONG=0 FAILED=0 NOSPACE=0 FIRST_FAILED=-1

# sysfs DEVICE: its directory there, by its number; a node need not have the kernel's name.
sysfs() { printf '/sys/dev/block/%d:%d' "0x$(command stat -Lc %t "$1")" "0x$(command stat -Lc %T "$1")"; }

# disk_sectors_written DEVICE: as the block layer counts them.
disk_sectors_written() {
	local numbers
	read -ra numbers <"$(sysfs "$1")/stat"
	echo "${numbers[6]}"
}

# ---- leaks -----------------------------------------------------------------------------------

# free_kib: memory that is free, on the lists of the processors too, once what can be given back has
# been.
free_kib() {
	drop_caches
	sleep 1
	awk '/^MemFree:/ { n += $2 } /^ +count:/ { n += 4 * $2 } END { print n }' /proc/meminfo /proc/zoneinfo
}

# kernel_kib: memory of the kernel's own that it accounts for, once what can be given back has been.
# Not pages that are taken one by one, as the pool's: for these, see the unit tests.
kernel_kib() {
	drop_caches
	sleep 1
	awk '/^(SUnreclaim|VmallocUsed|KernelStack|Percpu):/ { n += $2 } END { print n }' /proc/meminfo
}

[ -n "${COLD:-}" ] || fail "COLD is not set: run me by scripts/vm"
[ -x "$helpers/dmz-blk" ] || fail "$helpers/dmz-blk is missing: make -C tests/dm/src"

# ---- disks that go wrong ---------------------------------------------------------------------

# load_nth: the target "nth" of tests/dm/src/nth, which goes wrong at a given I/O.
load_nth() {
	local ko
	ko=$helpers/nth-$(uname -r)/dm-nth.ko
	[ -e "$ko" ] || fail "$ko is missing: make -C tests/dm/src"
	[ -d /sys/module/dm_nth ] || insmod "$ko"
}

# ram_disk MIB: a new disk in memory, in COLD.
ram_disk() {
	modprobe brd rd_nr=1 rd_size=$(($1 << 10))
	COLD=/dev/ram0
	[ -b $COLD ] || fail "there is no $COLD"
}

# shellcheck source=tests/null-disk.sh
. "$dm_dir/../null-disk.sh"

#!/bin/bash
# A write never fails while the cold device has room: incompressible data over the whole device,
# 16 MiB of RAM for it, and a machine without memory. The kernel's own zram, set up the same way,
# fails.
# vm: uml-debug qemu-6.1 qemu-6.12
# mem: 192M
# cold: 256M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 192M 64M)
blocks=$(($(bytes "$size") / BLOCK))

# ---- no memory -------------------------------------------------------------------------------

fault=/sys/kernel/debug/fail_page_alloc

# The disk of User Mode Linux waits for a request of its own to end when it gets no memory for one,
# and if there is none, for ever: it is not what we test.
spare_ubd() {
	local start end
	start=$(awk '$3 == "ubd_queue_rq" { print $1 }' /proc/kallsyms)
	[ -n "$start" ] || fail "kallsyms has no ubd_queue_rq"
	# to the symbol behind it; the addresses are of one length, and so compare as words
	end=$(awk -v at="x$start" '{ a = "x" $1 } a > at && (e == "" || a < e) { e = a } END { print substr(e, 2) }' /proc/kallsyms)
	echo 32 >$fault/stacktrace-depth
	echo "0x$start" >$fault/reject-start
	echo "0x$end" >$fault/reject-end
}

# fail_pages KIND: from now on the page allocator says no,
#   atomic: to nine in ten of all requests which may not wait;
#   module: to each one that comes from the module's code, whatever it may do.
fail_pages() {
	[ ! -e $fault/reject-start ] || spare_ubd
	echo -1 >$fault/times
	echo 0 >$fault/min-order
	echo 0 >$fault/verbose
	echo N >$fault/task-filter
	case $1 in
	atomic)
		echo Y >$fault/ignore-gfp-wait
		echo 90 >$fault/probability
		;;
	module)
		echo N >$fault/ignore-gfp-wait
		awk '$1 == "dm_zram" { print $6, $2 }' /proc/modules >"$T/module"
		read -r start length <"$T/module"
		printf '0x%x' $((start)) >$fault/require-start
		printf '0x%x' $((start + length)) >$fault/require-end
		echo 100 >$fault/probability
		;;
	none)
		echo 0 >$fault/probability
		[ ! -e $fault/require-start ] || {
			echo 0 >$fault/require-start
			printf '0xffffffffffffffff' >$fault/require-end
		}
		;;
	esac
}

# take_memory KIND, give_memory
take_memory() {
	case $1 in
	hog)
		in_background "$helpers/dmz-mem" hog 20 "$T/ready"
		hog=$!
		wait_until 90 "the hog to take all memory" test -e "$T/ready"
		;;
	*) fail_pages "$1" ;;
	esac
}
give_memory() {
	case $1 in
	hog)
		kill "$hog"
		wait "$hog" || true
		rm -f "$T/ready"
		;;
	*) fail_pages none ;;
	esac
}

# ---- the load --------------------------------------------------------------------------------

# write_all DEVICE SEED RATIO: three writers, each a third, random order and sizes. Their errors in
# FAILS.
write_all() {
	local third=$((blocks / 3)) i jobs="" batch=(1 16 64)
	for i in 0 1 2; do
		"$helpers/dmz-blk" write "$1" --seed "$2" --ratio "$3" --random --report --batch "${batch[i]}" \
			--from $((i * third)) --count $((i == 2 ? blocks - 2 * third : third)) >"$T/writer$i" &
		jobs="$jobs $!"
	done
	# shellcheck disable=SC2086
	wait $jobs
	FAILS=$(cat "$T"/writer? | sed 's/.* failed=\([0-9]*\).*/\1/' | awk '{ n += $1 } END { print n }')
}

bounded_write_all() {
	watch_over 150 $$ "three writers"
	write_all "$@"
	end_watch
}

seed=0
try_dm_zram() { # try_dm_zram KIND
	local how=$1
	seed=$((seed + 1))
	create z "$size" "$COLD" mem_limit 16M
	take_memory "$how"
	bounded_write_all /dev/mapper/z $seed 1
	snap z
	give_memory "$how"
	note "dm-zram, $how: $FAILS failed writes; spills=${S[spills]} demotions=${S[demotions]}" \
		"deferred=${S[deferred]} pool peak=$((S[pool_peak_bytes] >> 10)) KiB reserve low=${S[reserve_low_pages]}"
	check "failed writes ($how)" "$FAILS" -eq 0
	blk verify /dev/mapper/z --seed $seed --ratio 1 --batch 64
	check "right blocks ($how)" "$GOOD" -eq $blocks
	# Once more with everything in place already, and with data that goes to RAM first: overwrites,
	# while no page is to be had.
	take_memory "$how"
	bounded_write_all /dev/mapper/z $((seed + 100)) 2
	give_memory "$how"
	check "failed overwrites ($how)" "$FAILS" -eq 0
	blk verify /dev/mapper/z --seed $((seed + 100)) --ratio 2 --batch 64 --random
	check_sane z
	note "dm-zram, $how, compressible: spills=${S[spills]} demotions=${S[demotions]} deferred=${S[deferred]}" \
		"pool peak=$((S[pool_peak_bytes] >> 10)) KiB reserve low=${S[reserve_low_pages]} pages"
	check "failed writes in status ($how)" "${S[write_fails]}" -eq 0
	check "blocks that went straight to the log, or were demoted" $((S[spills] + S[demotions])) -gt $((blocks / 2))
	check "peak of the pool" "${S[pool_peak_bytes]}" -le $((24 << 20))
	remove z
}

if $DEBUG && [ -d $fault ]; then
	try_dm_zram atomic
	if [ -e $fault/require-start ]; then try_dm_zram module; fi
else
	try_dm_zram hog
fi

# ---- zram ------------------------------------------------------------------------------------

modprobe zram num_devices=1 2>/dev/null || true
[ -e /sys/block/zram0/disksize ] || fail "there is no zram to compare with"
# With the cold device as its backing device, where the kernel has that: it makes no difference.
if [ -w /sys/block/zram0/backing_dev ] && echo "$COLD" >/sys/block/zram0/backing_dev 2>/dev/null; then
	note "zram has $COLD for writeback"
fi
echo "$size" >/sys/block/zram0/disksize
echo 16M >/sys/block/zram0/mem_limit
how=hog
! $DEBUG || how=atomic
take_memory $how
bounded_write_all /dev/zram0 1 1
give_memory $how
note "zram with mem_limit 16M, $how: $FAILS of $blocks writes failed"
check "failed writes of the kernel's zram" "$FAILS" -gt 0

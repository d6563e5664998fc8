#!/bin/bash
# Cold reads that wait for neighbours, where sending them sleeps, and where there is no memory for a
# read of several: on a disk with one tag, and with a page allocator that says no.
# vm: uml-debug
# mem: 320M
# cpus: 1
# timeout: 300
# packages: fio
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/null-disk.sh
. "$(dirname "$0")/../null-disk.sh"

dev=/dev/mapper/z
size=8M
blocks=$(($(bytes $size) / BLOCK))

# One request at a time, of 1 ms: whoever sends a second one sleeps, and the scheduler then releases
# the plug that reads have waited in. It does where a worker goes on with a bio of 64 cold blocks or
# more: within submit_bio() all is sent later.
null_disk 48 irqmode=2 completion_nsec=1000000 submit_queues=1 hw_queue_depth=1

# random_reads: under one plug 64 of a block each, the number at which they do not wait for more; of
# each block once.
random_reads() {
	within 120 "random reads" fio --name=plug --filename=$dev --direct=1 --rw=randread --bs=4k --size=$size \
		--ioengine=libaio --iodepth=64 --iodepth_batch_submit=64 --iodepth_batch_complete_min=64 \
		--random_generator=lfsr --output="$T/fio" || { cat "$T/fio"; fail "fio ended with an error"; }
}
# cold_again: all blocks are; what reads_since says counts from here.
cold_again() {
	msg z demote all
	msg z drain
	snap_at_rest z
	check "cold blocks" "${S[cold_blocks]}" -eq $blocks
	before=(["cold_reads"]=${S[cold_reads]} ["cold_read_ios"]=${S[cold_read_ios]})
}
declare -A before
reads_since() { # WHAT: all blocks were read once, by how many reads: in IOS
	snap_at_rest z
	local n=$((S[cold_reads] - before[cold_reads])) ios=$((S[cold_read_ios] - before[cold_read_ios]))
	note "$1: $n blocks by $ios reads"
	check "blocks read ($1)" $n -eq $blocks
	IOS=$ios
}

create z $size $NULL_DISK mem_limit 0 demote_age 0
blk write $dev --ratio 3 --batch 64
cold_again
random_reads
reads_since "random reads"
cold_again
blk verify $dev --ratio 3 --batch 64
check "right blocks" "$GOOD" -eq $blocks

# ---- no memory: reads of several blocks are sent one by one, and bios wait for reads that are on their way

fault=/sys/kernel/debug/fail_page_alloc
[ -e $fault/require-start ] || fail "the debug kernel cannot inject faults by address"
# refuse TIMES PERCENT: from now on, of those requests of the module for a page that may not wait.
refuse() {
	local start length
	echo 0 >$fault/min-order
	echo 0 >$fault/verbose
	echo N >$fault/task-filter
	echo Y >$fault/ignore-gfp-wait
	echo 32 >$fault/stacktrace-depth
	read -r start length < <(awk '$1 == "dm_zram" { print $6, $2 }' /proc/modules)
	printf '0x%x' $((start)) >$fault/require-start
	printf '0x%x' $((start + length)) >$fault/require-end
	echo "$1" >$fault/times
	echo "$2" >$fault/probability
}

# In a cgroup, of which nothing may be left when it is gone: a bio that was made and is not sent
# must let go of it.
group=/sys/fs/cgroup
mountpoint -q $group || mount -t cgroup2 none $group
echo +io >$group/cgroup.subtree_control
mkdir $group/reader
echo $BASHPID >$group/reader/cgroup.procs
for how in "-1 100" "-1 10" "150 100" "200 100" "300 100"; do
	cold_again
	# shellcheck disable=SC2086 # two words
	refuse $how
	blk verify $dev --ratio 3 --batch 256
	echo 0 >$fault/probability
	check "right blocks ($how)" "$GOOD" -eq $blocks
	reads_since "1M reads, refused: $how"
	case $how in
	"-1 100") check "reads of one block each" "$IOS" -eq $blocks ;;
	*) check "reads, fewer than blocks ($how)" "$IOS" -lt $blocks ;;
	esac
done
check "bios that had to wait" "${S[deferred]}" -gt 0
echo $BASHPID >$group/cgroup.procs
rmdir $group/reader
no_group_dying() { grep -qx 'nr_dying_descendants 0' $group/cgroup.stat; }
wait_until 30 "the cgroup to go away: reads hold it" no_group_dying
check_sane z
remove z

# A first read gives no block a copy in RAM, also where it had to wait and was tried again; a second one does,
# but not out of the reserve, which is for writes.
create z $size $NULL_DISK mem_limit 0 demote_age 0
blk write $dev --ratio 3 --batch 64
cold_again
refuse -1 100
blk verify $dev --ratio 3 --batch 256
snap_at_rest z
check "bios that had to wait" "${S[deferred]}" -gt 0
check "blocks promoted at their first read" "${S[promotions]}" -eq 0
blk verify $dev --ratio 3 --batch 256
echo 0 >$fault/probability
snap_at_rest z
note "second read: ${S[promotions]} promoted, reserve at least ${S[reserve_low_pages]} of ${S[reserve_target_pages]} pages"
check "pages of the reserve" "${S[reserve_low_pages]}" -ge $((S[reserve_target_pages] * 7 / 8 - 1))
blk verify $dev --ratio 3 --batch 16
snap_at_rest z
check "blocks promoted at their second or third read" "${S[promotions]}" -gt 0
check_sane z
remove z

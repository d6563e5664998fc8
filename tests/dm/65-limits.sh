#!/bin/bash
# What a block device has to say and to do: queue limits, discard, write zeroes, flush, the table
# line, live changes, reload, a hard limit without cold device, CPUs that come and go.
# vm: uml-debug qemu-6.1 qemu-6.12
# mem: 256M
# cold: 128M
# cpus: 2
# kmemleak: yes
# timeout: 180
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

size=$(by_kind 64M 32M)
blocks=$(($(bytes "$size") / BLOCK))
dev=/dev/mapper/z

queue() { cat "$(sysfs $dev)/queue/$1"; }

# ---- queue limits ------------------------------------------------------------------------------

check_limits() { # check_limits WHAT
	check "$1: logical block size" "$(blockdev --getss $dev)" -eq 4096
	check "$1: physical block size" "$(blockdev --getpbsz $dev)" -eq 4096
	check "$1: minimum I/O size" "$(blockdev --getiomin $dev)" -eq 4096
	check "$1: discard granularity" "$(queue discard_granularity)" -eq 4096
	check "$1: bytes of one discard" "$(queue discard_max_bytes)" -ge $((1 << 20))
	check "$1: bytes of one write zeroes" "$(queue write_zeroes_max_bytes)" -ge $((1 << 20))
	check "$1: stable writes" "$(queue stable_writes)" -eq 1
	check "$1: rotational" "$(queue rotational)" -eq 0
	check "$1: read-only" "$(blockdev --getro $dev)" -eq 0
	! dd if=/dev/zero of=$dev bs=512 count=1 oflag=direct 2>/dev/null || fail "$1: a write of 512 bytes was accepted"
}
create z "$size" -
check_limits "without cold device"
remove z
create z "$size" "$COLD" mem_limit 8M demote_age 0
check_limits "with cold device"
check "size" "$(blockdev --getsize64 $dev)" -eq "$(bytes "$size")"
snap z
check "blocks" "${S[blocks]}" -eq $blocks
check "mem_limit" "${S[mem_limit_bytes]}" -eq $((8 << 20))

# ---- zeroes, discard, flush --------------------------------------------------------------------

blk zero $dev --batch 64
snap z
check "blocks stored by reading" $((S[fill_blocks] + S[hot_blocks] + S[cold_blocks])) -eq 0
blk write $dev --ratio 3 --batch 64 --sync
msg z demote $((blocks / 2))
snap_at_rest z
check "blocks after demote $((blocks / 2))" $((S[hot_blocks])) -le $((blocks / 2))
check "hot and cold blocks" $((S[hot_blocks] + S[cold_blocks])) -eq $blocks
live=${S[cold_live_bytes]}

# Three holes: discarded, zeroed, and written with zeroes; all over hot and cold blocks alike.
eighth=$((blocks / 8))
within 30 blkdiscard blkdiscard -f -o 0 -l $((eighth * BLOCK)) $dev
within 30 "blkdiscard -z" blkdiscard -f -z -o $((4 * eighth * BLOCK)) -l $((eighth * BLOCK)) $dev
within 60 dd dd if=/dev/zero of=$dev bs=64K seek=$((6 * eighth * BLOCK / 65536)) count=$((eighth * BLOCK / 65536)) \
	oflag=direct conv=notrunc status=none
for i in 0 4 6; do blk zero $dev --from $((i * eighth)) --count $eighth --batch 64; done
for i in 1 2 3 5 7; do blk verify $dev --from $((i * eighth)) --count $eighth --batch 64; done
snap_at_rest z
check "blocks discarded or zeroed" "${S[discards]}" -ge $((2 * eighth))
check "hot and cold blocks" $((S[hot_blocks] + S[cold_blocks])) -eq $((5 * eighth))
check "live bytes in the log" "${S[cold_live_bytes]}" -lt "$live"
check "pool bytes without data" "${S[pool_stored_bytes]}" -le $((S[hot_blocks] * 1500))

# Odd edges: a discard that starts or ends within a block leaves that block alone.
blk write $dev --ratio 3 --from 0 --count 16
within 30 blkdiscard blkdiscard -f -o $((2 * BLOCK)) -l $((3 * BLOCK)) $dev
blk zero $dev --from 2 --count 3
blk verify $dev --from 0 --count 2
blk verify $dev --from 5 --count 11
within 30 flush blockdev --flushbufs $dev
free=$(stat z segments_free)
within 30 blkdiscard blkdiscard -f $dev
hold z
msg z drain
snap z
release z
check "stored blocks after a discard of all" $((S[fill_blocks] + S[hot_blocks] + S[clean_blocks] + S[cold_blocks])) -eq 0
check "live bytes in the log" "${S[cold_live_bytes]}" -eq 0
check "stored bytes in the pool" "${S[pool_stored_bytes]}" -eq 0
check "free segments" "${S[segments_free]}" -ge "$free"
blk zero $dev --batch 64
remove z

# ---- the table line ----------------------------------------------------------------------------

round_trip() { # round_trip COLD ARG...
	local first second
	create z "$size" "$@"
	first=$(dmsetup table z)
	remove z
	dmsetup create z --table "$first"
	[ -e $dev ] || dmsetup mknodes z
	second=$(dmsetup table z)
	remove z
	check "table fed back" "$second" = "$first"
	TABLE=$first
}
round_trip -
check "table without arguments" "$TABLE" = "$(table "$size" -) 0"
round_trip - mem_limit 25% algorithm lzo-rle reserve 1M
check "table without cold device" "$TABLE" = "$(table "$size" - mem_limit 25% algorithm lzo-rle reserve 1M)"
round_trip "$COLD"
cold_number=$(cut -d' ' -f4 <<<"$TABLE")
check "arguments of a table without any" "$TABLE" = "$(table "$size" "$cold_number") 0"
everything="mem_limit 8M algorithm zstd policy fifo mode volatile segment_size 128K reserve 512K demote_age 77 overcommit discard_passdown off wear_budget 20G"
# shellcheck disable=SC2086
round_trip "$COLD" $everything
# shellcheck disable=SC2086
check "table with everything" "$TABLE" = "$(table "$size" "$cold_number" $everything)"

# ---- live changes ------------------------------------------------------------------------------

create z "$size" "$COLD" demote_age 0 mem_limit 0
was=$(reclaimed)
blk write $dev --ratio 3 --batch 64
snap z
[ "$(reclaimed)" != "$was" ] || check "cold blocks without a limit" "${S[cold_blocks]}" -eq 0
peak=${S[pool_peak_bytes]}
check "peak of the pool" "$peak" -ge "${S[pool_bytes]}"
msg z set mem_limit 4M
check "mem_limit" "$(stat z mem_limit_bytes)" -eq $((4 << 20))
small_enough() { [ "$(stat z pool_bytes)" -le $((4 << 20)) ]; }
wait_until 60 "the pool to go below the new limit" small_enough
check "peak of the pool after shrinking" "$(stat z pool_peak_bytes)" -eq "$peak"
msg z reset_peak
snap z
check "peak of the pool after reset_peak" "${S[pool_peak_bytes]}" -le $((5 << 20))
check "table after set" "$(dmsetup table z)" = "$(table "$size" "$cold_number" mem_limit 4M demote_age 0)"
msg z demote all
msg z drain
check "blocks in RAM after demote all" "$(stat z hot_blocks)" -eq 0
msg z compact
check "pool bytes of an empty pool" "$(stat z pool_bytes)" -le $((256 << 10))
blk verify $dev --ratio 3 --batch 64

# ---- reload ------------------------------------------------------------------------------------

# With I/O going on all the time: nothing may be lost, and the change be there.
"$helpers/dmz-blk" write $dev --ratio 0 --seed 5 --random --batch 8 --passes 2 >"$T/writer" &
writer=$!
for limit in 6M 3M 10%; do
	reload z "$size" "$COLD" mem_limit $limit demote_age 300 || fail "reload with mem_limit $limit"
	check "table after reload" "$(dmsetup table z)" = "$(table "$size" "$cold_number" mem_limit $limit demote_age 300)"
done
wait $writer || fail "writer during reload: $(cat "$T/writer")"
blk verify $dev --ratio 0 --seed 5 --batch 64
check_sane z
# All of them left RAM before; without a page for it, a block goes to the log at once.
check "blocks that left RAM, after reload: counters go on" $((S[demotions] + S[spills])) -ge $blocks
! reload z "$size" "$COLD" segment_size 64K 2>/dev/null || fail "a reload changed the segment size"
dmsetup clear z
# A table that is loaded and dropped again changes nothing.
dmsetup reload z --table "$(table "$size" "$COLD" mem_limit 1M)"
dmsetup clear z
blk verify $dev --ratio 0 --seed 5 --batch 64
check "table after a dropped reload" "$(dmsetup table z)" = "$(table "$size" "$cold_number" mem_limit 10% demote_age 300)"

# ---- CPUs --------------------------------------------------------------------------------------

online=/sys/devices/system/cpu/cpu1/online
if [ -w $online ]; then
	"$helpers/dmz-blk" write $dev --ratio 0 --seed 6 --random --batch 8 --passes 3 >"$T/writer" &
	writer=$!
	"$helpers/dmz-blk" verify $dev --report --random --batch 8 --passes 3 >"$T/reader" &
	reader=$!
	for i in 1 2 3 4 5; do
		echo 0 >$online
		sleep 0.3
		echo 1 >$online
		sleep 0.3
	done
	wait $writer || fail "writer during CPU hotplug: $(cat "$T/writer")"
	wait $reader || fail "reader during CPU hotplug: $(cat "$T/reader")"
	blk verify $dev --ratio 0 --seed 6 --batch 64
	note "CPU hotplug: done"
fi
check_sane z
check "errors" $((S[cold_read_errors] + S[cold_write_errors] + S[write_fails])) -eq 0
remove z

# ---- no cold device ----------------------------------------------------------------------------

create z "$size" - mem_limit 4M
blk write $dev --ratio 1 --batch 16 --report
check "writes over a hard limit that failed" "$FAILED" -gt 0
check "of these, with ENOSPC" "$NOSPACE" -eq "$FAILED"
first=$FIRST_FAILED
check "blocks in 4 MiB" "$GOOD" -ge $((900))
snap z
check "pool bytes" "${S[pool_bytes]}" -le $((4 << 20))
check "failed writes in status" "${S[write_fails]}" -ge "$FAILED"
blk verify $dev --ratio 1 --count "$first" --batch 16
msg z set mem_limit 6M
blk write $dev --ratio 1 --from "$first" --count 400 --batch 16
blk verify $dev --ratio 1 --count $((first + 400)) --batch 16
within 30 blkdiscard blkdiscard -f $dev
blk write $dev --ratio 1 --count 900 --batch 16
blk verify $dev --ratio 1 --count 900 --batch 16
# Same-filled blocks need no room at all.
within 30 "blkdiscard -z" blkdiscard -f -z $dev
blk zero $dev --batch 64
check "pool after write zeroes of all" "$(stat z pool_stored_bytes)" -eq 0
remove z

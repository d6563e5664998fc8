#!/bin/bash
# The cold device is a file in a file system, through a loop device, and memory is short: the
# shrinker runs in the loop device's own allocations, and what it demotes needs the page cache.
# Nothing hangs, no write fails, all is right.
# vm: uml
# mem: 256M
# cold: 160M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
size=96M
blocks=$(($(bytes $size) / BLOCK))

within 60 mkfs mkfs.ext4 -q -F "$COLD"
mkdir "$T/mnt"
mount "$COLD" "$T/mnt"
truncate -s 120M "$T/mnt/cold"
modprobe -q loop || true
loop=$(losetup -f --show "$T/mnt/cold")

# No limit: it is the shrinker, or the want of pages, that sends blocks out.
create z $size "$loop" mem_limit 0 demote_age 0
within 60 "half of the blocks" "$helpers/dmz-blk" write $dev --ratio 2 --batch 32 --count $((blocks / 2)) >"$T/out"
in_background "$helpers/dmz-mem" hog 20 "$T/hog"
wait_until 60 "the hog to have its memory" test -e "$T/hog"
available() { awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo; }
hog_is_there() { [ "$(available)" -le 24 ]; }
sent() { echo $((S[demotions] + S[spills])); }

# There is no swap and the hog's memory is locked, so the kernel may kill the hog, which comes back
# and takes again what is free; but what was written meanwhile has found room. Then once more.
for ((round = 1; round <= 20; round++)); do
	within 60 blkdiscard blkdiscard -o $(($(bytes $size) / 2)) $dev
	wait_until 60 "the hog to have what is free" hog_is_there
	pool=$(stat z pool_bytes)
	note "round $round: hog in place, pool of $((pool >> 20)) MiB, $(available) MiB available"
	BLK_LIMIT=100 blk write $dev --ratio 2 --batch 32 --from $((blocks / 2))
	BLK_LIMIT=100 blk write $dev --ratio 2 --batch 8 --seed 2 --random --count $((blocks / 4))
	BLK_LIMIT=100 blk verify $dev --ratio 2 --batch 8 --seed 2 --random --count $((blocks / 4))
	BLK_LIMIT=100 blk verify $dev --ratio 2 --batch 32 --from $((blocks / 4))
	check_sane z
	note "demotions=${S[demotions]} spills=${S[spills]} cold_reads=${S[cold_reads]} deferred=${S[deferred]}" \
		"pool=$((S[pool_bytes] >> 20)) MiB, peak $((S[pool_peak_bytes] >> 20)) MiB"
	[ "$(sent)" -le $((blocks / 8)) ] || [ "${S[cold_reads]}" -eq 0 ] || break
done
check "blocks sent to the file" "$(sent)" -gt $((blocks / 8))
check "cold reads" "${S[cold_reads]}" -gt 0
check "failed writes" "${S[write_fails]}" -eq 0
check "errors of the file" $((S[cold_read_errors] + S[cold_write_errors])) -eq 0
remove z
losetup -d "$loop"
umount "$T/mnt"

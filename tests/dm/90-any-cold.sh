#!/bin/bash
# Every kind of cold device: logical blocks of 512 and 4096 bytes, a partition, a logical volume, a
# file through a loop device, a network block device, dm-crypt. The same mixed load on each, with
# cleaning; what is particular to each besides.
# vm: uml qemu-6.12
# mem: 256M
# cold: 64M
# cpus: 2
# timeout: 300
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
size=$(by_kind 7M 5M)
blocks=$(($(bytes "$size") / BLOCK))
cold_mib=$(by_kind 11 8)

# exercise COLD: fill it, overwrite at random until the cleaner has worked, verify. Leaves S.
exercise() {
	local seed=1
	create z "$size" "$1" mem_limit 512K segment_size 64K demote_age 0
	blk write $dev --ratio 0 --batch 16
	blk write $dev --ratio 1 --batch 3 --random
	while [ "$(stat z segments_cleaned)" = 0 ]; do
		seed=$((seed + 1))
		check "rounds until the cleaner works" $seed -lt 8
		blk write $dev --ratio 1 --batch 3 --random --count $((blocks / 2)) --seed $seed
	done
	blk verify $dev --ratio 1 --batch 16 --from $((blocks / 2))
	blk verify $dev --ratio 1 --batch 16 --count $((blocks / 2)) --seed $seed
	within 30 blkdiscard blkdiscard -f -o 0 -l $((256 * BLOCK)) $dev 2>/dev/null
	blk zero $dev --count 256
	msg z demote all
	msg z drain
	blk verify $dev --ratio 1 --batch 1 --from $((blocks - 256)) --random
	check_sane z
	check "blocks in the log" "${S[cold_blocks]}" -gt $((blocks / 2))
	check "cold reads" "${S[cold_reads]}" -ge 200
	check "errors" $((S[write_fails] + S[cold_read_errors] + S[cold_write_errors])) -eq 0
	note "$1: ${S[segment_writes]} writes of $((S[cold_write_bytes] / S[segment_writes])) bytes," \
		"${S[cold_reads]} reads, ${S[segments_cleaned]} segments cleaned"
	remove z
}

# ---- size of the logical blocks ------------------------------------------------------------------

for lbs in 512 4096; do
	null_disk "$cold_mib" blocksize=$lbs
	check "logical blocks" "$(blockdev --getss "$NULL_DISK")" -eq $lbs
	exercise "$NULL_DISK"
	if [ $lbs = 4096 ]; then
		check "bytes written, of a block" $((S[cold_write_bytes] % lbs)) -eq 0
		check "bytes read, of a block" $((S[cold_read_bytes] % lbs)) -eq 0
	fi
	echo 0 >"$NULL_CONFIG/power"
	rmdir "$NULL_CONFIG"
done

# ---- a partition ---------------------------------------------------------------------------------

# One that starts at an odd sector, with a neighbour on each side that must not change.
note "a partition"
null_disk $((cold_mib + 2))
start=1031 length=$((cold_mib << 11))
le32() { printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
head -c $(((cold_mib + 2) << 20)) /dev/urandom >"$T/noise"
{
	head -c 446 "$T/noise"
	# shellcheck disable=SC2059 # the format is the data
	printf "\0\0\0\0\x83\0\0\0$(le32 $start)$(le32 $length)"
	head -c 48 /dev/zero
	printf '\x55\xaa'
	tail -c +513 "$T/noise"
} >"$T/disk"
dd if="$T/disk" of="$NULL_DISK" bs=1M oflag=direct status=none
blockdev --rereadpt "$NULL_DISK"
wait_until 10 "${NULL_DISK}p1" test -b "${NULL_DISK}p1"
check "sectors of the partition" "$(blockdev --getsz "${NULL_DISK}p1")" -eq $length
exercise "${NULL_DISK}p1"
dd if="$NULL_DISK" of="$T/after" bs=1M iflag=direct status=none
# The header area, 1 MiB at its start, is not the log's either.
before=$((start * 512 + (1 << 20))) behind=$(((start + length) * 512))
cmp -n $before "$T/disk" "$T/after" || fail "something before the log was written to"
cmp "$T/disk" "$T/after" -i $behind || fail "something behind the partition was written to"
! cmp -s "$T/disk" "$T/after" || fail "nothing was written to at all"
rm "$T/noise" "$T/disk" "$T/after"

# ---- a logical volume ----------------------------------------------------------------------------

# In two pieces, with another volume between them.
note "a logical volume"
lvm_conf="devices { scan = [ \"$(dirname "$COLD")\" ] filter = [ \"a|^$COLD\$|\", \"r|.*|\" ] use_devicesfile = 0 }
	activation { udev_sync = 0 udev_rules = 0 verify_udev_operations = 1 monitoring = 0 }
	global { use_lvmlockd = 0 use_lvmpolld = 0 } backup { backup = 0 archive = 0 }"
lvm() {
	local word=$1
	shift
	within 60 "lvm $word" /sbin/lvm "$word" --config "$lvm_conf" "$@" >"$T/lvm" 2>&1 || fail "lvm $word: $(cat "$T/lvm")"
}
lvm pvcreate -ff -y "$COLD"
lvm vgcreate -s 1M dmz "$COLD"
lvm lvcreate -y -W n -Z n -l 5 -n a dmz
lvm lvcreate -y -W n -Z n -l 3 -n b dmz
lvm lvextend -l "$cold_mib" dmz/a # a second piece, behind b
[ -b /dev/dmz/a ] || dmsetup mknodes
check "pieces of the volume" "$(dmsetup table dmz-a | wc -l)" -eq 2
exercise /dev/mapper/dmz-a
lvm vgremove -ff -y dmz

# ---- a file --------------------------------------------------------------------------------------

note "a file, through a loop device"
within 60 mkfs mkfs.ext4 -q -F "$COLD"
mkdir "$T/mnt"
mount "$COLD" "$T/mnt"
truncate -s "${cold_mib}M" "$T/mnt/cold"
modprobe -q loop || true
loop=$(losetup -f --show "$T/mnt/cold")
exercise "$loop"
losetup -d "$loop"
loop=$(losetup -f --show --sector-size 4096 --direct-io=on "$T/mnt/cold")
check "logical blocks" "$(blockdev --getss "$loop")" -eq 4096
exercise "$loop"
losetup -d "$loop"
umount "$T/mnt"

# ---- dm-crypt ------------------------------------------------------------------------------------

note "dm-crypt"
modprobe -q dm-crypt || true
key=$(head -c 64 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
dmsetup create crypt --table "0 $((cold_mib << 11)) crypt aes-xts-plain64 $key 0 $COLD 0" ||
	fail "no dm-crypt: $(dmesg | tail -n 3)"
[ -b /dev/mapper/crypt ] || dmsetup mknodes crypt
dd if=/dev/zero of="$COLD" bs=1M count="$cold_mib" oflag=direct status=none
exercise /dev/mapper/crypt
within 20 "remove crypt" dmsetup remove crypt
# The segments' magic must not be found on the disk.
! dd if="$COLD" bs=1M count="$cold_mib" iflag=direct status=none | grep -qa dmzarSeg || fail "cold data is not encrypted"

# ---- a network block device ----------------------------------------------------------------------

note "a network block device"
modprobe nbd nbds_max=1
nbd_ready() { [ "$(blockdev --getsz /dev/nbd0)" = $((cold_mib << 11)) ]; }
# serve FILTER...: nbdkit in memory, with /dev/nbd0 over it
serve() {
	rm -f "$T/sock"
	in_background nbdkit -f -U "$T/sock" "$@" 2>"$T/nbdkit"
	server=$!
	wait_until 20 "nbdkit" test -S "$T/sock"
	within 20 nbd-client nbd-client -unix "$T/sock" /dev/nbd0 -nonetlink >"$T/nbd" 2>&1 || fail "nbd-client: $(cat "$T/nbd")"
	wait_until 20 "the size of /dev/nbd0" nbd_ready
}
unserve() {
	within 20 "nbd-client -d" nbd-client -d /dev/nbd0 >"$T/nbd" 2>&1 || true
	kill $server 2>/dev/null || true
	wait $server || true
}

serve --filter=delay memory "${cold_mib}M" rdelay=2ms wdelay=20ms
exercise /dev/nbd0
unserve

note "a network block device that has errors for a while, and is gone in the end"
serve --filter=error memory "${cold_mib}M" error=EIO error-rate=100% error-file="$T/trouble"
create z "$size" /dev/nbd0 mem_limit 512K segment_size 64K demote_age 0
blk write $dev --ratio 3 --batch 16 --count $((blocks / 2))
msg z demote all
msg z drain
touch "$T/trouble"
BLK_LIMIT=60 blk verify $dev --ratio 3 --batch 1 --count 128 --random --report
check "reads that failed" "$FAILED" -gt 0
check "wrong blocks" $((WRONG + ZERO)) -eq 0
BLK_LIMIT=60 blk write $dev --ratio 3 --batch 16 --from $((blocks / 2))
rm "$T/trouble"
works() { dmsetup message z 0 demote all 2>/dev/null && dmsetup message z 0 drain 2>/dev/null; }
wait_until 30 "the log to write again" works
blk verify $dev --ratio 3 --batch 16
snap z
check "write errors" "${S[cold_write_errors]}" -gt 0
check "failed writes" "${S[write_fails]}" -eq 0
kill -9 $server
BLK_LIMIT=60 blk verify $dev --ratio 3 --batch 1 --count 64 --report
check "reads that failed" "$FAILED" -gt 0
check "wrong blocks" $((WRONG + ZERO)) -eq 0
BLK_LIMIT=60 blk write $dev --ratio 3 --seed 2 --batch 16 --count 256
BLK_LIMIT=60 blk verify $dev --ratio 3 --seed 2 --batch 16 --count 256
remove z
unserve

#!/bin/bash
# What others do to a device: a file system that grows with it, snapshots and thin volumes above that
# suspend each other, removal while it is busy, deferred removal; reloads in between.
# vm: uml-debug qemu-6.12
# mem: 384M
# cold: 384M
# cpus: 2
# timeout: 240
# packages: e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
args="mem_limit 6M demote_age 0"

# The disk is for the log, and what is above needs some as well.
piece() { # piece NAME MIB
	dmsetup create "$1" --table "0 $(($2 << 11)) linear $COLD $at"
	[ -e "/dev/mapper/$1" ] || dmsetup mknodes "$1"
	at=$((at + ($2 << 11)))
}
at=0
piece log 256
piece cow 48
piece meta 8
modprobe dm-snapshot
modprobe dm-thin-pool

# again [SIZE]: a reload that changes something each time, by one ioctl (load, then resume)
turn=0
again() {
	local codecs=(zstd lzo-rle lz4)
	turn=$((turn + 1))
	# shellcheck disable=SC2086 # words
	dmsetup reload z --table "$(table "${1:-$size}" /dev/mapper/log $args algorithm ${codecs[turn % 3]})"
	within 60 "resume, which takes the table over" dmsetup resume z
	size=${1:-$size}
}

# ---- a file system ------------------------------------------------------------------------------

size=64M
# shellcheck disable=SC2086
create z $size /dev/mapper/log $args
within 60 mkfs mkfs.ext4 -q -b 4096 $dev
mkdir -p "$T/m"
mount $dev "$T/m"
fill() { head -c "$2" /dev/urandom | od -An -tx1 >"$T/m/$1"; }
fill one 1M
fill two 2M
sum=$(cat "$T/m/one" "$T/m/two" | sha256sum)
in_background bash -c "while [ ! -e $T/stop ]; do cp $T/m/one $T/m/copy; cmp $T/m/one $T/m/copy || exit 1; sync; done"
writer=$!
for s in 80M 128M 160M; do
	again $s
	within 120 resize2fs resize2fs $dev >"$T/resize" 2>&1 || fail "resize2fs to $s: $(cat "$T/resize")"
	check "blocks of the file system" "$(command stat -f -c %b "$T/m")" -gt $(($(bytes $s) * 8 / 10 / BLOCK))
	again
done
! dmsetup reload z --table "$(table 64M /dev/mapper/log)" 2>/dev/null || fail "it could be made smaller"
fill three 8M
: >"$T/stop"
wait $writer || fail "the writer beside it ended with $?"
rm "$T/stop"
drop_caches
check "what was in the file system" "$(cat "$T/m/one" "$T/m/two" | sha256sum)" = "$sum"

# Busy: not removed, and not hurt.
! dmsetup remove z 2>"$T/busy" || fail "a mounted device was removed"
check "state" "$(dmsetup info -c --noheadings -o suspended z)" = Active
fill four 1M

# Deferred: gone when the last user is.
dmsetup remove --deferred z
check "deferred" "$(dmsetup info z | grep -c 'DEFERRED REMOVE')" -eq 1
again
fill five 1M
umount "$T/m"
gone() { ! dmsetup info z >/dev/null 2>&1; }
wait_until 60 "the deferred removal" gone
# Its name goes first, then its table, and the disk with that.
let_go() { "$helpers/dmz-blk" excl /dev/mapper/log 2>/dev/null; }
wait_until 60 "the log's disk to be let go" let_go

# ---- a snapshot above ----------------------------------------------------------------------------

size=32M
sectors=$(($(bytes $size) / 512))
# shellcheck disable=SC2086
create z $size /dev/mapper/log $args
blk write $dev --ratio 3 --seed 1 --batch 64
dmsetup create base --table "0 $sectors snapshot-origin $dev"
dmsetup mknodes base
snapshot="0 $sectors snapshot $dev /dev/mapper/cow P 8"
dmsetup suspend base
dmsetup create snap --table "$snapshot"
dmsetup mknodes snap
dmsetup resume base
blk write /dev/mapper/base --ratio 3 --seed 2 --count 2000 --batch 16
again
# Handed over to a new table, with the origin suspended for that, as LVM does it: on 6.12 a write that
# comes to the origin in that moment otherwise passes the snapshot by (with dm-linear in our place, too).
in_background "$helpers/dmz-blk" write /dev/mapper/base --ratio 3 --seed 3 --count 4000 --batch 16 --random
writer=$!
for i in 1 2 3; do
	dmsetup reload snap --table "$snapshot"
	within 60 "suspend of the origin" dmsetup suspend base
	within 60 "resume of the snapshot" dmsetup resume snap
	within 60 "resume of the origin" dmsetup resume base
	again
	within 60 "suspend below" dmsetup suspend --noflush z
	within 60 "resume below" dmsetup resume z
done
wait $writer || fail "writer of the origin ended with $?"
blk verify /dev/mapper/base --ratio 3 --seed 3 --count 4000 --batch 16
blk verify /dev/mapper/snap --ratio 3 --seed 1 --batch 64
! dmsetup remove z 2>"$T/busy" || fail "a device with a snapshot above was removed"
remove snap
remove base
blk verify $dev --ratio 3 --seed 3 --count 4000 --batch 16
remove z

# ---- a thin pool above ---------------------------------------------------------------------------

# shellcheck disable=SC2086
create z $size /dev/mapper/log $args
dd if=/dev/zero of=/dev/mapper/meta bs=4K count=1 oflag=direct status=none
pool="0 $sectors thin-pool /dev/mapper/meta $dev 128 0"
dmsetup create pool --table "$pool"
dmsetup mknodes pool
dmsetup message pool 0 create_thin 0
dmsetup create thin --table "0 $sectors thin /dev/mapper/pool 0"
dmsetup mknodes thin
in_background "$helpers/dmz-blk" write /dev/mapper/thin --ratio 3 --seed 4 --count 4000 --batch 16 --random
writer=$!
for i in 1 2 3; do
	# Suspends the thin volume from inside.
	within 60 "suspend of the pool" dmsetup suspend pool
	again
	within 60 "resume of the pool" dmsetup resume pool
	again
done
wait $writer || fail "writer of the thin volume ended with $?"
blk verify /dev/mapper/thin --ratio 3 --seed 4 --count 4000 --batch 16
msg z demote all
within 60 "suspend of the pool" dmsetup suspend pool
again
within 60 "resume of the pool" dmsetup resume pool
blk verify /dev/mapper/thin --ratio 3 --seed 4 --count 4000 --batch 16
remove thin
remove pool
check_sane z
check "errors" $((S[cold_read_errors] + S[cold_write_errors] + S[write_fails])) -eq 0
remove z
note "$turn reloads"
for i in log cow meta; do remove $i; done

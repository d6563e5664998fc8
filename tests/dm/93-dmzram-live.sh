#!/bin/bash
# dmzram on a device in use: another size, a cold device that has grown, another cold device, there and back,
# each with the header that goes along; data kept.
# vm: uml
# mem: 384M
# cpus: 1
# cold: 256M
# disk: 128M
# timeout: 300
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dmzram=$dm_dir/../../scripts/dmzram
dev=/dev/mapper/z

# dmz WORD...: it succeeds; what it prints is in OUT.
dmz() {
	within 120 "dmzram $*" "$dmzram" "$@" >"$T/out" 2>"$T/err" || fail "dmzram $*: $(cat "$T/err")"
	OUT=$(cat "$T/out")
	[ ! -s "$T/err" ] || fail "dmzram $* says: $(cat "$T/err")"
}
says() { [[ $OUT =~ $1 ]] || fail "no \"$1\" in: $OUT"; }
refused() {
	local want=$1 rc=0
	shift
	within 60 "dmzram $*" "$dmzram" "$@" >"$T/out" 2>"$T/err" || rc=$?
	check "status of dmzram $*" $rc -eq 1
	check "lines of the error of dmzram $*" "$(wc -l <"$T/err")" -eq 1
	grep -Eq "^dmzram $1: .*$want" "$T/err" || fail "dmzram $*: no \"$want\" in: $(cat "$T/err")"
}
sectors() { dmsetup table z | cut -d' ' -f2; }
# header_is DEVICE SIZE: what it says.
header_is() {
	check "name in the header of $1" "$("$dmzram" probe "$1" | sed -n 's/^ID_FS_LABEL=//p')" = z
	check "size in the header of $1" "$(head -c 4096 "$1" | tr -d '\000' | sed -n 's/^size=//p')" = "$2"
}
no_header() {
	local rc=0
	"$dmzram" probe "$1" >/dev/null || rc=$?
	check "status of probe $1" $rc -eq 2
}

# Two cold devices that can grow, of 96 and 112 MiB.
dmsetup create one --table "0 196608 linear $COLD 0"
dmsetup create two --table "0 229376 linear $COLD 262144"
dmsetup mknodes
one=/dev/mapper/one two=/dev/mapper/two
grow() { # NAME SECTORS OFFSET
	dmsetup reload "$1" --table "0 $2 linear $COLD $3"
	dmsetup resume "$1"
}

create z 8M -
if [[ " $fields " != *" cold_devices "* ]]; then
	echo "this module moves no blocks to another cold device"
	exit 77
fi
remove z

# ---- size --------------------------------------------------------------------------------------

dmz format "$one" --name z --size 64M mem_limit=8M segment_size=64K
dmz up "$one"
blk write $dev --ratio 3 --batch 16
dmz demote z 8000
refused "at most --size" resize z 1G
refused "not a size" resize z x
check "sectors" "$(sectors)" = 131072
dmz resize z 72M
says "z: 72.0M"
check "sectors" "$(sectors)" = 147456
check "bytes" "$(blockdev --getsize64 $dev)" = 75497472
header_is "$one" 75497472
blk verify $dev --ratio 3 --batch 16 --count 16384
refused "." resize z 16M # below its data
check "sectors" "$(sectors)" = 147456
dmz resize -n z 80M
says "^dmsetup reload z --table '0 163840 zram $one 4 mem_limit 8M segment_size 64K'
dmsetup resume z"
check "sectors" "$(sectors)" = 147456
# Its size is that of the cold device from now on: the one grows with the other.
dmz resize z max
header_is "$one" max
was=$(sectors)
segments=$(fields=$(dmsetup message z 0 fields); stat z segments)
grow one 229376 0
dmz resize z
check "sectors" "$(sectors)" -gt "$was"
fields=$(dmsetup message z 0 fields)
check "segments" "$(stat z segments)" -gt "$segments"
header_is "$one" max
was=$(sectors)
dmz resize z
says "as it was"
check "sectors" "$(sectors)" = "$was"
blk verify $dev --ratio 3 --batch 16 --count 16384

# ---- another cold device -------------------------------------------------------------------------

refused "is the cold device of z already" move z "$one"
refused "no such device" move z /dev/nonsense
refused "no device nonsense" move nonsense "$two"
refused "a device, and its new cold device" move z
dmsetup create small --table "0 65536 linear $DISK2 0"
dmsetup mknodes
refused "at most --size" move z /dev/mapper/small
check "opens of a device that was refused" "$(dmsetup info -c --noheadings -o open small)" -eq 0
within 30 mkfs mkfs.ext4 -q "$two"
refused "has ext4 on it: --force" move z "$two"
dmz create other --size 1M
refused "other has no cold device" move other "$two"
dmz remove other
dmz move -n z --force "$two"
says "^wipefs --quiet --all $two
dd if=/dev/zero of=$two .*
dmsetup reload z --table '0 $(sectors) zram $two 4 mem_limit 8M segment_size 64K'
dmsetup resume z
# DMZRAM1 header of z to $two"
header_is "$one" max

opens() { dmsetup info -c --noheadings -o open "$1"; }
blk write $dev --ratio 3 --batch 16 --seed 2
dmz demote z 10000
dmz move --force z "$two"
says "z is on $two; $one is free"
check "opens of the old one" "$(opens one)" -eq 0
check "opens of the new one" "$(opens two)" -gt 0
header_is "$two" max
no_header "$one"
blk verify $dev --ratio 3 --batch 16 --seed 2
check "cold devices" "$(stat z cold_devices)" -eq 1
check "blocks moved" "$(stat z blocks_moved)" -gt 1000

# Not waited for; and taken back before it is done, or after.
dmz move --no-wait z "$one"
says "z moves to $one; $two is free when cold_devices is 1"
header_is "$one" max
no_header "$two"
dmz move z "$two"
says "z is on $two; $one is free"
header_is "$two" max
no_header "$one"
check "opens of the one" "$(opens one)" -eq 0
blk verify $dev --ratio 3 --batch 16 --seed 2

# ---- who uses it is told ---------------------------------------------------------------------------

within 30 mkswap mkswap -f $dev >/dev/null
within 30 swapon swapon --discard=pages $dev
dmz resize z $(($(sectors) / 2048))M
says "as it was"
header_is "$two" $(($(sectors) * 512))
grow two 245760 262144
dmz resize z max
says "swap takes the new size in after swapoff"
dmz remove --swapoff z
dmz up "$two"
check "sectors" "$(sectors)" -gt 200000
dmz detach z
no_header "$two"

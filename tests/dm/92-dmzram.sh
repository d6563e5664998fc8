#!/bin/bash
# The command dmzram: every subcommand that changes or shows a device does what it says, each refusal is one
# line, leaves nothing behind, and --dry-run does nothing but print.
# vm: uml
# mem: 384M
# cpus: 1
# cold: 192M
# disk: 96M
# timeout: 400
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dmzram=$dm_dir/../../scripts/dmzram

# dmz WORD...: it succeeds; what it prints is in OUT.
dmz() {
	within 60 "dmzram $*" "$dmzram" "$@" >"$T/out" 2>"$T/err" || fail "dmzram $*: $(cat "$T/err")"
	OUT=$(cat "$T/out")
	[ ! -s "$T/err" ] || fail "dmzram $* says: $(cat "$T/err")"
}
# says REGEX: what it printed
says() { [[ $OUT =~ $1 ]] || fail "no \"$1\" in: $OUT"; }
# refused REGEX WORD...: status 1, one line that says REGEX.
refused() {
	local want=$1 rc=0
	shift
	within 60 "dmzram $*" "$dmzram" "$@" >"$T/out" 2>"$T/err" || rc=$?
	check "status of dmzram $*" $rc -eq 1
	check "output of dmzram $*" "$(cat "$T/out")" = ""
	check "lines of the error of dmzram $*" "$(wc -l <"$T/err")" -eq 1
	grep -Eq "^dmzram $1: .*$want" "$T/err" || fail "dmzram $*: no \"$want\" in: $(cat "$T/err")"
}
no_device() { [ -z "$(zram_devices)" ] || fail "$1: a device was left: $(dmsetup ls)"; }
# table_is NAME TABLE: but for the cold device's numbers.
table_is() { check "table of $1" "$(dmsetup table "$1" | sed -E 's/zram [0-9]+:[0-9]+/zram COLD/')" = "$2"; }
probe_is() {
	local rc=0
	within 20 probe "$dmzram" probe "$1" >"$T/probe" || rc=$?
	check "status of probe" $rc -eq "$2"
	[ "$2" != 0 ] || check "label" "$(sed -n 's/^ID_FS_LABEL=//p' "$T/probe")" = "$3"
}

# ---- create, status, remove ----------------------------------------------------------------------

dmz status
says "no dm-zram device"
dmz status --json
says '"devices": \['
dmz create -n a "$COLD" mem_limit=25% overcommit
says "^dmsetup create a --uuid DMZRAM-[0-9a-f-]{36} --table '0 [0-9]+ zram $COLD 3 mem_limit 25% overcommit'$"
no_device "--dry-run"
# The line that was printed works.
(eval "$OUT")
table_is a "0 $(sed -n "s/.*'0 \([0-9]*\) .*/\1/p" <<<"$OUT") zram COLD 3 mem_limit 25% overcommit"
dmz remove -n a
check "dry run of remove" "$OUT" = "dmsetup remove a"
dmz remove a
no_device "remove"

dmz create a "$COLD" --size 64M mem_limit=16M
table_is a "0 131072 zram COLD 2 mem_limit 16M"
[[ $(dmsetup info -c --noheadings -o uuid a) =~ ^DMZRAM-[0-9a-f-]{36}$ ]] || fail "the UUID of a"
[ -b /dev/mapper/a ] || fail "there is no /dev/mapper/a"
dmz create --size=1.5M ram -
table_is ram "0 3072 zram - 0"
dmz create half -s 10% --
remove half
refused "there is a device a already: dmzram remove a if" create a --size 1M
refused "is in use by a" create b "$COLD"
refused "no such device" create b /dev/nonsense
refused "is not a block device" create b /dev/null
refused "is not a name" create a/b --size 1M
refused "is not a name" create --size 1M -- -x
refused "a --size is needed" create b
refused "less than a block" create b --size 1K
refused "beyond 16T" create b --size 17T
refused "not a size" create b --size 1Z
refused 'unknown setting "nonsense"' create b --size 1M nonsense=1
refused "one cold device" create b "$COLD" "$DISK2"
refused "Unknown algorithm" create b --size 1M algorithm=nonsense
refused "mem_limit is neither" create b --size 1M mem_limit=x
refused "needs a cold device" create b --size 1M policy=age
refused "has 96.0M, a device of 1.00G needs 1.04G: at most --size 88M" create b "$DISK2" --size 1G
blockdev --setro "$DISK2"
refused "read-only" create b "$DISK2"
refused "read-only" format "$DISK2"
blockdev --setrw "$DISK2"
check "devices" "$(zram_devices | sort | xargs)" = "a ram"

blk write /dev/mapper/a --ratio 3
fields=$(dmsetup message a 0 fields)
dmz status
says "a: 64.0M over $COLD \(192M\)"
says "ram: 1.50M, no cold device"
says "all stored +16384 +64.0M +100.0%"
dmz status /dev/mapper/ram
! [[ $OUT =~ a: ]] || fail "status of one device shows another"
dmz status --json a
python3 -c 'import json, sys
d = json.load(sys.stdin)["devices"]
assert len(d) == 1 and d[0]["name"] == "a" and d[0]["writes"] == 16384, d
assert sum(d[0]["ages"]["ram_%d" % i] for i in range(4)) > 0' <<<"$OUT" || fail "JSON: $OUT"
dmz status --prometheus
says 'dmzram_writes_total\{device="a"\} 16384'
says 'dmzram_blocks\{device="ram"\} 384'
# Every number of the kernel is there.
check "metrics of a" "$(grep -c 'device="a"' <<<"$OUT")" -ge "$(dmsetup message a 0 fields | wc -w)"
refused "there is no device nonsense" status nonsense
refused "not a dm-zram device" status "$COLD"
dmsetup create plain --table "0 8 zero"
refused "plain is not a dm-zram device" status plain
dmsetup remove plain

dmz top -b -d 0.3 -c 2 a
check "lines of two screens" "$(wc -l <<<"$OUT")" -eq 49
check "lines that are too wide" "$(awk 'length($0) > 80' <<<"$OUT" | wc -l)" -eq 0
says "in RAM only +[0-9]"
dmz top -b -d 0.3 -c 1
says "^a: 64.0M"
refused "no device nonsense" top nonsense

# ---- changes -----------------------------------------------------------------------------------

dmz set a mem_limit=8M demote_age=100
table_is a "0 131072 zram COLD 4 mem_limit 8M demote_age 100"
dmz set a mem_limit 12M
table_is a "0 131072 zram COLD 4 mem_limit 12M demote_age 100"
dmz set -n a mem_limit=1M
check "dry run of set" "$OUT" = "dmsetup message a 0 set mem_limit 1M"
dmz set a demote_age=
table_is a "0 131072 zram COLD 2 mem_limit 12M"
dmz set a overcommit
table_is a "0 131072 zram COLD 3 mem_limit 12M overcommit"
dmz set a overcommit=
table_is a "0 131072 zram COLD 2 mem_limit 12M"
dmz set -n a overcommit
says "^dmsetup reload a --table '0 131072 zram $COLD 3 mem_limit 12M overcommit'
dmsetup resume a$"
refused "neither a size" set a mem_limit=x
refused "set what" set a
refused "which device" set
refused "has no header" set --save a mem_limit=1M
refused "segment_size of an active device cannot be changed" set a segment_size=1M
refused "needs a cold device" set ram policy=age
blk verify /dev/mapper/a --ratio 3

dmz demote a 100
snap a
before=${S[cold_blocks]}
dmz demote a
dmz drain a
dmz compact a ram
snap a
check "cold blocks" "${S[cold_blocks]}" -gt "$before"
check "hot blocks" "${S[hot_blocks]}" -lt 100
dmz demote -n a 7
check "dry run of demote" "$OUT" = "dmsetup message a 0 demote 7"
refused "neither all nor" demote a some
refused "no cold device" demote ram
refused "no cold device" drain ram
refused "which device" compact

# ---- samples and advice ------------------------------------------------------------------------

dmz record --dir "$T/history" a
blk verify /dev/mapper/a --ratio 3
dmz record --dir "$T/history"
check "samples of a" "$(wc -l <"$T/history/a.history")" -eq 2
check "samples of ram" "$(wc -l <"$T/history/ram.history")" -eq 1
# Too many are cut.
for ((i = 0; i < 5100; i++)); do echo "time=1 reads=0 writes=0"; done >>"$T/history/a.history"
dmz record --dir "$T/history" a
check "samples that are kept" "$(wc -l <"$T/history/a.history")" -eq 4032
dmz record --dir "$T/history" a
dmz advise --dir "$T/history" a
says "a: the last 0\.[0-9] hours, 3 samples" # 0.0, unless the machine stood still
dmz advise a
says "a: since it was created"
says "stored +at most 16384 blocks, 64.0M, 100.0 %"
says "mem_limit +more may help"
dmz advise ram
refused "no device" advise nonsense
refused "one device" advise
refused "cannot be made" record --dir /proc/nonsense

# ---- in use, and removal -------------------------------------------------------------------------

refused "which device" remove
refused "no device nonsense" remove a nonsense
check "devices" "$(zram_devices | sort | xargs)" = "a ram"
within 30 mkfs mkfs.ext4 -q -E nodiscard /dev/mapper/a
mkdir "$T/mnt"
within 30 mount mount /dev/mapper/a "$T/mnt"
refused "mounted at $T/mnt: umount it first" remove a
within 30 umount umount "$T/mnt"
dmsetup create above --table "0 131072 linear /dev/mapper/a 0"
refused "a is in use by above" remove a
dmsetup remove above
dmz remove a /dev/mapper/ram
no_device "remove of two"

# ---- swap --------------------------------------------------------------------------------------

dmz swap -n s "$COLD" --size 32M mem_limit=25% -p 7
says "dmsetup create s .*
mkswap --force --label s /dev/mapper/s
swapon --discard=pages --priority 7 /dev/mapper/s"
no_device "dry run of swap"
echo 60 >/proc/sys/vm/swappiness
echo 3 >/proc/sys/vm/page-cluster
dmz swap s "$COLD" --size 32M
says "/dev/mapper/s: 32.0M of swap, priority 100"
[[ $OUT != *swappiness* ]] || fail "advice on swappiness for swap with a disk below"
check "swap areas" "$(awk '$1 == "/dev/mapper/s" { print $5 }' /proc/swaps)" = 100
refused "s is in use as swap" swap s
refused "s is in use as swap: swapoff /dev/mapper/s first" remove s
# A second one is above the first; without a cold device nothing is to be read ahead.
dmz create r --size 16M
dmz swap r --page-cluster auto
says "vm.swappiness is 60: 100 or more suits swap in RAM"
check "priority" "$(awk '$1 == "/dev/mapper/r" { print $5 }' /proc/swaps)" = 101
check "page-cluster" "$(cat /proc/sys/vm/page-cluster)" = 0
dmz remove -n --swapoff r
says "^swapoff /dev/mapper/r
dmsetup remove r$"
dmz remove --swapoff r s
no_device "swapoff and remove"
dmz swap s --size 16M --page-cluster 2
check "page-cluster" "$(cat /proc/sys/vm/page-cluster)" = 2
dmz remove --deferred s
check "still there" "$(zram_devices)" = s
dmsetup mknodes s # without udev, dmsetup took the node away
within 30 swapoff swapoff /dev/mapper/s
gone() { [ -z "$(zram_devices)" ]; }
wait_until 20 "the deferred removal" gone

# ---- header --------------------------------------------------------------------------------------

probe_is "$COLD" 2
dmz format -n "$COLD" --name disk0 mem_limit=16M
says "wipefs --quiet --all $COLD"
probe_is "$COLD" 2
dmz format "$COLD" --name disk0 --size 64M mem_limit=16M algorithm=zstd
probe_is "$COLD" 0 disk0
uuid=$(sed -n 's/^ID_FS_UUID=//p' "$T/probe")
refused "a header of dmzram, of disk0 on it: --force" format "$COLD"
refused "has a header, of disk0" create x "$COLD" --size 1M
refused "at most --size" format --force "$COLD" --size 1G
refused "is not a name" format --force "$COLD" --name "a b"
refused "mem_limit: \"1.5G\" is not a size that the kernel takes" format --force "$COLD" mem_limit=1.5G
refused "wear_budget: \"5%\" is not" format --force "$COLD" wear_budget=5%
refused "mem_limit: \"%\" is not" format --force "$COLD" mem_limit=%
refused "has no header" up "$DISK2"
refused "takes all from the header" create --from "$COLD" x
refused "takes all from the header" swap --from "$COLD" --size 1M
dmz up -n "$COLD"
says "dmsetup create disk0 --uuid DMZRAM-$uuid --table '0 131072 zram $COLD 4 mem_limit 16M algorithm zstd'"
dmz up "$COLD"
table_is disk0 "0 131072 zram COLD 4 mem_limit 16M algorithm zstd"
check "UUID" "$(dmsetup info -c --noheadings -o uuid disk0)" = "DMZRAM-$uuid"
dmz up "$COLD"
says "is up"
refused "in use by disk0" format --force "$COLD"
# The header area is not touched by what is stored; settings can be saved meanwhile.
blk write /dev/mapper/disk0 --ratio 2
dmz demote disk0
dmz drain disk0
dmz set --save disk0 mem_limit=24M demote_age=77
dmz set --save disk0 overcommit
probe_is "$COLD" 0 disk0
blk verify /dev/mapper/disk0 --ratio 2
dmz remove disk0
dmz create --from "$COLD"
table_is disk0 "0 131072 zram COLD 7 mem_limit 24M algorithm zstd demote_age 77 overcommit"
dmz swap --from "$COLD"
check "priority" "$(awk '$1 == "/dev/mapper/disk0" { print $5 }' /proc/swaps)" = 100
refused "disk0 is in use as swap" detach "$COLD"
probe_is "$COLD" 0 disk0
dmz detach --swapoff disk0
no_device "detach"
probe_is "$COLD" 2
check "what is left in the first MiB" "$(head -c 1M "$COLD" | tr -d '\000' | wc -c)" -eq 0
refused "nothing to detach" detach "$COLD"

# One copy damaged, then both.
dmz format "$COLD"
probe_is "$COLD" 0 "zram-${COLD##*/}"
printf x | dd of="$COLD" bs=1 seek=20 conv=notrunc,fsync status=none
dmz up "$COLD"
dmz remove "zram-${COLD##*/}"
printf x | dd of="$COLD" bs=1 seek=8212 conv=notrunc,fsync status=none
refused "its header is damaged" up "$COLD"
refused "a header of dmzram, damaged or" format "$COLD"
dmz format --force "$COLD"
dmz detach "$COLD"

# Something else is on it.
within 30 mkfs mkfs.ext4 -q "$COLD"
refused "has ext4 on it: --force" format "$COLD"
refused "has ext4 on it: wipefs --all $COLD if" create x "$COLD"
refused "has ext4 on it: wipefs --all $COLD if" swap x "$COLD"
no_device "create over ext4"
dmz create --force x "$COLD" --size 8M
dmz remove x
refused "no header" detach "$COLD"
mkdir -p "$T/mnt"
within 30 mount mount "$COLD" "$T/mnt"
refused "is mounted at $T/mnt" format --force "$COLD"
refused "is mounted at $T/mnt" create x "$COLD"
within 30 umount umount "$T/mnt"
dmz format --force "$COLD"
check "what blkid finds" "$(blkid -p -o value -s TYPE "$COLD" || true)" = ""
dmz detach "$COLD"
# Held by somebody whom sysfs does not name.
exec 7<"$COLD"
python3 -c 'import os, sys, time
f = os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)
open(sys.argv[2], "w").close()
time.sleep(600)' "$COLD" "$T/held" &
holder=$!
wait_until 20 "somebody who holds the device" test -e "$T/held"
rc=0
"$dmzram" format "$COLD" >"$T/out" 2>"$T/err" || rc=$?
check "status of format on a device that is held" $rc -eq 1
grep -q "is in use: it cannot be opened" "$T/err" || fail "format on a device that is held: $(cat "$T/err")"
kill -9 $holder
wait $holder 2>/dev/null || true
exec 7<&-
probe_is "$COLD" 2

# ---- an LV has the settings as tags --------------------------------------------------------------

lvm_conf="devices { scan = [ \"$(dirname "$COLD")\" ] filter = [ \"a|^$COLD\$|\", \"r|.*|\" ] use_devicesfile = 0 }
	activation { udev_sync = 0 udev_rules = 0 verify_udev_operations = 0 monitoring = 0 }
	global { use_lvmlockd = 0 use_lvmpolld = 0 } backup { backup = 0 archive = 0 }"
mkdir -p "$T/lvm"
echo "$lvm_conf" >"$T/lvm/lvm.conf"
export LVM_SYSTEM_DIR=$T/lvm
run_lvm() { within 60 "lvm $*" /sbin/lvm "$@" >"$T/lvm.out" 2>&1 || fail "lvm $*: $(cat "$T/lvm.out")"; }
run_lvm pvcreate -ff -y "$COLD"
run_lvm vgcreate -s 1M dmz "$COLD"
run_lvm lvcreate -y -W n -Z n -l 96 -n cold dmz
dmsetup mknodes
lv=/dev/mapper/dmz-cold
tags() { /sbin/lvm lvs --noheadings -o lv_tags dmz/cold 2>/dev/null | tr -d ' ' | tr ',' '\n' | sort | xargs; }
/sbin/lvm lvchange --addtag mine dmz/cold >/dev/null 2>&1
dmz format "$lv" mem_limit=25% algorithm=zstd overcommit
check "tags" "$(tags)" = "dmzram.algorithm=zstd dmzram.mem_limit=25/100 dmzram.name=zram-dmz-cold dmzram.overcommit dmzram.size=max mine"
refused "has a header, of zram-dmz-cold" create x "$lv"
dmz up "$lv"
dmz set --save zram-dmz-cold mem_limit=8M
check "tags" "$(tags)" = "dmzram.algorithm=zstd dmzram.mem_limit=8M dmzram.name=zram-dmz-cold dmzram.overcommit dmzram.size=max mine"
! /sbin/lvm lvremove -y dmz/cold >"$T/lvm.out" 2>&1 || fail "an LV below an active device was removed"
dmz detach "$lv"
check "tags" "$(tags)" = mine
no_device "detach"
run_lvm vgremove -ff -y dmz

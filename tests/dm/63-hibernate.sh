#!/bin/bash
# Hibernation: refused while the device is swap; with the module's parameter an image goes to a disk and
# comes back with every block, and one that would go to the device is refused when it is written.
# The image is read back without a power cycle ("test_resume").
# Not part of make check yet; by hand:
#   scripts/vm qemu-6.12 --mem 256M --cold 512M --timeout 900 -- tests/dm/63-hibernate.sh
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

[ -e /sys/power/disk ] || { note "the kernel has no hibernation"; exit 77; }
grep -q test_resume /sys/power/disk || { note "the kernel has no test_resume"; exit 77; }

# The guest's root comes over 9p, which does not survive hibernation: all that is needed from here on is
# in memory. Without its root the guest cannot end by itself, either.
root=/dev/shm/root
if [ -z "${DMZ_INSIDE:-}" ]; then
	programs="bash dmsetup blockdev mkswap swapon swapoff cat cut sleep dmesg sed tail sync date mknod
		awk mktemp basename dirname stat grep paste tr fold dd uname timeout kill rm"
	mkdir -p $root/tmp $root/tests/dm $root/build/tests-dm
	mount --bind $root $root
	for p in $programs; do
		p=$(type -P "$p") || fail "no $p"
		install -D "$p" "$root$p"
	done
	cp "$helpers"/dmz-* $root/build/tests-dm/
	find $root -type f -perm -u+x -exec ldd {} + 2>/dev/null | grep -o '/[^ :]*' | sort -u >"$T/libraries"
	while read -r p; do
		case $p in "$root"/*) continue ;; esac
		[ -e "$root$p" ] || install -D "$p" "$root$p"
	done <"$T/libraries"
	cp "$dm_dir/lib.sh" "$dm_dir/63-hibernate.sh" $root/tests/dm/
	cp "$dm_dir/../null-disk.sh" $root/tests/
	[ -e $root/bin ] || ln -s usr/bin $root/bin
	for p in proc sys dev; do mkdir -p $root/$p; mount --rbind /$p $root/$p; done
	modprobe dm-mod
	# Ends the guest if the test does not come back to a root that answers.
	DMZ_INSIDE=1 exec chroot $root /bin/bash /tests/dm/63-hibernate.sh
fi

dev=/dev/mapper/z
disk_mib=$(($(blockdev --getsize64 "$COLD") >> 20))
dmsetup create log --table "0 $((192 << 11)) linear $COLD 0"
dmsetup mknodes log
dmsetup create image --table "0 $(((disk_mib - 192) << 11)) linear $COLD $((192 << 11))"
dmsetup mknodes image
echo test_resume >/sys/power/disk
echo 1 >/sys/power/image_size
echo $((120000 * patience)) >/sys/power/pm_freeze_timeout # milliseconds

to() { # to DEVICE: where the image goes
	cat "$(sysfs "$1")/dev" >/sys/power/resume 2>/dev/null || true
	check "where the image goes" "$(cat /sys/power/resume)" = "$(cat "$(sysfs "$1")/dev")"
}
hibernate() { echo disk >/sys/power/state; }
allow() { echo "$1" >/sys/module/dm_zram/parameters/hibernation; }

# One device is swap, another one has data, half of it cold and all of it getting old.
dmsetup create log2 --table "0 $((96 << 11)) linear $COLD $((96 << 11))"
dmsetup mknodes log2
dmsetup reload log --table "0 $((96 << 11)) linear $COLD 0"
dmsetup resume log
create z 48M /dev/mapper/log mem_limit 8M demote_age 1
create data 48M /dev/mapper/log2 mem_limit 12M demote_age 1
within 60 mkswap mkswap $dev >/dev/null
within 60 mkswap mkswap /dev/mapper/image >/dev/null
blk write /dev/mapper/data --ratio 3 --seed 9 --batch 64
within 60 swapon swapon -p 5 $dev
within 60 swapon swapon -p 1 /dev/mapper/image

log_mark
to /dev/mapper/image
! hibernate 2>/dev/null || fail "hibernation with swap on the device"
want_log 'zram: [0-9:]*: no hibernation while the device is in use as swap'
[[ ! $LOG =~ Creating\ image ]] || fail "it was refused too late"
note "refused"

allow 1
log_mark
hibernate || fail "hibernation to a disk: $(dmesg | tail -n 20)"
want_log 'Image loading done|Image restored'
blk verify /dev/mapper/data --ratio 3 --seed 9 --batch 64
note "an image on a disk came back"

log_mark
to $dev
! hibernate 2>/dev/null || fail "an image was written to the device"
want_log 'zram: [0-9:]*: the hibernation image is refused'
blk verify /dev/mapper/data --ratio 3 --seed 9 --batch 64
note "an image on the device was refused"

# All goes on: demotion, messages, reloads.
before=$(stat data demotions)
blk write /dev/mapper/data --ratio 3 --seed 10 --batch 64
demotes() { [ "$(stat data demotions)" -gt "$before" ]; }
wait_until 60 "demotion to go on" demotes
reload data 48M /dev/mapper/log2 mem_limit 4M algorithm zstd
blk verify /dev/mapper/data --ratio 3 --seed 10 --batch 64
within 60 swapoff swapoff $dev
within 60 swapoff swapoff /dev/mapper/image
check_sane data
check "errors" $((S[cold_read_errors] + S[cold_write_errors] + S[write_fails])) -eq 0
remove data
remove z

# No swap on it: no reason to refuse.
create z 48M /dev/mapper/log mem_limit 8M
blk write $dev --ratio 3 --seed 11 --batch 64
allow 0
within 60 swapon swapon /dev/mapper/image
to /dev/mapper/image
hibernate || fail "hibernation beside a device that is not swap: $(dmesg | tail -n 20)"
blk verify $dev --ratio 3 --seed 11 --batch 64
within 60 swapoff swapoff /dev/mapper/image
remove z
note "done"
(sleep 5; echo o >/proc/sysrq-trigger) >/dev/null 2>&1 </dev/null &
exit 0

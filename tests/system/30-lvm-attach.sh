# shellcheck shell=bash disable=SC2154,SC2016
# An LV gets a header, and with it a dm-zram device that comes and goes with the LV: at once, after a reboot,
# after vgexport and vgimport, while it is moved to another disk. What is in use cannot be removed. In the
# end the LV is plain again.
# timeout: 900

machine "$image" 512
booted
volumes cold 200M
on 60 'pvcreate -q $DISK2'

note "attach: write a header; udev finds it, systemd brings the device up"
on 60 'dmzram format --name tier /dev/vg/cold mem_limit=32M algorithm=zstd'
up tier
on 60 <<'END' || fail "it is not as the header says"
dmsetup table tier
dmsetup table tier | grep -q 'algorithm zstd'
dmsetup table tier | grep -q 'mem_limit 32M\|mem_limit 33554432\|mem_limit 32768K'
lvs --noheadings -o tags vg/cold | grep -q dmzram.name=tier
lsblk -f | cat
lsblk -no FSTYPE /dev/vg/cold | grep -qx dmzram
dmsetup ls --tree | cat
systemctl list-units --no-legend --plain 'dm-zram@*' | grep -q active
END

note "no LVM command runs in the rule, and nothing else is seen through the cold device"
on 60 <<'END' || fail "udev sees more than it should"
refused grep -E '^[^#]*(lvs|vgs|pvs|lvm)' /usr/lib/udev/rules.d/*dm-zram.rules
# A PV on the device above: its label is not found on the cold device.
pvcreate -qq /dev/mapper/tier
dmsetup message tier 0 demote all
dmsetup message tier 0 drain
udevadm trigger --settle --action=change /dev/vg/cold
udevadm info -q property /dev/vg/cold | grep -x ID_FS_TYPE=dmzram
[ "$(pvs --noheadings -o name /dev/mapper/tier | tr -d ' ')" = /dev/mapper/tier ]
[ "$(pvs 2>&1 | grep -ci duplicate)" = 0 ]
pvremove -qq /dev/mapper/tier
END

note "an active device blocks lvremove, lvchange -an and vgchange -an"
on 120 <<'END' || fail "something was done to a cold device in use"
refused lvremove -y vg/cold
refused lvchange -an vg/cold
refused vgchange -an vg
[ -b /dev/mapper/tier ]
END

note "a file system on it, while the LV moves to another disk"
on 300 <<'END' || fail "data was lost in pvmove"
mkfs.ext4 -q -E nodiscard /dev/mapper/tier
mount /dev/mapper/tier /mnt
cp -r /usr/sbin /mnt/
find /mnt/sbin -type f -exec sha256sum {} + | sort >/root/sums
vgextend -q vg $DISK2
if modprobe -q dm-mirror; then
	pvmove -q -n cold $DISK1 $DISK2 &
	dmsetup message tier 0 demote all
	cp -r /usr/bin/l* /mnt/
	wait $!
	lvs --noheadings -o devices vg/cold | grep -q "${DISK2##*/}"
	vgreduce -q vg $DISK1
else
	echo "no mirror target in this kernel: the LV stays where it is"
fi
echo 3 >/proc/sys/vm/drop_caches
umount /mnt
mount /dev/mapper/tier /mnt
find /mnt/sbin -type f -exec sha256sum {} + | sort | cmp - /root/sums
umount /mnt
END
healthy

note "after a reboot it is there again"
reboot
up tier
on 30 'dmsetup table tier | grep zstd; refused blkid --probe /dev/mapper/tier' || fail "it is not there, or not empty"
healthy -1
healthy

note "vgexport, vgimport: the header travels along"
on 120 <<'END'
dmzram remove tier
vgchange -q -an vg
vgexport -q vg
refused vgchange -q -ay vg
[ ! -e /dev/mapper/tier ]
vgimport -q vg
vgchange -q -ay vg
END
up tier

note "detach: the LV is plain again, and stays so"
on 120 <<'END' || fail "detach has left something"
dmzram detach tier
udevadm settle
[ -z "$(wipefs --noheadings /dev/vg/cold)" ]
[ -z "$(lvs --noheadings -o tags vg/cold | tr -d " ")" ]
[ -z "$(lsblk -no FSTYPE /dev/vg/cold | tr -d ' \n')" ]
lvchange -an vg/cold
lvchange -ay vg/cold
udevadm settle
sleep 5
[ ! -e /dev/mapper/tier ]
END

note "attach again, and once more with another name over a device that was removed by hand"
on 60 'dmzram format --name again /dev/vg/cold'
up again
on 60 'dmzram remove again; dmzram format --force --name third /dev/vg/cold'
up third
on 120 <<'END' || fail "the LV is not free"
[ ! -e /dev/mapper/again ]
dmzram detach third
lvremove -qy vg/cold
END
healthy
poweroff
shut_down_well

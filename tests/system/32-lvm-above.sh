# shellcheck shell=bash disable=SC2154,SC2016
# A PV on a dm-zram device, so that several LVs share one tier in RAM: no PV is seen twice, and at shutdown
# all goes down in order, from the file systems to the cold LV.
# timeout: 900

machine "$image" 512
booted
volumes cold 300M
on 60 'dmzram format --name tier /dev/vg/cold mem_limit=32M'
up tier

note "a volume group above, with three LVs"
on 300 <<'END' || fail "the volume group above does not work"
pvcreate -q /dev/mapper/tier
vgcreate -q hot /dev/mapper/tier
for i in 1 2 3; do
	lvcreate -q -L 80M -n lv$i hot
	mkfs.ext4 -q -E nodiscard /dev/hot/lv$i
	mkdir -p /mnt/$i
	mount -o discard /dev/hot/lv$i /mnt/$i
	cp -r /usr/lib/systemd /mnt/$i/
	(cd /mnt/$i && find . -type f -exec sha256sum {} + | sort) >/root/sums.$i
done
cmp /root/sums.1 /root/sums.2
dmsetup message tier 0 demote all
echo 3 >/proc/sys/vm/drop_caches
for i in 1 2 3; do
	(cd /mnt/$i && find . -type f -exec sha256sum {} + | sort) | cmp - /root/sums.$i
done
lsblk
dmsetup ls --tree
END

note "each PV is seen once"
on 120 <<'END' || fail "LVM sees something twice"
dmsetup message tier 0 drain
sync
udevadm trigger --settle --action=change --subsystem-match=block
pvscan --cache 2>&1 | tee /root/scan
[ "$(grep -ci duplicate /root/scan)" = 0 ]
pvs
[ "$(pvs --noheadings 2>&1 | wc -l)" = 2 ]
[ "$(vgs --noheadings 2>&1 | wc -l)" = 2 ]
refused dmzram remove tier
refused lvremove -y vg/cold
END
healthy

note "down in order"
reboot
shut_down_well
healthy -1
# The PV was in RAM and in a log that is forgotten: there is one PV now.
on 120 '[ "$(pvs --noheadings 2>&1 | wc -l)" = 1 ]'
healthy
poweroff

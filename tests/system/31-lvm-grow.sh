# shellcheck shell=bash disable=SC2154,SC2016
# lvextend of the cold LV, then dmzram resize of the device above, with a file system in use on it; then it moves
# to another LV, while the unit of the first one is up: that LV is free, and it is the other one that counts.
# timeout: 900

machine "$image" 512
booted
volumes cold 100M next 320M
on 60 'dmzram format --name tier /dev/vg/cold mem_limit=16M'
up tier
on 120 <<'END'
mkfs.ext4 -q -E nodiscard /dev/mapper/tier
mount -o discard /dev/mapper/tier /mnt
cp -r /usr/lib/systemd /mnt/
(cd /mnt && find systemd -type f -exec sha256sum {} + | sort) >/root/sums
blockdev --getsize64 /dev/mapper/tier >/root/size
END
on 300 <<'END' || fail "it has not grown"
lvextend -q -L 300M vg/cold
dmzram resize tier max
blockdev --getsize64 /dev/mapper/tier
[ "$(blockdev --getsize64 /dev/mapper/tier)" -gt $(($(cat /root/size) * 2)) ]
resize2fs /dev/mapper/tier
[ "$(df --output=size -k /mnt | tail -n 1)" -gt 200000 ]
cp -r /usr/lib/systemd /mnt/again
dmsetup message tier 0 demote all
echo 3 >/proc/sys/vm/drop_caches
(cd /mnt && find systemd -type f -exec sha256sum {} + | sort) | cmp - /root/sums
(cd /mnt/again && find . -type f -exec sha256sum {} + | sed 's#\./#systemd/#' | sort) | cmp - /root/sums
udevadm settle
[ "$(systemctl is-active 'dm-zram@*')" = active ]
END
healthy

note "to another LV, in use, while the unit of the old one is up"
on 300 <<'END' || fail "it has not moved"
unit() { systemd-escape --template=dm-zram@.service --path "$(readlink -f "/sys/class/block/$(basename "$(readlink -f "$1")")")"; }
units() { systemctl list-units --no-legend --plain --full --state=active 'dm-zram@*' | awk '{ print $1 }'; }
old=$(unit /dev/vg/cold) new=$(unit /dev/vg/next)
[ "$(units)" = "$old" ]
dmzram move tier /dev/vg/next
for _ in $(seq 100); do
	[ "$(units)" != "$new" ] || break
	sleep 1
done
[ "$(units)" = "$new" ]
[ -z "$(wipefs --noheadings /dev/vg/cold)" ]
lvs --noheadings -o tags vg/next | grep dmzram.name=tier
[ -z "$(lvs --noheadings -o tags vg/cold | tr -d ' ')" ]
# The old one is nobody's: it goes, comes back, and goes for good; the device stays.
lvchange -an vg/cold
lvchange -ay vg/cold
udevadm settle
lvremove -qy vg/cold
udevadm settle
refused lvremove -y vg/next
[ "$(units)" = "$new" ]
dmsetup deps -o devname tier | grep -F '(vg-next)'
echo 3 >/proc/sys/vm/drop_caches
(cd /mnt && find systemd -type f -exec sha256sum {} + | sort) | cmp - /root/sums
END
healthy
reboot
shut_down_well
up tier
on 60 <<'END' || fail "it is not there over the other LV"
dmsetup deps -o devname tier | grep -F '(vg-next)'
[ "$(systemctl is-active 'dm-zram@*')" = active ]
END
healthy -1
healthy
poweroff
shut_down_well

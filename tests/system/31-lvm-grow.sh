# shellcheck shell=bash disable=SC2154,SC2016
# lvextend of the cold LV, then dmzram resize of the device above, with a file system in use on it.
# timeout: 900

machine "$image" 512
booted
volumes cold 100M
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
poweroff
shut_down_well

# shellcheck shell=bash disable=SC2154,SC2016
# Packages come and go while devices are active: an upgrade leaves them alone, without the module's package
# they go on, and the removal of the tools takes them down, or is refused.
# kinds: qemu
# timeout: 900

# newer DEB: prints the name of the same package with a higher version
newer() {
	local name
	name=$(basename "$1" .deb)
	dpkg-deb -R "$1" "$work/$name"
	sed -i 's/^Version: .*/&+1/' "$work/$name/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$work/$name" "$work/$name+1.deb" >/dev/null
	echo "$work/$name+1.deb"
}

machine "$image" 512
booted
on 120 <<'END'
# An initramfs for each step takes minutes here, and is not what this is about.
echo update_initramfs=no >/etc/initramfs-tools/update-initramfs.conf
pvcreate -q $DISK1
vgcreate -q vg $DISK1
lvcreate -q -L 300M -n cold vg
lvcreate -q -L 100M -n files vg
printf '[swap0]\ncold = vg/cold\nsize = 256M\n' >/etc/dm-zram.conf
systemctl daemon-reload
systemctl start dev-mapper-swap0.swap
dmzram format --name files /dev/vg/files
for i in $(seq 100); do [ ! -b /dev/mapper/files ] || break; sleep 0.5; done
mkfs.ext4 -q /dev/mapper/files
mount /dev/mapper/files /mnt
cp /usr/bin/l* /mnt
dmsetup info -c --noheadings -o name,uuid,open | sort >/root/devices
cat /root/devices
END

note "upgrade"
put "$(newer build/deb/dm-zram-tools_*.deb)" /root/tools.deb
on 200 <<'END' || fail "the upgrade has disturbed something"
dpkg -i /root/tools.deb
dpkg-query -W dm-zram-tools | grep '+1$'
dmsetup info -c --noheadings -o name,uuid,open | sort | cmp - /root/devices
swapon --noheadings | grep .
systemctl is-active dev-mapper-swap0.swap dm-zram-setup@swap0.service
END
healthy

note "the module's package goes: what is loaded stays"
on 300 <<'END' || fail "the devices do not outlive the package"
dpkg -r dm-zram-dkms
dmsetup info -c --noheadings -o name,uuid,open | sort | cmp - /root/devices
cmp /usr/bin/ls /mnt/ls
refused modinfo dm-zram
END

note "the tools go: refused while a file system is mounted that is not theirs"
on 200 <<'END' || fail "the removal has not been refused, or has done harm"
refused dpkg -r dm-zram-tools
dpkg-query -W -f '${db:Status-Status}\n' dm-zram-tools | grep -x installed
cmp /usr/bin/ls /mnt/ls
END
on 200 <<'END' || fail "the removal is not clean"
umount /mnt
dpkg -r dm-zram-tools
[ -z "$(swapon --noheadings)" ]
[ "$(dmsetup ls --target zram)" = "No devices found" ]
[ ! -e /usr/sbin/dmzram ]
[ ! -e /usr/lib/dm-zram ]
# LVs are as they were.
[ "$(lvs --noheadings vg | wc -l)" = 2 ]
END
reboot
on 30 'swapon; [ -z "$(swapon --noheadings)" ]'
poweroff

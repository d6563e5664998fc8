# shellcheck shell=bash disable=SC2154,SC2016
# Packages come and go while devices are active: an upgrade leaves them alone, though it builds the module
# anew; the removal of the tools is refused while it would do harm, else takes the devices down; installed
# again, they work without a reboot; and the devices outlive the package of the module.
# kinds: qemu
# timeout: 1500

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
volumes cold 300M files 100M
on 120 <<'END'
# An initramfs for each step takes minutes here, and is not what this is about.
echo update_initramfs=no >/etc/initramfs-tools/update-initramfs.conf
printf '[swap0]\ncold = vg/cold\nsize = 256M\n' >/etc/dm-zram.conf
systemctl daemon-reload
systemctl start dev-mapper-swap0.swap
dmzram format --name files /dev/vg/files
END
up files
on 120 <<'END'
mkfs.ext4 -q /dev/mapper/files
mount /dev/mapper/files /mnt
cp /usr/bin/l* /mnt
dmsetup info -c --noheadings -o name,uuid,open | sort >/root/devices
cat /root/devices
END

# as_before: the devices are, and what is on them.
as_before() {
	on 60 <<-'END'
		dmsetup info -c --noheadings -o name,uuid,open | sort | cmp - /root/devices
		swapon --noheadings --raw --show=NAME | grep -x "$(readlink -f /dev/mapper/swap0)"
		systemctl is-active dev-mapper-swap0.swap dm-zram-setup@swap0.service
		echo 3 >/proc/sys/vm/drop_caches
		for f in /usr/bin/l*; do cmp $f /mnt/${f##*/}; done
	END
	healthy
}

note "the tools are upgraded"
put "$(newer build/deb/dm-zram-tools_*.deb)" /root/tools.deb
put "$(newer build/deb/dm-zram-dkms_*.deb)" /root/dkms.deb
on 200 <<'END' || fail "the upgrade of the tools has failed"
dpkg -i /root/tools.deb
dpkg-query -W dm-zram-tools | grep '+1$'
END
as_before || fail "the upgrade of the tools has disturbed something"

note "the module is upgraded, which builds it: what is loaded stays"
on 1200 <<'END' || fail "the upgrade of the module has failed"
time dpkg -i /root/dkms.deb
dpkg-query -W dm-zram-dkms | grep '+1$'
dkms status
dkms status dm-zram | grep installed
modinfo -F filename dm-zram
END
as_before || fail "the upgrade of the module has disturbed something"

note "the tools go: refused while a file system is mounted that is not theirs"
on 200 <<'END' || fail "the removal has not been refused"
refused dpkg -r dm-zram-tools 2>&1 | tee /root/said
grep 'files is mounted at /mnt: umount it first: so the package stays' /root/said
dpkg-query -W -f '${db:Status-Status}\n' dm-zram-tools | grep -x installed
END
as_before || fail "the refused removal has done harm"

# gone: no device, and LVs as they were.
gone='[ -z "$(swapon --noheadings)" ]
	[ "$(dmsetup ls --target zram)" = "No devices found" ]
	[ ! -e /usr/sbin/dmzram ]
	[ ! -e /usr/lib/dm-zram ]
	[ "$(lvs --noheadings vg | wc -l)" = 2 ]'
on 200 <<END || fail "the removal is not clean"
umount /mnt
dpkg -r dm-zram-tools
$gone
END
healthy

note "installed again, all is there without a reboot"
on 200 <<'END' || fail "what was installed does not work"
dpkg -i /root/tools.deb
systemctl start dev-mapper-swap0.swap
udevadm trigger --settle --action=change --subsystem-match=block
END
up files
on 120 <<'END'
mkfs.ext4 -q /dev/mapper/files
mount /dev/mapper/files /mnt
cp /usr/bin/l* /mnt
dmsetup info -c --noheadings -o name,uuid,open | sort >/root/devices
END

note "the module's package goes: what is loaded stays"
on 300 <<'END' || fail "the package of the module cannot be removed"
dpkg -r dm-zram-dkms
refused modinfo dm-zram
END
as_before || fail "the devices do not outlive the package"
on 200 <<END || fail "the last removal is not clean"
umount /mnt
dpkg -r dm-zram-tools
$gone
END
healthy
reboot
on 30 'swapon; [ -z "$(swapon --noheadings)" ]'
healthy -1
healthy
poweroff
shut_down_well

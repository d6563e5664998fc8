# shellcheck shell=bash disable=SC2154,SC2016 # the variables are those of tests/system/run, the text is for the guest
# A guest with active devices, for the rows in which packages come and go. Sourced by them.

# newer DEB: prints the name of the same package with a higher version
newer() {
	local name
	name=$(basename "$1" .deb)
	dpkg-deb -R "$1" "$work/$name"
	sed -i 's/^Version: .*/&+1/' "$work/$name/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$work/$name" "$work/$name+1.deb" >/dev/null
	echo "$work/$name+1.deb"
}

# active_machine: swap by the configuration, and a file system on a device by its header.
active_machine() {
	machine "$image" 512
	booted
	volumes cold 300M files 100M
	on 120 <<-'END'
	# An initramfs for each step takes minutes here, and is not what this is about.
	echo update_initramfs=no >/etc/initramfs-tools/update-initramfs.conf
	printf '[swap0]\ncold = vg/cold\nsize = 256M\n' >/etc/dm-zram.conf
	systemctl daemon-reload
	systemctl start dev-mapper-swap0.swap
	dmzram format --name files /dev/vg/files
	END
	up files
	on 120 <<-'END'
	mkfs.ext4 -q /dev/mapper/files
	mount /dev/mapper/files /mnt
	cp /usr/bin/l* /mnt
	dmsetup info -c --noheadings -o name,uuid | sort >/root/devices
	cat /root/devices
	END
}

# as_before: the devices are, and what is on them.
as_before() {
	on 60 <<-'END'
		dmsetup info -c --noheadings -o name,uuid | sort | cmp - /root/devices
		swapon --noheadings --raw --show=NAME | grep -x "$(readlink -f /dev/mapper/swap0)"
		systemctl is-active dev-mapper-swap0.swap dm-zram-setup@swap0.service
		echo 3 >/proc/sys/vm/drop_caches
		for f in /usr/bin/l*; do cmp $f /mnt/${f##*/}; done
	END
	healthy
}

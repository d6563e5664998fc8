# shellcheck shell=bash
# The disk image of the system test's guests: a minimal Debian of the suite below with systemd,
# udev, lvm2, its stock kernel, and what DKMS needs. Sourced after common.sh and mirror.sh.
#
# Two stages, both in the cache: the tree as mmdebstrap makes it, known by the list of packages,
# and an image of that tree in which given packages of ours have been installed by dpkg in a
# chroot, known by these packages. So nothing is compiled on an emulated processor.

SYSTEM_SUITE=bookworm
SYSTEM_PACKAGES="systemd-sysv udev dbus lvm2 dmsetup e2fsprogs kmod initramfs-tools zstd procps mawk
	linux-image-amd64 linux-headers-amd64 dkms"
SYSTEM_DIR=$DMZ_CACHE/system
# Image of the root file system, in MiB.
SYSTEM_ROOT_MIB=2048

# Not needed, and half of the packages' size.
SYSTEM_EXCLUDE="/usr/share/doc/* /usr/share/man/* /usr/share/locale/* /usr/share/info/*
	/lib/modules/*/kernel/drivers/gpu/* /lib/modules/*/kernel/drivers/net/* /lib/modules/*/kernel/drivers/media/*
	/lib/modules/*/kernel/sound/*"

# Units that wait for a network, or work in the background at a time of their own.
SYSTEM_MASK="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
	fstrim.timer getty@tty1.service serial-getty@ttyS0.service systemd-timesyncd.service
	systemd-networkd-wait-online.service"

system_key() {
	{
		echo "$SYSTEM_SUITE" "$SYSTEM_PACKAGES" "$SYSTEM_EXCLUDE" "$SYSTEM_MASK"
		declare -f make_tree tune_tree
		cat "$DMZ_TOP"/tests/system/guest/*
	} | sha256sum | cut -c1-12
}

# system_tree: prints the directory of the first stage.
system_tree() {
	local dir
	dir=$SYSTEM_DIR/tree_$(system_key)
	[ -d "$dir" ] || with_lock system make_tree "$dir"
	echo "$dir"
}

make_tree() {
	local dir=$1 tmp log=$SYSTEM_DIR/tree.log p start excludes=()
	[ ! -d "$dir" ] || return 0
	mkdir -p "$SYSTEM_DIR"
	mirror_sources | grep -E " $SYSTEM_SUITE(-security)? " >"$SYSTEM_DIR/sources.list"
	say "system: making a Debian $SYSTEM_SUITE (log: $log)"
	start=$(date +%s)
	set -f
	for p in $SYSTEM_EXCLUDE; do excludes+=("--dpkgopt=path-exclude=$p"); done
	set +f
	tmp=$dir.tmp
	rm -rf "$tmp"
	if ! timeout -k 10 1800 mmdebstrap --mode=root --variant=apt --format=directory \
		--include="$(tr -s ' \t\n' ' ' <<<"$SYSTEM_PACKAGES")" "${excludes[@]}" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		"$SYSTEM_SUITE" "$tmp" "$SYSTEM_DIR/sources.list" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		die "system: mmdebstrap failed, see $log"
	fi
	tune_tree "$tmp"
	mv "$tmp" "$dir"
	# Those of older lists go; another checkout may use the one before this.
	find "$SYSTEM_DIR" -maxdepth 1 -name 'tree_*' ! -path "$dir" -mtime +7 -exec rm -rf {} +
	say "system: ready after $(($(date +%s) - start)) s"
}

# tune_tree DIR: what makes an installed system of it.
tune_tree() {
	local dir=$1 unit
	: >"$dir/etc/apt/sources.list"
	rm -rf "$dir"/var/cache/apt/* "$dir"/var/lib/apt/lists/*
	echo guest >"$dir/etc/hostname"
	# An initramfs of what this machine needs: small, quickly made and quickly unpacked.
	sed -i 's/^MODULES=.*/MODULES=list/' "$dir/etc/initramfs-tools/initramfs.conf"
	printf '%s\n' virtio_pci virtio_blk ext4 >>"$dir/etc/initramfs-tools/modules"
	echo '0123456789abcdef0123456789abcdef' >"$dir/etc/machine-id"
	: >"$dir/etc/fstab"
	mkdir -p "$dir/var/log/journal"
	for unit in $SYSTEM_MASK; do ln -sf /dev/null "$dir/etc/systemd/system/$unit"; done
	# An emulated processor on a busy machine.
	mkdir -p "$dir/etc/systemd/system.conf.d"
	printf '[Manager]\nDefaultTimeoutStartSec=600\nDefaultDeviceTimeoutSec=600\n' >"$dir/etc/systemd/system.conf.d/patience.conf"
	install -m 755 "$DMZ_TOP/tests/system/guest/agent" "$dir/usr/local/sbin/dmz-agent"
	install -m 644 "$DMZ_TOP/tests/system/guest/dmz-agent.service" "$dir/etc/systemd/system/"
	ln -s ../dmz-agent.service "$dir/etc/systemd/system/multi-user.target.wants/"
}

# system_image MODULES [DEB...]: prints the directory of an image in which these are installed: root.ext4,
# vmlinuz, initrd and release. MODULES is a directory with lib/modules of one more kernel, or "".
system_image() {
	local tree dir modules=$1
	shift
	tree=$(system_tree)
	dir=$SYSTEM_DIR/image_$({ echo "$tree"; declare -f make_image install_in; [ $# = 0 ] || cat "$@" | sha256sum
		[ -z "$modules" ] || find "$modules/lib/modules" -type f -exec sha256sum {} + | sort; } | sha256sum | cut -c1-12)
	[ -d "$dir" ] || with_lock system make_image "$tree" "$dir" "$modules" "$@"
	echo "$dir"
}

# make_image TREE DIR MODULES [DEB...]
make_image() {
	local tree=$1 dir=$2 modules=$3 tmp log=$SYSTEM_DIR/image.log start
	shift 3
	[ ! -d "$dir" ] || return 0
	start=$(date +%s)
	tmp=$(new_build_dir "$dir")
	mkdir -p "$tmp"/{upper,work,root,debs}
	[ $# = 0 ] || cp "$@" "$tmp/debs/"
	# shellcheck disable=SC2016 # for that other shell
	# Mounts of a name space of its own are gone with it, however this ends.
	if ! timeout -k 10 900 unshare -m --propagation private bash -c '. "$0"; install_in "$@"' \
		<(declare -f install_in) "$tree" "$tmp" "$SYSTEM_ROOT_MIB" "$modules" >"$log" 2>&1 </dev/null; then
		tail -n 40 "$log" >&2
		rm -rf "$tmp"
		die "system: the image cannot be made, see $log"
	fi
	mv "$tmp" "$dir"
	find "$SYSTEM_DIR" -maxdepth 1 -name 'image_*' ! -path "$dir" -mmin +720 -exec rm -rf {} +
	say "system: an image with ${#} packages of ours, after $(($(date +%s) - start)) s"
}

# install_in TREE DIR MIB MODULES: runs in a mount name space of its own.
install_in() {
	set -eux
	local root=$2/root vmlinuz
	mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$root"
	if [ -n "$(ls "$2/debs")" ]; then
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mkdir "$root/debs"
		cp "$2"/debs/* "$root/debs/"
		# No daemon is started in a chroot.
		printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
		chmod 755 "$root/usr/sbin/policy-rc.d"
		DEBIAN_FRONTEND=noninteractive chroot "$root" sh -c 'dpkg -i /debs/*.deb'
		rm -r "$root/debs" "$root/usr/sbin/policy-rc.d"
		umount -R "$root/dev" "$root/proc"
	fi
	[ -z "$4" ] || cp -a "$4/lib/modules/." "$root/lib/modules/"
	vmlinuz=$(echo "$root"/boot/vmlinuz-*)
	echo "${vmlinuz##*/vmlinuz-}" >"$2/release"
	cp "$vmlinuz" "$2/vmlinuz"
	cp "$root"/boot/initrd.img-* "$2/initrd"
	mke2fs -q -t ext4 -m 0 -E lazy_itable_init=1,root_owner=0:0 -d "$root" "$2/root.ext4" "$3M"
	umount "$root"
	rm -rf "$2"/{upper,work,root,debs}
}

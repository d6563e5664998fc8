# shellcheck shell=bash disable=SC2154,SC2034,SC2054 # the variables are those of scripts/vm, which sources this
# Start a QEMU guest with a stock Debian kernel: sets $guest, the process group.
#
# No KVM is needed. The guest's root is an overlay of three layers: memory on top, then an ext4
# image of the programs that tests use (virtio-blk, read only, in the cache), then the host's root
# by 9p for all the rest. Programs that are paged in while the guest swaps come from the image,
# over a path that needs next to no memory; 9p is slow, and allocates for each page.
# The kernel's log is the serial line; the command's terminal is a virtio console; its
# status comes back on a second virtio port.

# Programs in the image: packages, with all that these depend on.
GUEST_PACKAGES="bash bc binutils busybox-static bzip2 coreutils diffutils dmsetup e2fsprogs findutils fio gcc
	grep gzip hostname iproute2 kmod libc6-dev lvm2 make mawk mount nbd-client nbdkit perl-base procps
	python3 python3-minimal sed sqlite3 stress-ng tar thin-provisioning-tools util-linux xfsprogs xz-utils zstd"

GUEST_BOOT_MODULES="virtio_pci virtio_blk virtio_console virtio_rng 9p 9pnet_virtio overlay ext4"

# guest_image: prints the image's name. It follows what is installed on the host.
guest_image() {
	local key img
	key=$({ stat -c '%s %Y' /var/lib/dpkg/status; echo "$GUEST_PACKAGES"; declare -f make_image; } | sha256sum | cut -c1-12)
	img=$DMZ_CACHE/guest/programs_$key.ext4
	mkdir -p "$DMZ_CACHE/guest"
	[ -e "$img" ] || with_lock programs make_image "$img"
	echo "$img"
}

make_image() {
	local img=$1 dir pkgs kb
	[ ! -e "$img" ] || return 0
	say "packing the programs for the guest"
	rm -f "$DMZ_CACHE"/guest/programs_*
	dir=$(new_build_dir "$DMZ_CACHE/guest/staging")
	mkdir -p "$dir"/usr/{bin,sbin,lib,lib64}
	for d in bin sbin lib lib64; do ln -s "usr/$d" "$dir/$d"; done
	# shellcheck disable=SC2086 # a list of words
	pkgs=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances $GUEST_PACKAGES | grep '^[a-z0-9]' | sort -u)
	# shellcheck disable=SC2086
	{
		dpkg-query -L $pkgs 2>/dev/null
		find /etc ! -name 'shadow*' ! -name 'gshadow*' ! -path '*ssh*' ! -path '*ssl*'
	} | sed 's#^/\(bin\|sbin\|lib\|lib64\)/#/usr/\1/#' |
		grep -vE '^/usr/share/(doc|man|info|locale|lintian|bug)/|^/(etc|usr)$|^/\.$|^/(bin|sbin|lib|lib64)$|diverted' |
		sort -u | while read -r f; do
		[ ! -L "$f" ] && [ -d "$f" ] || [ ! -e "$f" ] || echo "${f#/}"
	done | tar -C / --no-recursion -cf - -T - | tar -C "$dir" -xf -
	kb=$(du -sk "$dir" | cut -f1)
	mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -N 40000 -E lazy_itable_init=0 \
		-d "$dir" "$img.new" "$((kb * 11 / 10 + 16384))" >/dev/null
	rm -rf "$dir"
	mv "$img.new" "$img"
}

# guest_initrd: prints the initramfs for $kernel.
guest_initrd() {
	local name
	name=$DMZ_CACHE/guest/initrd_${kernel##*/}_$({ echo "$GUEST_BOOT_MODULES"; cat "$DMZ_TOP/scripts/lib/qemu-init"; } | sha256sum | cut -c1-12)
	[ -e "$name" ] || with_lock "initrd" make_initrd "$name"
	echo "$name"
}

make_initrd() {
	local name=$1 dir m
	mkdir -p "$DMZ_CACHE/guest"
	rm -f "$DMZ_CACHE/guest/initrd_${kernel##*/}_"*
	dir=$(new_build_dir "$name")
	mkdir -p "$dir/bin" "$dir/mod"
	cp /bin/busybox "$dir/bin/busybox"
	cp "$DMZ_TOP/scripts/lib/qemu-init" "$dir/init"
	for m in $GUEST_BOOT_MODULES; do
		modprobe -a -d "$kernel/root" -S "$release" --show-depends "$m" 2>/dev/null || true
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r m; do
		cp "$m" "$dir/mod/"
		echo "/mod/${m##*/}" >>"$dir/mod/order"
	done
	(cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 >"$name.new"
	rm -rf "$dir"
	mv "$name.new" "$name"
}

vm_start() {
	local image initrd args append i=0 d accel=(-accel tcg,thread=multi)
	[ -z "$icount" ] || accel=(-accel tcg,thread=single -icount shift=0,sleep=off)
	image=$(guest_image)
	initrd=$(guest_initrd)
	append="$QEMU_APPEND console=ttyS0 loglevel=7 printk.devkmsg=on mitigations=off nokaslr panic=-1 oops=panic"
	# An emulated processor may stand still for long, when the host is busy: no_timer_check, or the
	# boot may end in "IO-APIC + timer doesn't work"; and more patience for whoever watches.
	append+=" no_timer_check watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=60 workqueue.watchdog_thresh=120 dmz_top=$DMZ_TOP"
	args=("${accel[@]}" -machine q35 -cpu "$QEMU_CPU" -smp "$cpus" -m "$mem"
		-nodefaults -no-user-config -display none -vga none -no-reboot
		-kernel "$kernel/vmlinuz" -initrd "$initrd"
		-chardev "file,id=klog,path=$klog,append=on" -serial chardev:klog
		-device virtio-serial-pci
		-chardev stdio,id=io,signal=off -device virtconsole,chardev=io
		-chardev "file,id=status,path=$ctl/status" -device virtserialport,chardev=status,name=dmz.status
		-device virtio-rng-pci
		-drive "file=$image,format=raw,if=none,id=programs,readonly=on" -device virtio-blk-pci,drive=programs
		-fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap
		-device virtio-9p-pci,fsdev=host,mount_tag=host)
	if [ -n "$cold_dev" ]; then
		args+=(-drive "file=$work/cold,format=raw,if=none,id=cold,discard=unmap,cache=unsafe${cold_iops:+,throttling.iops-total=$cold_iops}${cold_bps:+,throttling.bps-total=$cold_bps}"
			-device virtio-blk-pci,drive=cold)
	fi
	if [ -n "$disk2_dev" ]; then
		[ -n "$cold_dev" ] || bad "--disk wants a cold disk too"
		args+=(-drive "file=$work/disk2,format=raw,if=none,id=disk2,discard=unmap,cache=unsafe"
			-device virtio-blk-pci,drive=disk2)
	fi
	for d in "$ctl:/run/dmz" "$DMZ_TOP:$DMZ_TOP" ${rw_dirs[@]+"${rw_dirs[@]/%/:}"}; do
		args+=(-fsdev "local,id=rw$i,path=${d%%:*},security_model=none,multidevs=remap"
			-device "virtio-9p-pci,fsdev=rw$i,mount_tag=rw$i")
		append+=" dmz_rw$i=${d##*:}"
		[ -n "${d##*:}" ] || append+="${d%%:*}"
		i=$((i + 1))
	done
	"${runner[@]}" qemu-system-x86_64 "${args[@]}" -append "$append" <&3 >&4 2>>"$klog" &
	guest=$!
}

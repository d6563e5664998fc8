# shellcheck shell=bash disable=SC2154,SC2016
# A Debian without our packages: apt installs them there and then, which builds the module and the initramfs.
# What the configuration names is active at once, and after a reboot. (User Mode Linux has the module, and gets
# the tools alone.)
# timeout: 1800

modules="" debs=("$out"/dm-zram-*.deb)
[ "$KIND" = qemu ] || modules=$out/modules debs=("$out"/dm-zram-tools_*.deb)
machine "$(system_image "$modules")" 512
booted
healthy
volumes cold 300M
on 30 '[ -b /dev/ubda ] || refused modinfo dm-zram; refused command -v dmzram' || fail "this guest is not a fresh one"

for deb in "${debs[@]}"; do put "$deb" "/root/${deb##*/}"; done
on 1200 <<'END' || fail "apt cannot install the packages"
export DEBIAN_FRONTEND=noninteractive
time apt-get -q install -y /root/dm-zram-*.deb
if [ ! -b /dev/ubda ]; then
	dkms status dm-zram | grep installed
	lsinitramfs /boot/initrd.img-$(uname -r) | grep /dm-zram.ko
fi
END
healthy

is_swap() {
	on 60 <<-'END'
		swapon --noheadings --raw --show=NAME,PRIO
		[ "$(swapon --noheadings --raw --show=NAME,PRIO)" = "$(readlink -f /dev/mapper/swap0) 100" ]
		dmsetup deps -o devname swap0 | grep -F '(vg-cold)'
	END
}
note "four lines, and no reboot"
on 120 <<'END' || fail "swap cannot be started"
cat >/etc/dm-zram.conf <<CONF
[swap0]
cold = vg/cold
size = ram / 2
limit = ram / 8
CONF
systemctl daemon-reload
systemctl restart dev-mapper-swap0.swap
END
is_swap || fail "swap is not as configured"
healthy
note "a setting is changed"
on 120 <<'END' || fail "the change cannot be had without a reboot"
before=$(dmsetup table swap0)
sed -i 's|ram / 8|ram / 4|' /etc/dm-zram.conf
systemctl daemon-reload
systemctl stop dm-zram-setup@swap0
[ ! -e /dev/mapper/swap0 ]
systemctl start dev-mapper-swap0.swap
dmsetup table swap0
[ "$(dmsetup table swap0)" != "$before" ]
END
is_swap || fail "swap is not as configured after a change"
healthy
reboot
is_swap || fail "swap is not there after the reboot"
healthy -1
healthy
poweroff
shut_down_well

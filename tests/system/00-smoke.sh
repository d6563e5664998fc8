# shellcheck shell=bash disable=SC2154,SC2016
# The short form for `make check`: a configuration, a reboot, swap over an LV and a device by a header beside
# it are there; the machine goes down without a complaint.
# timeout: 600

machine "$image" 384
booted
volumes cold 300M other 200M
on 60 <<'END'
dmzram format --name tier /dev/vg/other
printf '[swap0]\ncold = vg/cold\nsize = 256M\nlimit = ram / 8\n' >/etc/dm-zram.conf
END
reboot
up tier
on 120 <<'END' || fail "not all is up"
lsblk
[ "$(swapon --noheadings --raw --show=NAME,PRIO)" = "$(readlink -f /dev/mapper/swap0) 100" ]
lsblk -no FSTYPE /dev/vg/other | head -n 1 | grep -x dmzram
# It is in the initramfs, too, for whoever names it there. (User Mode Linux has none.)
[ -b /dev/ubda ] || lsinitramfs /boot/initrd.img-$(uname -r) | grep /dm-zram.ko
END
healthy
poweroff
shut_down_well

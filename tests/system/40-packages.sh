# shellcheck shell=bash disable=SC2154,SC2016
# The tools' package comes and goes while devices are active: an upgrade leaves them alone; the removal is
# refused while it would do harm, else it takes them down; installed again, all is there without a reboot.
# timeout: 900

# shellcheck source=tests/system/active.sh
. tests/system/active.sh

active_machine

note "the tools are upgraded"
put "$(newer "$out"/dm-zram-tools_*.deb)" /root/tools.deb
on 200 <<'END' || fail "the upgrade of the tools has failed"
dpkg -i /root/tools.deb
dpkg-query -W dm-zram-tools | grep '+1$'
END
as_before || fail "the upgrade of the tools has disturbed something"

note "the tools go: refused while a file system is mounted that is not theirs"
on 200 <<'END' || fail "the removal has not been refused"
refused dpkg -r dm-zram-tools 2>&1 | tee /root/said
grep 'files is mounted at /mnt: umount it first: so the package stays' /root/said
dpkg-query -W -f '${db:Status-Status}\n' dm-zram-tools | grep -x installed
END
as_before || fail "the refused removal has done harm"

# gone: no device, and LVs as they were.
gone='[ -z "$(swapon --noheadings)" ]
	refused grep -q ^DMZRAM- <(dmsetup info -c --noheadings -o uuid)
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
on 60 <<'END' || fail "what was installed does not work"
mkfs.ext4 -q /dev/mapper/files
mount /dev/mapper/files /mnt
swapon --noheadings --raw --show=NAME | grep -x "$(readlink -f /dev/mapper/swap0)"
umount /mnt
END
healthy

on 200 <<END || fail "the last removal is not clean"
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

# shellcheck shell=bash disable=SC2154,SC2016
# The module's package comes and goes while devices are active: an upgrade, which builds it anew, leaves them
# alone, and what is loaded outlives its removal.
# kinds: qemu
# timeout: 1500

# shellcheck source=tests/system/active.sh
. tests/system/active.sh

active_machine

note "it is upgraded"
put "$(newer "$out"/dm-zram-dkms_*.deb)" /root/dkms.deb
on 1200 <<'END' || fail "the upgrade of the module has failed"
time dpkg -i /root/dkms.deb
dpkg-query -W dm-zram-dkms | grep '+1$'
dkms status
dkms status dm-zram | grep installed
modinfo -F filename dm-zram
END
as_before || fail "the upgrade of the module has disturbed something"

note "the module's package goes: what is loaded stays"
on 300 <<'END' || fail "the package of the module cannot be removed"
dpkg -r dm-zram-dkms
refused modinfo dm-zram
END
as_before || fail "the devices do not outlive the package"
note "without it the boot goes on, and the journal says what is missing"
reboot
on 60 <<'END' || fail "without the module it should boot, without swap, and say so"
[ "$(systemctl is-active multi-user.target)" = active ]
[ -z "$(swapon --noheadings)" ]
journalctl -q -b -p err -o cat -u dm-zram-setup@swap0 -u 'dm-zram@*'
journalctl -q -b -p err -o cat -u dm-zram-setup@swap0 | grep -x 'dm-zram: \[swap0\] .*load the module: modprobe dm-zram'
END
healthy -1
poweroff

# shellcheck shell=bash disable=SC2154,SC2016
# Mistakes in /etc/dm-zram.conf: each is one line of the journal that says what it is, what is right is
# set up, and the boot goes on.
# timeout: 900

machine "$image" 512
booted
volumes cold 300M small 100M
on 120 <<'END'
mkfs.ext4 -q $DISK2
dumpe2fs -h $DISK2 2>/dev/null | grep UUID >/root/uuid
mkdir /etc/dm-zram.conf.d
cat >/etc/dm-zram.conf <<CONF
size = 1G
[good]
cold = vg/cold
size = 100M
[no number]
[number]
size = rum / 2
[paren]
size = (ram / 2
[key]
sise = 1G
[line]
swap
[path]
cold = cold
[missing]
cold = vg/none
cold-timeout = 60
[data]
cold = $DISK2
[small]
cold = vg/small
size = 4G
[setting]
arguments = algorithm=zip
[nofs]
mount-point = /srv/nofs
fs-type = nofs
[half]
size = 16M
mount-point = /srv/half
mkfs-options = --nonsense
[max]
size = max
[priority]
swap-priority = high
CONF
printf '[good]\nswap-priority = 7\n' >/etc/dm-zram.conf.d/priority.conf
END
reboot

# Errors of ours in the journal: those of the generator, which come through the kernel, and of the service.
ours="journalctl -q -b -p err -o short --no-hostname | grep -E ' dm-zram(-setup)?(\\[[0-9]+\\])?: '"

# one REGEX: one line of the journal says so, not none, not two.
one() {
	local got
	got=$(on 60 "$ours | grep -cE -- '$1' || :")
	[ "$got" = 1 ] || fail "$got lines of the journal, not 1, match \"$1\":
$(on 60 "$ours")"
}

on 30 '[ "$(systemctl is-system-running)" = degraded ]; systemctl is-active multi-user.target; swapon
	[ "$(swapon --noheadings --raw --show=NAME,PRIO)" = "$(readlink -f /dev/mapper/good) 7" ]' ||
	fail "the boot has not gone on as it should"
one 'dm-zram.conf:1: "size" stands before the first'
one 'dm-zram.conf:5: \[no number\]: a name of letters'
one 'dm-zram.conf:7: size: what is "rum"\?'
one 'dm-zram.conf:9: size: "\)" is missing'
one 'dm-zram.conf:11: there is no key "sise"'
one 'dm-zram.conf:13: "swap" is not "key = value"'
one 'dm-zram.conf:15: cold: "cold" is neither'
one '\[missing\] cold device /dev/vg/none is not there'
one '\[data\] cold device /dev/[a-z]* holds data \(ext4\)'
one '\[small\] /dev/vg/small has 100M, a device of 4.00G needs'
one '\[setting\] .*[Aa]lgorithm'
one '\[half\] mkfs.ext4 has failed'
one '\[nofs\] fs-type: there is no mkfs.nofs'
one 'dm-zram.conf:34: size: max is as much as the cold device'
one 'dm-zram.conf:36: swap-priority: "high" is not a number'
on 60 <<END || fail "there are other complaints"
$ours
[ "\$($ours | wc -l)" = 15 ]
# The same, for who wants to know before a reboot.
refused /usr/lib/dm-zram/dm-zram-setup check
[ "\$(/usr/lib/dm-zram/dm-zram-setup check 2>&1 | wc -l)" = 9 ]
END
on 30 'dumpe2fs -h $DISK2 2>/dev/null | grep UUID | cmp - /root/uuid' || fail "somebody has written to a device that held data"

note "what has failed halfway leaves nothing behind"
on 60 <<'END' || fail "a section that was mended cannot be started"
[ ! -e /dev/mapper/half ]
sed -i /nonsense/d /etc/dm-zram.conf
systemctl daemon-reload
systemctl start srv-half.mount
mountpoint -q /srv/half
umount /srv/half
END

note "all mended"
on 60 'printf "[good]\ncold = vg/cold\nsize = 100M\n" >/etc/dm-zram.conf; rm -r /etc/dm-zram.conf.d'
reboot
healthy
on 30 '[ "$(swapon --noheadings --raw --show=NAME,PRIO)" = "$(readlink -f /dev/mapper/good) 100" ]'
poweroff

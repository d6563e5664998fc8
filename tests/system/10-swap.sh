# shellcheck shell=bash disable=SC2154,SC2016
# From the packages and four lines of configuration to swap over an LV: after a reboot it is active, at
# the right priority, a job beyond RAM runs in it, and reboot and poweroff are clean.
# timeout: 900

machine "$image" 320
booted
healthy

note "an LV, and four lines of configuration"
on 120 <<'END'
pvcreate -q $DISK1
vgcreate -q vg $DISK1
lvcreate -q -L 900M -n cold vg
cat >/etc/dm-zram.conf <<CONF
[swap0]
cold = vg/cold
size = ram * 2
limit = ram / 4
CONF
/usr/lib/dm-zram/dm-zram-setup show
END
reboot
healthy

# is_swap: swap is on, on our device, with the priority of the configuration.
is_swap() {
	on 30 <<-'END'
		swapon --noheadings --raw --show=NAME,PRIO
		dmzram status swap0
		dev=$(readlink -f /dev/mapper/swap0)
		[ "$(swapon --noheadings --raw --show=NAME,PRIO)" = "$dev 100" ]
		[ "$(systemctl is-active dev-mapper-swap0.swap)" = active ]
		systemctl show -p After sysinit.target | grep -q swap.target
		ram=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
		[ "$(blockdev --getsize64 "$dev")" = $((ram * 1024 * 2 / 4096 * 4096)) ]
		# Discards reach it: swapon --discard=pages.
		grep -q . /sys/block/${dev##*/}/queue/discard_max_bytes
	END
}
is_swap || fail "swap is not as configured"

note "a job beyond the RAM"
on 600 <<'END' || fail "the job beyond RAM has failed"
ram=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
# Lines in memory, as many as make awk 1.3 times as large as RAM (some 200 bytes each), then all of them again.
awk -v kb="$ram" 'BEGIN {
	n = int(kb * 1024 * 1.3 / 200)
	for (i = 0; i < n; i++)
		a[i] = sprintf("%d %x %s", i, (i * 40503) % 2147483647, "the quick brown fox jumps over the lazy dog")
	for (i = 0; i < n; i++) {
		split(a[i], w, " ")
		bad += w[1] != i
	}
	printf "%d lines, %d wrong\n", n, bad
	while ((getline line <"/proc/self/status") > 0)
		if (line ~ /^Vm(Peak|HWM|Swap)/)
			print line
	exit bad != 0 }'
swapon --show --bytes
dmzram status swap0
END
on 30 'dmsetup status swap0; [ "$(dmzram status --json swap0 | tr -d " \n" | grep -o "\"cold_write_bytes\":[0-9]*" | cut -d: -f2)" -gt 0 ]' ||
	fail "nothing has reached the cold device"
healthy

note "something is in swap when it goes down"
on 300 <<'END'
systemd-run -q --unit=hold sh -c 'x=$(head -c 60000000 /dev/urandom | od -An -tx8); sleep 1000'
for i in $(seq 200); do sleep 1; [ "$(awk '/^SwapFree/ { f = $2 } /^SwapTotal/ { t = $2 } END { print t - f }' /proc/meminfo)" -lt 20000 ] || break; done
swapon --show
free -m
END
reboot
healthy -1
healthy
is_swap || fail "swap is not there after the second reboot"
poweroff
shut_down_well

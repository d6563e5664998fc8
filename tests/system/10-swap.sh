# shellcheck shell=bash disable=SC2154,SC2016
# From the packages and four lines of configuration to swap over an LV: after a reboot it is active, at
# the right priority, a job beyond RAM runs in it, and reboot and poweroff are clean.
# timeout: 1800

machine "$image" 320
booted
healthy

note "an LV, and four lines of configuration"
volumes cold 900M
on 60 <<'END'
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
		dmsetup deps -o devname swap0 | grep -F '(vg-cold)'
		dev=$(readlink -f /dev/mapper/swap0)
		[ "$(swapon --noheadings --raw --show=NAME,PRIO)" = "$dev 100" ]
		[ "$(systemctl is-active dev-mapper-swap0.swap)" = active ]
		systemctl show -p After sysinit.target | grep -q swap.target
		ram=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
		[ "$(blockdev --getsize64 "$dev")" = $((ram * 1024 * 2 / 4096 * 4096)) ]
		# Discards reach it: swapon --discard=pages.
		[ "$(cat /sys/block/${dev##*/}/queue/discard_max_bytes)" -gt 0 ]
	END
}
is_swap || fail "swap is not as configured"

note "a job beyond the RAM"
on 900 <<'END' || fail "the job beyond RAM has failed"
ram=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
# Lines in memory, of which half does not compress, until awk has 1.3 times the RAM; then all of them again.
# 64 of them make an element of the array: its own parts, which are scattered, are to stay few.
awk -v kb="$ram" '
	function line(i) {
		return sprintf("%d %08x%08x%08x%08x the quick brown fox jumps over the lazy dog\n", i, i * 40503 % 2147483647,
			i * 69621 % 2147483629, i * 48271 % 2147483587, i * 16807 % 2147483579)
	}
	function lines(n,    i, s) {
		for (i = n * 64; i < n * 64 + 64; i++)
			s = s line(i)
		return s
	}
	function has(    status, w, sum) {
		while ((getline status <"/proc/self/status") > 0)
			if (split(status, w, "[: \t]+") && w[1] ~ /^Vm(RSS|Swap)$/)
				sum += w[2]
		close("/proc/self/status")
		return sum
	}
	BEGIN {
		do
			do
				a[n + 0] = lines(n)
			while (++n % 200)
		while (has() < kb * 1.3)
		for (i = 0; i < n; i++)
			bad += a[i] != lines(i)
		printf "%d times 64 lines, %d wrong, in %d KiB where there is RAM of %d\n", n, bad, has(), kb
		exit bad != 0
	}'
swapon --show --bytes
dmzram status swap0
# Without being told so, some of it has gone to the LV, and come back.
dmzram status --json swap0 | tr -d ' \n' >/root/status
for field in cold_write_bytes cold_reads; do
	[ "$(grep -o "\"$field\":[0-9]*" /root/status | cut -d: -f2)" -gt 0 ]
done
END
healthy

note "something is in swap when it goes down"
on 300 <<'END'
systemd-run -q --unit=hold sh -c 'x=$(head -c 60000000 /dev/urandom | od -An -tx8); sleep 1000'
used() { awk '/^SwapFree/ { f = $2 } /^SwapTotal/ { t = $2 } END { print t - f }' /proc/meminfo; }
for i in $(seq 200); do
	[ "$(used)" -lt 20000 ] || break
	sleep 1
done
swapon --show
[ "$(used)" -ge 20000 ]
END
reboot
healthy -1
healthy
is_swap || fail "swap is not there after the second reboot"
poweroff
shut_down_well

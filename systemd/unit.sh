# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# What dm-zram-setup and dm-zram-header do with a device. Sourced by both.

# The journal takes <3> for an error.
say() { printf 'dm-zram: %s\n' "$*" >&2; }
die() {
	printf '%sdm-zram: %s\n' "${JOURNAL_STREAM:+<3>}" "$*" >&2
	exit 1
}

# reason OUTPUT: what dmzram said last, without its name.
reason() { printf '%s\n' "$1" | tail -n 1 | sed 's/^dmzram[a-z ]*: //'; }

# One cold device may be named by its header and by the configuration: the first one brings the device up,
# the second one finds it. Until the end of the process.
one_at_a_time() {
	exec 9>/run/dm-zram.lock
	flock -w 60 9 || die "another dm-zram unit holds /run/dm-zram.lock for more than 60 s"
}

stopping() { [ "$(systemctl is-system-running 2>/dev/null)" = stopping ]; }

# release NAME: remove the device. At shutdown systemd knows a swap area by several names, and each
# is a unit of its own: our swap unit may have ended because another one's swapoff was at work. So it is
# tried again then. What is used by other devices (a PV) is left to blk-availability.service,
# which comes next; what is still in use as swap, to systemd-shutdown.
release() {
	local out node tries=0
	node=$(readlink -f "/dev/mapper/$1")
	while ! out=$(dmzram remove "$1" 2>&1); do
		stopping || die "[$1] $(reason "$out")"
		if [ -n "$(ls -A "/sys/class/block/${node##*/}/holders" 2>/dev/null)" ] || [ $tries -ge 300 ]; then
			say "[$1] is left to the end of the shutdown: $(reason "$out")"
			return
		fi
		tries=$((tries + 1))
		sleep 0.2
	done
}

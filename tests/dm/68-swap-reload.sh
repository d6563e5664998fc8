#!/bin/bash
# Swap on a device that is suspended, reloaded and grown all the time: a working set of twice the RAM
# checks itself. One ioctl suspends, takes the new table over and resumes: whoever did it in two might
# have to be swapped in between them.
# vm: qemu-6.12
# mem: 128M
# cold: 640M
# cpus: 2
# timeout: 900
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

ram=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
work=$((ram * 2))
mib=$((work + 64))
create z ${mib}M "$COLD"
within 60 mkswap mkswap /dev/mapper/z >"$T/mkswap" || fail "mkswap: $(cat "$T/mkswap")"
within 60 swapon swapon --discard=pages /dev/mapper/z
if $DEBUG; then # see 30-swap.sh
	in_background bash -c 'while :; do read -r _ </proc/uptime; sleep 0.05; done'
fi

codecs=(zstd lzo-rle lz4)
limits=(50% 20% 32M)
n=0
reload_beside() { # reload_beside PID: until that has ended
	while kill -0 "$1" 2>/dev/null; do
		if [ $((n % 4)) = 3 ]; then mib=$((mib + 1)); fi
		dmsetup reload z --table "$(table "${mib}M" "$COLD" algorithm "${codecs[n % 3]}" \
			mem_limit "${limits[n / 3 % 3]}" reserve $((1 + n % 2))M)"
		dmsetup resume z
		n=$((n + 1))
		dmsetup message z 0 set algorithm "${codecs[n % 3]}"
		sleep 0.2
	done
}
# This shell has to be paged in for each reload, so there may be few beside one run of the worker.
for run in 1 2 3; do
	in_background "$helpers/dmz-mem" work $work >"$T/work"
	worker=$!
	watch_over 700 $worker "the working set"
	reload_beside $worker
	rc=0
	wait $worker || rc=$?
	end_watch
	note "RAM ${ram} MiB, working set $work MiB, $n reloads: $(cat "$T/work")"
	check "status of the working set" $rc -eq 0
	[ $n -lt 5 ] || break
done
check "reloads in $run runs" $n -ge 5
snap z
check "pages swapped out" "${S[writes]}" -gt $((ram * 128))
check "pages swapped in" "${S[reads]}" -gt $((ram * 128))
check "size" "${S[blocks]}" -eq $((mib << 8))
check "failed writes" "${S[write_fails]}" -eq 0
! dmsetup reload z --table "$(table ${work}M "$COLD")" 2>/dev/null || fail "it could be made smaller"
! dmsetup remove z 2>/dev/null || fail "a device in use as swap was removed"
within 120 swapoff swapoff /dev/mapper/z
check_sane z
check "errors of the cold device" $((S[cold_read_errors] + S[cold_write_errors])) -eq 0
remove z

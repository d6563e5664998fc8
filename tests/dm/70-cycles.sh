#!/bin/bash
# Create, fill, suspend, resume, remove, again and again with I/O going on: no hang, no leak.
# vm: uml-debug qemu-6.12
# mem: 256M
# cold: 64M
# cpus: 2
# kmemleak: yes
# timeout: 900
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

# What differs from cycle to cycle comes in all combinations in 120 of them.
$DEBUG && cycles=120 || cycles=60

# Whoever hangs in the kernel cannot report it: a watchdog looks for progress.
progress=$T/progress
echo 0 >"$progress"
watchdog() {
	local last=none now
	while sleep $((40 * patience)); do
		now=$(cat "$progress")
		if [ "$now" = "$last" ]; then
			echo w >/proc/sysrq-trigger
			echo "$test_name: FAILED: no progress for 40 s in cycle $now" >&2
			sleep 1
			kill -9 $$
		fi
		last=$now
	done
}
watchdog &
background="$background $!"

# One device after the other: with and without a cold device, small and tiny pools, each codec.
args=(
	"$COLD mem_limit 1M"
	"$COLD mem_limit 1M algorithm zstd policy fifo segment_size 64K"
	"$COLD mem_limit 0 demote_age 1"
	"- mem_limit 16M algorithm lzo-rle"
	"$COLD mem_limit 1% overcommit discard_passdown off"
)
suspend_options=("" "--noflush" "--nolockfs" "--noflush --nolockfs")

cycle() { # cycle NUMBER
	local i=$1 writer reader
	rm -f "$T/stop"
	# shellcheck disable=SC2046,SC2086
	dmsetup create z --table "$(table 8M ${args[i % ${#args[@]}]})"
	[ -e /dev/mapper/z ] || dmsetup mknodes z
	"$helpers/dmz-blk" write /dev/mapper/z --seed "$i" --ratio 0 --batch 16 --random \
		--passes 1000 --until "$T/stop" >"$T/writer" &
	writer=$!
	"$helpers/dmz-blk" verify /dev/mapper/z --seed "$i" --ratio 0 --report --batch 64 \
		--passes 1000 --until "$T/stop" >"$T/reader" &
	reader=$!
	# not always at the same moment
	[ $((i % 3)) = 0 ] || sleep "0.0$((i * 7 % 10))"
	# shellcheck disable=SC2086
	dmsetup suspend ${suspend_options[i % 4]} z
	[ $((i % 5)) != 0 ] || sleep 0.05
	dmsetup resume z
	case $((i % 6)) in
	1) dmsetup message z 0 demote 100 ;;
	3) dmsetup message z 0 compact ;;
	esac 2>/dev/null || true # without a cold device there is nothing to demote
	: >"$T/stop"
	wait $writer || fail "cycle $i: writer: $(cat "$T/writer")"
	wait $reader || fail "cycle $i: reader ended with $?"
	grep -q 'wrong=0 failed=0 ' "$T/reader" || fail "cycle $i: reader: $(cat "$T/reader")"
	if [ $((i % 8)) = 0 ]; then
		"$helpers/dmz-blk" verify /dev/mapper/z --seed "$i" --ratio 0 --batch 64 --report >"$T/reader"
		grep -q 'wrong=0 failed=0 ' "$T/reader" || fail "cycle $i: at the end: $(cat "$T/reader")"
	fi
	# As a reboot would: demotion, cleaning and discards may be under way.
	dmsetup remove z
	echo "$i" >"$progress"
}

[ -n "$fields" ] || { create z 8M -; remove z; }
# The first ones fill the kernel's caches. Each is the first and the last device; after that there is
# another one, so that the kernel need not wait for its slab caches to go, which takes longer than all
# the rest.
for ((i = 1; i <= 20; i++)); do cycle $i; done
create other 8M -
# What the kernel's caches grow by comes once; what leaks comes again.
for try in 1 2 3; do
	before=$(kernel_kib)
	while [ $i -le $((20 + (cycles - 20) * try)) ]; do
		cycle $i
		i=$((i + 1))
	done
	after=$(kernel_kib)
	note "$((i - 1)) cycles in $SECONDS s; kernel memory before $before KiB, after $after KiB"
	if $DEBUG || [ $((after - before)) -le $(((cycles - 20) * 3 + 256)) ]; then break; fi
done
# Some structure lost in each cycle would be seen. The debug kernel keeps a record of each stack that it
# has seen, which is more than that: there kmemleak looks for what is lost.
$DEBUG || check "KiB of kernel memory kept by $((cycles - 20)) cycles" $((after - before)) -le $(((cycles - 20) * 3 + 256))
remove other
[ -z "$(zram_devices)" ] || fail "a device was left behind"
"$helpers/dmz-blk" excl "$COLD" || fail "the cold device cannot be opened exclusively after $cycles cycles"

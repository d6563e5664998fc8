#!/bin/bash
# Swap: a working set of three times the RAM is written, read back, half of it changed, and read
# again at random; then swapoff, and the device holds nothing that is still in use. On 6.12,
# 68-swap-reload does that and more.
# vm: qemu-6.1
# mem: 128M
# cold: 640M
# cpus: 2
# timeout: 900
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

ram=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
work=$((ram * 3))
create z $((work + 64))M "$COLD"
within 60 mkswap mkswap /dev/mapper/z >"$T/mkswap" || fail "mkswap: $(cat "$T/mkswap")"
within 60 swapon swapon --discard=pages /dev/mapper/z

# KASAN keeps what is freed, without a bound, until somebody allocates who may wait: with nothing
# but swapping going on nobody does, and all memory ends up there.
if $DEBUG; then
	in_background bash -c 'while :; do read -r _ </proc/uptime; sleep 0.05; done'
fi

note "RAM ${ram} MiB, working set $work MiB"
rc=0
within 700 "working set" "$helpers/dmz-mem" work $work >"$T/work" || rc=$?
note "$(cat "$T/work")"
check "status of the working set" $rc -eq 0
snap z
note "demotions=${S[demotions]} spills=${S[spills]} cold_reads=${S[cold_reads]} promotions=${S[promotions]}" \
	"discards=${S[discards]} segments cleaned=${S[segments_cleaned]} pool peak=$((S[pool_peak_bytes] >> 20)) MiB"
check "pages swapped out" "${S[writes]}" -gt $((ram * 256))
check "pages swapped in" "${S[reads]}" -gt $((ram * 256))
check "blocks to the cold device" $((S[demotions] + S[spills])) -gt $((ram * 64))
check "cold reads" "${S[cold_reads]}" -gt 0
# The clusters of a process that has ended are discarded in the background.
discarded() { [ "$(stat z discards)" -gt 0 ]; }
wait_until 60 "discards" discarded
check "failed writes" "${S[write_fails]}" -eq 0

within 120 swapoff swapoff /dev/mapper/z
check_sane z
check "errors of the cold device" $((S[cold_read_errors] + S[cold_write_errors])) -eq 0
remove z

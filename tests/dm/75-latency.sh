#!/bin/bash
# The histogram of cold reads: it counts each one once, knows a slow device from a fast one, and
# begins anew when told.
# vm: uml-debug qemu-6.1
# mem: 256M
# cold: 96M
# cpus: 2
# timeout: 180
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
blocks=2048
sectors=$((48 << 11))
modprobe -q dm-delay 2>/dev/null || true
dmsetup targets | grep -q '^delay' || { echo "no dm-delay in this kernel"; exit 77; }

dmsetup create under --table "0 $sectors linear $COLD 0"
[ -e /dev/mapper/under ] || dmsetup mknodes under
create z 24M /dev/mapper/under mem_limit 0 demote_age 0

# look: the message's numbers in the array L; the sum of the buckets in SUM.
declare -A L
look() {
	local name value
	L=()
	SUM=0
	while read -r name value; do
		L[$name]=$value
		case $name in below_* | beyond_*) SUM=$((SUM + value)) ;; esac
	done <<<"$(msg z latency)"
	note "$1: ${L[cold_reads]} reads, p50 ${L[p50_us]}, p99 ${L[p99_us]}, longest ${L[max_us]} us"
	check "$1: sum of the buckets" $SUM -eq "${L[cold_reads]}"
	check "$1: p50 and p99" "${L[p50_us]}" -le "${L[p99_us]}"
	check "$1: p99 and longest" "${L[p99_us]}" -le "${L[max_us]}"
}

look "nothing read"
check "reads at first" "${L[cold_reads]}" -eq 0
check "p99 at first" "${L[p99_us]}" -eq 0

blk write $dev --ratio 3 --count $blocks --batch 64
msg z demote all
msg z drain
before=$(stat z cold_reads)
blk verify $dev --ratio 3 --count 1000 --batch 1
look "a fast device"
check "reads" "${L[cold_reads]}" -eq $(($(stat z cold_reads) - before))
check "reads" "${L[cold_reads]}" -eq 1000
check "longest" "${L[max_us]}" -gt 0
longest=${L[max_us]}

# All reads below take a second and more; nothing is written meanwhile.
dmsetup reload under --table "0 $sectors delay $COLD 0 1000"
within 30 "suspend the device below" dmsetup suspend --noflush --nolockfs under
within 30 "resume the device below" dmsetup resume under
msg z reset_peak
look "after reset_peak"
check "reads after reset_peak" "${L[cold_reads]}" -eq 0
check "longest after reset_peak" "${L[max_us]}" -eq 0
[ "$longest" -lt 1000000 ] || note "the fast device was slow: $longest us"
blk verify $dev --ratio 3 --from 1000 --count 20 --batch 5
look "a slow device"
check "reads" "${L[cold_reads]}" -eq 20
# dm-delay counts ticks, and a guest whose processor was not running gets several at once, so a
# delay may be shorter by the clock; but not by half, or not most of them.
check "p50" "${L[p50_us]}" -ge 500000
check "longest" "${L[max_us]}" -ge 500000
slow=0
for n in "${!L[@]}"; do
	limit=${n#below_}
	limit=${limit%_us}
	case $n in below_*) [ "$limit" -le 600000 ] || slow=$((slow + L[$n])) ;; esac
done
slow=$((slow + ${L[beyond_us]:-0}))
check "reads in the buckets of slow ones" $slow -ge 15
check_sane z
remove z
dmsetup remove under

create z 8M -
! msg z latency 2>/dev/null || fail "latency without a cold device"
remove z

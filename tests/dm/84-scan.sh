#!/bin/bash
# What is on the cold device is enough to rebuild the device by scanning: after writers that
# overwrite each other's blocks, with spills, demotion and cleaning at once, the newest version of
# each block found there is what the device says.
# vm: uml-debug
# mem: 320M
# cold: 21M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
size=32M
blocks=$(($(bytes "$size") / BLOCK))

# One round: three writers at once all over the device, then everything out, and scan.
round() {
	local seed w writers=()
	for seed in 1 2 3; do
		"$helpers/dmz-blk" write $dev --ratio $((seed + 1)) --seed $((seed + 3 * $1)) --random --batch $((seed * 2 - 1)) \
			>"$T/writer$seed" &
		writers+=($!)
	done
	for w in "${writers[@]}"; do wait "$w" || fail "a writer: $(cat "$T"/writer*)"; done
	msg z demote all
	# What is on the cold device at one instant, with what was in buffers: the cleaner is held in the
	# middle of a segment.
	hold z
	msg z drain
	check "blocks on the device" "$(stat z cold_blocks)" -eq $blocks
	dd if="$COLD" of="$T/cold" bs=1M iflag=direct status=none
	release z
	within 100 dmz-scan "$helpers/dmz-scan" "$T/cold" $dev >"$T/scan" || fail "$(cat "$T/scan")"
	note "$how, round $1: $(cat "$T/scan")"
	[[ $(cat "$T/scan") == *" good=$blocks wrong=0 missing=0 "* ]] || fail "$(cat "$T/scan")"
}

for how in "64K none" "256K none" "64K zstd"; do
	segment=${how% *} algorithm=${how#* }
	create z "$size" "$COLD" mem_limit 2M demote_age 0 segment_size "$segment" overcommit \
		cold_algorithm "$algorithm"
	for n in $(seq "$(by_kind 5 3)"); do round "$n"; done
	check_sane z
	check "spills" "${S[spills]}" -gt 0
	check "demotions" "${S[demotions]}" -gt 0
	check "segments cleaned" "${S[segments_cleaned]}" -gt 0
	[ "$algorithm" = none ] || check "groups" "${S[groups]}" -gt 0
	remove z
	# The next log finds segments of this one, as it may in life; its own are told by the log_id.
done

#!/bin/bash
# The message "ages": each block that is stored is counted once, in RAM or cold; ages grow with the
# rotations of the slow hand, a read or a write makes them small again.
# vm: uml-debug qemu-6.1
# mem: 384M
# cold: 128M
# timeout: 120
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

declare -A A
ages() {
	local name number
	A=()
	while read -r name number; do A[$name]=$number; done < <(dmsetup message z 0 ages)
	RAM=0 COLD_BLOCKS=0
	for name in "${!A[@]}"; do
		case $name in
		ram_[0-9]) RAM=$((RAM + A[$name])) ;;
		cold_*) COLD_BLOCKS=$((COLD_BLOCKS + A[$name])) ;;
		esac
	done
}

# ages_at_rest: those, and the populations of STATUS, of one instant.
ages_at_rest() {
	hold z
	ages
	snap z
	release z
	check "blocks in RAM" $RAM -eq $((S[hot_blocks] + S[clean_blocks]))
	check "cold blocks" $COLD_BLOCKS -eq "${S[cold_blocks]}"
}

# 3000 s for a rotation: nothing ages by itself.
create z 64M "$COLD" mem_limit 0 demote_age 9000
ages
check "seconds of a rotation" "${A[rotation_seconds]}" -eq 3000
check "blocks of an empty device" $((RAM + COLD_BLOCKS)) -eq 0

blk write /dev/mapper/z --count 2000 --ratio 3
ages_at_rest
check "blocks in RAM" $RAM -ge 1900 # some may be one repeated word
check "new blocks" "${A[ram_0]}" -gt $((RAM / 2))
check "new blocks that were read" "${A[ram_read_0]}" -eq 0

blk verify /dev/mapper/z --count 1000 --ratio 3
ages_at_rest
check "blocks that were read" "${A[ram_read_0]}" -ge 900
check "blocks that were read" "${A[ram_read_0]}" -le 1000
check "samples that were read" "${A[sampled_reads_0]}" -ge 20
check "samples that were read" "${A[sampled_reads_0]}" -le 200

# A message demotes the oldest, which here are as old as the others, and makes no others older.
blk verify /dev/mapper/z --count 2000 --ratio 3
msg z demote 500
ages_at_rest
check "cold blocks" $COLD_BLOCKS -ge 500
check "cold blocks that were not read cold" "${A[cold_7]}" -eq $COLD_BLOCKS
check "blocks that a message has made older" $((A[ram_1] + A[ram_2] + A[ram_3])) -eq 0
blk verify /dev/mapper/z --count 2000 --ratio 3
msg z demote 100
ages_at_rest
check "cold blocks that were read, or never" $((A[cold_0] + A[cold_7])) -eq $COLD_BLOCKS

# A rotation a second ages what is left alone, and it leaves RAM then.
msg z set demote_age 3
ages
check "seconds of a rotation" "${A[rotation_seconds]}" -eq 1
older() {
	ages
	[ $((A[ram_1] + A[ram_2] + A[ram_3])) -gt 0 ] || [ $COLD_BLOCKS -ge 1900 ]
}
wait_until 60 "older blocks" older
note "$RAM blocks in RAM, $COLD_BLOCKS cold"

# Without a cold device there are no hands.
remove z
create z 16M -
ages
check "seconds of a rotation" "${A[rotation_seconds]}" -eq 0
remove z

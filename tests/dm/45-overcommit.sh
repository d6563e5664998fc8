#!/bin/bash
# A cold device that is too small for all blocks, taken with overcommit: an event warns long before
# writes fail; when it is full they fail with ENOSPC and nothing else happens; what is discarded
# or overwritten with less makes room again.
# vm: uml-debug qemu-6.1
# mem: 192M
# cold: 24M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
blocks=$((64 << 8)) # 64 MiB
events() { dmsetup info -c --noheadings -o events z; }

create z 64M "$COLD" overcommit mem_limit 4M demote_age 0
# Half of what the cold device holds: no reason to worry.
blk write $dev --ratio 1 --batch 16 --count 2560
blk verify $dev --ratio 1 --batch 16 --count 2560
msg z drain
check "events with the log half full" "$(events)" -eq 0

# Up to the end.
blk write $dev --ratio 1 --batch 4 --from 2560 --report
note "room for $FIRST_FAILED blocks; then $FAILED writes failed; events $(events)"
check "writes that failed" "$FAILED" -gt 0
check "of these, with ENOSPC" "$NOSPACE" -eq "$FAILED"
check "first block that had no room" "$FIRST_FAILED" -gt 4608 # 18 MiB of 24, and some in RAM
told() { [ "$(events)" -gt 0 ]; }
wait_until 20 "an event" told
check "bytes of RAM then, with mem_limit 4M" "$(stat z pool_bytes)" -le $((8 << 20))
first=$FIRST_FAILED
# Blocks before that are all right, also those that were overwritten meanwhile.
blk verify $dev --ratio 1 --batch 16 --count "$first"
blk write $dev --ratio 1 --seed 2 --count 512 --random --report
rewritten=$GOOD
note "with the log full, $rewritten of 512 overwrites of the same size went through"

# Room again: discard a part, and write that part.
within 60 blkdiscard blkdiscard -f -o 0 -l $((2048 * BLOCK)) $dev
blk write $dev --ratio 1 --seed 3 --count 1536 --random --batch 8
blk verify $dev --ratio 1 --seed 3 --count 1536 --batch 16
blk verify $dev --ratio 1 --from 2048 --count $((first - 2048)) --batch 16

# Better data, all over: everything fits, 4:1.
within 60 blkdiscard blkdiscard -f -o $((first * BLOCK)) -l $(((blocks - first) * BLOCK)) $dev
blk write $dev --ratio 5 --seed 4 --batch 16 --count "$first" --random --report
within 60 blkdiscard blkdiscard -f $dev
blk write $dev --ratio 5 --seed 4 --batch 16 --random
blk write $dev --ratio 5 --seed 5 --batch 16 --random
blk verify $dev --ratio 5 --seed 5 --batch 16
check_sane z
check "segments cleaned, or emptied" "${S[segments_free]}" -gt 0
remove z

# Nothing can be demoted when the log is full, but time goes on: what lies in RAM gets older, where the
# hand has met what should go, and behind that.
create z 64M "$COLD" overcommit mem_limit 64M demote_age 9000
blk write $dev --ratio 1 --batch 16 --count $((32 << 8)) --report
check "writes that RAM had room for" "$FAILED" -eq 0
snap_at_rest z
check "blocks in RAM" "${S[hot_blocks]}" -ge 1024
young() { dmsetup message z 0 ages | awk '$1 == "ram_0" { print $2 }'; }
all_older() { [ "$(young)" -eq 0 ]; }
msg z set demote_age 3
wait_until 60 "the oldest blocks in RAM" sh -c "dmsetup message z 0 ages | awk '\$1 == \"ram_3\" && \$2 > 512 { found = 1 } END { exit !found }'"
blk write $dev --ratio 3 --seed 6 --from $((48 << 8)) --count 512
check "blocks that were just written" "$(young)" -ge 500
wait_until 60 "all blocks in RAM to be older" all_older
check_sane z
remove z

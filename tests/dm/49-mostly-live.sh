#!/bin/bash
# A log of which 80 and 90 % are live, overwritten at random, fast, with next to no room in RAM: the
# cleaner is all that makes room, all the time, and it always does. No write fails, and no event says
# that space is low.
# vm: uml-debug
# mem: 256M
# cold: 65M
# cpus: 2
# timeout: 300
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
create z 256M "$COLD" overcommit mem_limit 1M segment_size 64K demote_age 0 discard_passdown off
blk write $dev --ratio 3 --batch 64 --count 4096
msg z drain
snap z
size=$((S[cold_live_bytes] / S[cold_blocks]))
for live in 80 90; do
	blocks=$(((S[segments] - 6) * 65472 * live / 100 / size))
	blk write $dev --ratio 3 --batch 64 --count $blocks
	within 200 "fio at $live %" fio --name=w --filename=$dev --direct=1 --bs=4k --rw=randwrite \
		--norandommap --randrepeat=0 --ioengine=libaio --iodepth=128 --iodepth_batch_submit=64 \
		--iodepth_batch_complete_min=32 --size=$((blocks * 4096)) \
		--io_size=$((blocks * 4096 * $(by_kind 4 1))) --refill_buffers \
		--buffer_compress_percentage=67 --buffer_compress_chunk=4096 --thread --minimal >"$T/fio"
	blk write $dev --ratio 3 --seed $live --batch 64 --count $((blocks / 2)) --random
	blk verify $dev --ratio 3 --seed $live --batch 64 --count $((blocks / 2))
done
snap z
note "${S[segments_cleaned]} segments cleaned, ${S[blocks_cleaned]} blocks; ${S[deferred]} writes waited"
check "segments cleaned" "${S[segments_cleaned]}" -gt 1000
check "blocks that were moved for that" "${S[blocks_cleaned]}" -gt "$blocks"
check "writes that failed" "${S[write_fails]}" -eq 0
check_sane z
remove z

#!/bin/bash
# Reads and writes of 1 MiB are done by two processors: all data is right, in RAM, cold, and beside
# small ones; also while everything else goes on.
# vm: uml-debug qemu-6.1 qemu-6.12
# mem: 512M
# cold: 256M
# cpus: 2
# timeout: 240
# packages: fio
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(nproc)" -ge 2 ] || fail "the guest has one processor"
size=$((96 << 20))
create z $size "$COLD" mem_limit 24M

# large RW OFFSET: a part of 32 MiB, at that offset, which may not be a multiple of a part of 64 KiB.
large() {
	within 120 "fio $1" fio --name=large --filename=/dev/mapper/z --rw="$1" --bs=1M --size=32M --offset="$2" --direct=1 \
		--ioengine=libaio --iodepth=4 --verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--buffer_compress_percentage=60 --refill_buffers --randseed=7 --do_verify="${3:-1}" --output="$T/fio" ||
		fail "fio: $(cat "$T/fio")"
}

large write 0
large write $(((32 << 20) + 4096))
snap z
check "parts left to a helper" "${S[helped_parts]}" -gt 0
helped=${S[helped_parts]}
# Cold now, but for what the limit leaves.
msg z demote all
large read 0
large read $(((32 << 20) + 4096))
snap z
check "cold reads" "${S[cold_reads]}" -gt 0
check "parts left to a helper by reads" "${S[helped_parts]}" -gt "$helped"

# Large ones and small ones side by side, while blocks go and come.
within 120 "fio of three kinds" fio --filename=/dev/mapper/z --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 \
	--verify_state_save=0 --buffer_compress_percentage=60 --refill_buffers --rw=randwrite --randseed=11 \
	--name=a --bs=1M --size=24M --offset=0 --name=b --bs=256K --size=24M --offset=24M \
	--name=c --bs=4K --size=8M --offset=48M --output="$T/fio" || fail "fio: $(cat "$T/fio")"
check_sane z
remove z

#!/bin/bash
# Where blocks are read once, what was read goes first; where they are read again and again, it
# does not. Nothing else takes a block that is as young as that: age 1.
# vm: uml-debug
# mem: 384M
# cold: 96M
# cpus: 2
# timeout: 240
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
chunk=256 # compressed, less than there is between the mark where demotion starts and the limit
limit=$((8 << 20))
lag=12 # chunks; about half of what RAM holds
trace=/sys/kernel/tracing
[ -d $trace/events ] || mount -t tracefs none $trace
echo 4096 >$trace/buffer_size_kb
echo 'age == 1' >$trace/events/dm_zram/dzr_demote/filter
echo 1 >$trace/events/dm_zram/dzr_demote/enable

# young: how many blocks of age 1 were demoted since the last call.
young() {
	grep -c ' dzr_demote: ' $trace/trace || true
	echo >$trace/trace
}
below() { [ "$(stat z pool_bytes)" -le $((limit - limit / 16)) ]; }
put() { blk write $dev --from $(($1 * chunk)) --count $chunk --ratio 3; }
get() { blk verify $dev --from $(($1 * chunk)) --count $chunk --ratio 3; }

note "each block is read once, a while after it was written"
create z 64M "$COLD" mem_limit $limit demote_age 0
for i in $(seq 0 63); do
	wait_until 60 "demotion" below
	put "$i"
	[ "$i" -lt $lag ] || get $((i - lag))
done
n=$(young)
snap z
note "$n of ${S[demotions]} demotions are of blocks of age 1"
check "demotions" "${S[demotions]}" -gt $((16 * chunk))
check "blocks that were just read, demoted" "$n" -gt $chunk
remove z

note "some blocks are read again and again, the others never"
create z 64M "$COLD" mem_limit $limit demote_age 0
for i in 0 1 2 3; do put $i; done
for i in $(seq 4 63); do
	put "$i"
	for _ in 1 2; do
		for k in 0 1 2 3; do get $k; done
	done
done
n=$(young)
snap z
note "$n of ${S[demotions]} demotions are of blocks of age 1"
check "demotions" "${S[demotions]}" -gt $chunk
check "blocks that were just read, demoted" "$n" -eq 0
remove z

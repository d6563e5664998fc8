#!/bin/bash
# The wear budget: demotion by age and for reclaim stops when it is used up, an event says so, RAM
# is then used up to the limit, and beyond that writes go on, on credit: none fails.
# vm: uml-debug qemu-6.1
# mem: 256M
# cold: 128M
# cpus: 2
# timeout: 180
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

dev=/dev/mapper/z
segment=$((256 << 10))
events() { dmsetup info -c --noheadings -o events z; }
thrifty() { [ "$(stat z wear_thrifty)" = "$1" ]; }

# What a bucket of 48 MiB a day holds at first: an hour's worth.
hour=$((2 << 20))
create z 64M "$COLD" mem_limit 12M demote_age 0 wear_budget 48M
born=$SECONDS
snap z
check "budget" "${S[wear_budget_bytes]}" -eq $((48 << 20))
check "left at first" "${S[wear_left_bytes]}" -ge $hour
check "left at first" "${S[wear_left_bytes]}" -lt $((hour + (64 << 10)))
check "thrifty at first" "${S[wear_thrifty]}" -eq 0
log_mark

# ---- age ---------------------------------------------------------------------------------------

timeout $((100 * patience)) dmsetup wait z "$(events)" &
waiter=$!
blk write $dev --ratio 3 --count 6144 --batch 64 # 8 MiB compressed
check "cold writes at first" "$(stat z cold_write_bytes)" -eq 0
msg z set demote_age 1
wait_until 90 "the budget to be used up by age" thrifty 1
wait $waiter || fail "dmsetup wait did not see the event"
want_log 'wear budget of 50331648 bytes a day is used up'
# What was on its way when nothing was left: the buffers, the objects of the open one, and a step of the
# hand, which is over when the device is at rest.
hold z
msg z drain
snap z
release z
# What has come in since: 583 bytes a second.
income=$(((SECONDS - born + 2) * 583))
note "used up after ${S[cold_write_bytes]} bytes, ${S[wear_overdrawn_bytes]} of them on credit"
check "bytes written until then" "${S[cold_write_bytes]}" -ge $((hour - 4096))
check "bytes written until then" "${S[cold_write_bytes]}" -le $((hour + income + 5 * segment))
check "bytes on credit" "${S[wear_overdrawn_bytes]}" -ge $((S[cold_write_bytes] - hour - income))
check "bytes on credit" "${S[wear_overdrawn_bytes]}" -le $((S[cold_write_bytes] - hour))
check "left" "${S[wear_left_bytes]}" -eq 0
check "blocks that are still in RAM" "${S[hot_blocks]}" -gt 2000
demoted=${S[demotions]} written=${S[cold_write_bytes]}
sleep 4 # the slow hand goes round once a second
check "demotions by age with nothing left" "$(stat z demotions)" -eq "$demoted"

# ---- reclaim -----------------------------------------------------------------------------------

msg z set demote_age 0
squeeze() { for _ in 1 2 3 4 5 6 7 8; do echo 2 >/proc/sys/vm/drop_caches; done; }
squeeze
sleep 1
snap z
check "demotions for reclaim with nothing left" "${S[demotions]}" -eq "$demoted"
check "bytes written with nothing left" "${S[cold_write_bytes]}" -eq "$written"
check "events" "$(events)" -eq 1

# ---- the limit ---------------------------------------------------------------------------------

# Incompressible blocks stay in RAM, too, as long as it lasts.
msg z reset_peak
blk write $dev --ratio 1 --seed 2 --count 256 --batch 16
snap z
check "blocks written past the pool below the limit" "${S[spills]}" -eq 0
check "bytes written below the limit" "${S[cold_write_bytes]}" -eq "$written"
# More than there is RAM for: all of RAM is used, the rest is written, nothing fails.
blk write $dev --ratio 3 --from 6144 --batch 16
snap z
note "at the limit: $(((S[pool_peak_bytes]) >> 10)) KiB of 12288 in RAM, ${S[wear_overdrawn_bytes]} bytes on credit"
check "most of RAM used" "${S[pool_peak_bytes]}" -gt $(((12 << 20) * 62 / 64)) # above the usual mark of 15/16
check "most of RAM used" "${S[pool_peak_bytes]}" -le $(((12 << 20) + (64 << 10)))
check "writes that failed" "${S[write_fails]}" -eq 0
check "blocks that left RAM for the limit" $((S[demotions] + S[spills])) -gt $((demoted + 1000))
check "bytes on credit" "${S[wear_overdrawn_bytes]}" -gt $((1 << 20))
check "events" "$(events)" -eq 1
blk verify $dev --ratio 1 --seed 2 --count 256 --batch 64
blk verify $dev --ratio 3 --from 256 --batch 64

# An operator who asks for it gets it.
msg z demote 500
check "demotions by message" "$(stat z demotions)" -ge $((S[demotions] + 500))

# ---- live changes ------------------------------------------------------------------------------

table_has() { [[ " $(dmsetup table z) " == *" $1 "* ]]; }
table_has "wear_budget 48M" || fail "table: $(dmsetup table z)"
# 1 TiB a day is 12 MiB a second: the debt, of 48 MiB at most, is soon paid.
msg z set wear_budget 1T
table_has "wear_budget 1T" || fail "table: $(dmsetup table z)"
wait_until 30 "the debt to be paid" thrifty 0
demoted=$(stat z demotions)
squeeze
more() { squeeze; [ "$(stat z demotions)" -gt "$demoted" ]; }
wait_until 30 "demotion for reclaim, with a budget" more
msg z set wear_budget 0
snap z
check "budget, with none" $((S[wear_budget_bytes] + S[wear_left_bytes] + S[wear_thrifty])) -eq 0
table_has "wear_budget 0" || fail "table: $(dmsetup table z)"
msg z set demote_age 1
out() { [ "$(stat z hot_blocks)" = 0 ]; }
wait_until 60 "all blocks to leave RAM by age, without a budget" out
blk verify $dev --ratio 1 --seed 2 --count 256 --batch 64
blk verify $dev --ratio 3 --from 256 --batch 64

# A budget that is used up already tells again.
seen=$(events)
msg z set wear_budget 24K
blk write $dev --ratio 3 --seed 4 --count 512 --batch 16
msg z demote all
msg z drain
told() { [ "$(events)" -gt "$seen" ]; }
wait_until 20 "the second event" told
check "left of 24 KiB a day" "$(stat z wear_left_bytes)" -eq 0
# A new table that does not name a budget has none.
reload z 64M "$COLD" mem_limit 12M demote_age 0
snap z
check "budget after a reload without" $((S[wear_budget_bytes] + S[wear_thrifty])) -eq 0
blk verify $dev --ratio 3 --seed 4 --count 512 --batch 64
blk verify $dev --ratio 3 --from 512 --batch 64
check_sane z
check "failed writes" "${S[write_fails]}" -eq 0
remove z
